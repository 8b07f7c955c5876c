"""What a person reads: errors, and logs without secrets."""
