"""Packets that are compared: what differs between two of them, by field, and which ones belong to each other.

differences.py: two packets. ignoring.py: what may differ.
"""
