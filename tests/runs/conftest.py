"""What the SDK's plugin for pytest does, without loading all of the SDK where no test is run."""

from singer_sdk.testing.pytest_plugin import pytest_generate_tests

__all__ = ["pytest_generate_tests"]
