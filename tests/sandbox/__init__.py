"""What the sandbox promises: to behave as Calendly does."""
