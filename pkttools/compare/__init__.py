"""Packets that are compared: what differs between two of them, by field, and which ones belong to each other.

differences.py: two packets, frame.py: what each is made of. ignoring.py: what may differ. pairing.py: two streams; script.py: the
edit script between them. saying.py: how it is said.
"""
