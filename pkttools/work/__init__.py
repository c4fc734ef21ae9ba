"""What commands do to packets, beyond what the codec does: stages of a flow."""
