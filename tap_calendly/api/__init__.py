"""Calendly's API over HTTP."""
