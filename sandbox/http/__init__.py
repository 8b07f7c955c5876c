"""Calendly's API and OAuth over HTTP, with faults on request."""
