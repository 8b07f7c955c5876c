"""A simulated Calendly, served over HTTP on loopback: no account needed.

Rooms, from the bottom: ``organization`` (one organization's data, and what can happen to it),
``http`` (Calendly's API in front of it), ``demo`` (a made-up company, and ``make sync``).
"""
