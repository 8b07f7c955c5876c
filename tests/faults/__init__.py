"""Every stream, beside everything that can go wrong with a request."""
