"""Calendly's API on loopback: stateful, seeded, and in want of no account.

What a newcomer syncs before he has a token, and what every test runs against.
"""
