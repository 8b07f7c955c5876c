"""Meltano pipelines into real databases."""
