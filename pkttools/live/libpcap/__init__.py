"""Receiving and sending by libpcap, where there is no packet(7) or it is asked for."""
