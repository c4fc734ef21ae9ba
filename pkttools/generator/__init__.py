"""Packets from nothing: what their fields hold, how they are laid out, when they are due, and what became of them."""
