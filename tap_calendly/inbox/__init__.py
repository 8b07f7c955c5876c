"""The inbox: what Calendly's webhooks delivered, kept in SQLite or PostgreSQL."""
