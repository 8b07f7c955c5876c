"""Decisions and parsers, without a run."""
