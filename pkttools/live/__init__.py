"""The wire: receiving and sending, by Linux's own means or by libpcap, and what both share."""
