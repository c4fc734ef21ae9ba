"""A learning Ethernet switch in user space: ports, forwarding, and how others talk to it while it runs."""
