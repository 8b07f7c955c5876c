"""TapCalendly: settings, streams, and how a run ends."""

from __future__ import annotations

import logging
import os
import signal
import sys
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk import Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.exceptions import ConfigurationError, MappingError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from tap_calendly import authorize, connection_test, errors, files, redaction, settings
from tap_calendly.api import Api
from tap_calendly.client import CalendlyStream
from tap_calendly.progress import Progress
from tap_calendly.scope import Scope
from tap_calendly.streams import STREAMS
from tap_calendly.sweep import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from types import FrameType

    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.streams import Stream


class TapCalendly(Tap):
    """Singer tap for Calendly: tables that equal Calendly, at the fewest API requests."""

    name = "tap-calendly"
    package_name = "singer-tap-calendly"
    config_jsonschema = settings.SETTINGS.to_dict()
    message_writer_class = MsgSpecWriter
    capabilities = [  # noqa: RUF012 - the SDK's own declaration
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [stream(self) for stream in STREAMS]

    @cached_property
    def api(self) -> Api:
        """Calendly's API, as this run asks it."""
        return Api(self.config, self.plugin_version, self.logger)

    @cached_property
    def scope(self) -> Scope:
        """Whose data this run reads."""
        return Scope(self)

    @cached_property
    def start_date(self) -> datetime | None:
        """The setting `start_date` (UTC)."""
        value = self.config.get("start_date")
        return None if value is None else settings.moment(value)

    @cached_property
    def rules(self) -> Rules:
        """The settings that bear on a sweep."""
        interval = self.config["full_scan_interval_days"]
        return Rules(
            lookback=timedelta(days=self.config["lookback_days"]),
            full_scan_interval=timedelta(days=interval) if interval else None,
            start_date=self.start_date,
        )

    @property
    def calendly_streams(self) -> list[CalendlyStream]:
        """The streams, selected or not, in the order in which they run."""
        return [stream for stream in self.streams.values() if isinstance(stream, CalendlyStream)]

    @override  # type: ignore[misc]
    def sync_all(self) -> None:
        """Load all streams, and say how it goes.

        Final in singer-sdk 0.54, which has no other place around a run whether it ends well or not.
        """
        streams = self.calendly_streams
        with Progress(streams, self.api, self.logger):
            try:
                super().sync_all()
            finally:
                for stream in streams:
                    stream.stop()
        self._judge(streams, "; the other streams are done")

    @override  # type: ignore[misc]
    def run_connection_test(self) -> bool:
        """Say of each stream whether the token opens it (final in singer-sdk 0.54, see above).

        Returns:
            True, always.

        Raises:
            CalendlyError: The token does not open anything, or not all where `on_unavailable` asks
                for that.
        """
        for line in connection_test.verdicts(self.calendly_streams):
            click.echo(line)
        self._judge(self.calendly_streams, "")
        return True

    def _judge(self, streams: list[CalendlyStream], otherwise: str) -> None:
        """Say what the token does not open, and decide whether the run has failed by that.

        Args:
            streams: The streams of the run.
            otherwise: What else there is to say where it has.

        Raises:
            CalendlyError: It has.
        """
        closed = [
            stream
            for stream in streams
            if stream.closed is not None and (stream.selected or stream.children)
        ]
        if not closed:
            return
        unexplained = any(s.closed is not None and not s.closed.names_scopes for s in closed)
        if unexplained and self.config["scope"] == "organization" and self.scope.role == "user":
            self.logger.warning(
                "The token's user has the role `user`, and a whole organization opens to owners "
                "and admins: use the token of one, or set `scope: user`."
            )
        names = ", ".join(stream.name for stream in closed)
        wanted = [stream for stream in streams if stream.selected]
        if self.config["on_unavailable"] == "fail":
            message = f"Not opened by the token: {names}{otherwise}."
            raise errors.CalendlyError(message)
        if all(stream.closed is not None for stream in wanted):
            message = f"Nothing was read: the token opens none of {names}."
            raise errors.CalendlyError(message)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings in the user's words.

        Private in singer-sdk 0.54, whose own check prints the offending value, which may be a
        secret, lets `start_date` be anything, and is silent about unknown names.
        """
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        redaction.remember(*settings.secrets_in(self._config))
        problems = settings.problems(self._config, schema)
        if raise_errors:
            if problems:
                raise errors.SettingsError(problems)
            for name in settings.unknown(self._config, schema):
                self.logger.warning("There is no setting `%s`: it is ignored.", name)
        if not self.logger.isEnabledFor(logging.DEBUG):
            # Four metrics for every meeting would bury the lines worth reading.
            self.metrics_logger.setLevel(logging.WARNING)
        return problems

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        for path in value:
            if path != "ENV":
                files.read(path, "--config")
                continue
            schema = dict(cls.config_jsonschema)
            cls.append_builtin_config(schema)
            if found := settings.problems_in_environment(os.environ, cls._env_var_prefix, schema):
                raise errors.SettingsError(found)
        return super().cb_config(ctx, param, value)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        for param in command.params:
            if isinstance(param.type, click.File):
                param.type = files.JSONFile()
        command.params.extend(authorize.OPTIONS)
        return command

    @classmethod
    @override
    def invoke(cls, **options: Any) -> None:
        if (wishes := authorize.wishes_in(options)) is not None:
            cls._authorize(options["config"], wishes)
            return
        try:
            super().invoke(**options)
        except BrokenPipeError:
            # Python would complain once more while it flushes the closed pipe on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            message = "The target closed the pipe: its own log says why."
            raise errors.CalendlyError(message) from None

    @classmethod
    def _authorize(cls, given: _ConfigInput, wishes: authorize.Wishes) -> None:
        """Get credentials by the browser."""
        schema = dict(cls.config_jsonschema)
        cls.append_builtin_config(schema)
        config = {**given.config, **(cls._env_var_config if given.parse_env else {})}
        agent = config.get("user_agent") or f"{cls.name}/{cls.get_plugin_version()}"
        authorize.authorize(config, schema, wishes, agent, cls.logger)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> NoReturn:
        """End with 128 + the signal's number (private in singer-sdk 0.54, which exits 0).

        Nothing is written here, as a message may just be under way: each state is written as soon
        as it is reached.
        """
        self.logger.warning(
            "Stopped by %s: the next run continues from the last state written.",
            signal.Signals(signum).name,
        )
        sys.exit(128 + signum)


def main() -> None:
    """Run the command; whatever stops it ends in one line each and status 1."""
    redaction.guard_logs()
    try:
        TapCalendly.cli()
    except errors.SettingsError as error:
        _give_up(error.problems)
    except errors.CalendlyError as error:
        _give_up([str(error)])
    except (ConfigurationError, MappingError) as error:
        _give_up([f"Setting `stream_maps` cannot be used: {' '.join(str(error).split())}"])
    except Exception as error:  # noqa: BLE001 - the last resort for the user at 7 a.m.
        TapCalendly.logger.debug("Where it happened:", exc_info=True)
        _give_up(
            [
                (
                    f"tap-calendly failed unexpectedly ({type(error).__name__}): run it again with "
                    "TAP_CALENDLY_LOGLEVEL=DEBUG, and report what it says."
                )
            ]
        )


def _give_up(lines: list[str]) -> NoReturn:
    for line in lines:
        TapCalendly.logger.error(line)
    sys.exit(1)
