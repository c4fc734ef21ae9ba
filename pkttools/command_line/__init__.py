"""What every command is to a user: options, help, signals, and how far it has come."""
