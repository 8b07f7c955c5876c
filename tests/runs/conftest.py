"""The SDK's pytest plugin, for these tests only, so that others do not have to load the SDK."""

from singer_sdk.testing.pytest_plugin import pytest_generate_tests

__all__ = ["pytest_generate_tests"]
