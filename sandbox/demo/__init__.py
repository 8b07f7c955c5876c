"""The demo organization: a made-up company with a year at Calendly behind it."""
