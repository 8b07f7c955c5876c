"""The executable, and `python -m tap_calendly.webhooks`."""
