"""What a run has: settings, API client, account and scope, each built when first used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from tap_calendly.api import throttle
from tap_calendly.api.account import Account
from tap_calendly.api.client import Client
from tap_calendly.api.scope import Scope
from tap_calendly.auth import methods
from tap_calendly.settings import Settings


class Run:
    """One run of the tap; discovery, which has no token, uses none of it."""

    def __init__(self, config: Mapping[str, Any], user_agent: str, logger: logging.Logger) -> None:
        """Take a checked configuration, and the default for its `user_agent`."""
        self.logger = logger
        self._config = config
        self._user_agent = user_agent

    @cached_property
    def settings(self) -> Settings:
        """The settings, typed."""
        return Settings.parse(self._config, self._user_agent)

    @cached_property
    def client(self) -> Client:
        """Calendly's API, with the token."""
        pace = throttle.Throttle(self.settings.requests_per_minute, throttle.SystemClock())
        authenticator = methods.authenticator(self.settings, pace, self.logger)
        return Client(self.settings, authenticator, pace, self.logger)

    @cached_property
    def account(self) -> Account:
        """The token's owner."""
        return Account(self.client, self.logger)

    @cached_property
    def scope(self) -> Scope:
        """Whose data to read."""
        return Scope(self.settings, self.account)
