"""Labs (laboratories): networks of hosts and wires on one machine, in namespaces that end with the one process that holds them."""

LINGER = 0.1  # seconds that packets may be on their way for, once what is captured has ended: a busy machine takes its time
