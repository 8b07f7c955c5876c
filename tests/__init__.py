"""Tests of the tap, by promise."""
