"""Labs (laboratories): networks of hosts and wires on one machine, in namespaces that end with the one process that holds them."""
