"""Decisions and parsers, without a run of the tap."""
