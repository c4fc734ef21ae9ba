"""What protocols are: headers, fields, the names of their values, and how they are laid out for people."""
