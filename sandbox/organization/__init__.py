"""One organization at Calendly: its records, and the life events that change them."""
