"""Live packets on Linux. What no other system has stays here."""
