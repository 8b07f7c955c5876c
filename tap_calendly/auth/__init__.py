"""How the tap proves to Calendly who asks."""
