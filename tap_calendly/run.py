"""What a run has: settings, API client, account and scope, each built when first used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_calendly.api import throttle
from tap_calendly.api.account import Account
from tap_calendly.api.client import Client
from tap_calendly.api.scope import Scope
from tap_calendly.auth import methods
from tap_calendly.reporting import errors
from tap_calendly.settings import Settings

if TYPE_CHECKING:
    from tap_calendly.inbox.reader import InboxReader


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

    @property
    def inbox(self) -> InboxReader | None:
        """The inbox as it was when it was first asked for; None without `inbox_url`.

        Raises:
            CalendlyError: It does not exist, or cannot be read.
        """
        if isinstance(self._inbox, errors.CalendlyError):
            raise self._inbox
        return self._inbox

    @cached_property
    def _inbox(self) -> InboxReader | errors.CalendlyError | None:
        if (url := self.settings.inbox_url) is None:
            return None
        from tap_calendly.inbox.reader import InboxReader

        try:
            return InboxReader(url)
        except errors.CalendlyError as error:
            return error

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
