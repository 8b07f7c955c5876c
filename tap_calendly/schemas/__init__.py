"""The fields of each stream, following Calendly's API reference."""
