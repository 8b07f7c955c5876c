"""Runs of the tap against the sandbox, in this process."""
