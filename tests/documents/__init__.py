"""What the project says of itself, and whether it is so."""
