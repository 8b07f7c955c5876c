"""The sandbox behaves as Calendly does."""
