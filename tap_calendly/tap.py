"""TapCalendly: settings, streams, and how a run ends."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk import Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.exceptions import ConfigurationError, MappingError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.plugin_base import _ConfigInput
from typing_extensions import override

from tap_calendly import state as state_entries
from tap_calendly import timestamps
from tap_calendly.api.client import Api
from tap_calendly.auth import login
from tap_calendly.reporting import errors, redaction
from tap_calendly.scope import Scope
from tap_calendly.singer import catalog, configuration, connection_test, input_files, stream_maps
from tap_calendly.singer.progress import Progress
from tap_calendly.singer.settings_schema import SETTINGS
from tap_calendly.singer.stream import CalendlyStream
from tap_calendly.streams import STREAMS
from tap_calendly.sweep.plan import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from types import FrameType

    from singer_sdk.streams import Stream


class TapCalendly(Tap):
    """Singer tap for Calendly: tables that equal Calendly, at the fewest API requests."""

    name = "tap-calendly"
    package_name = "singer-tap-calendly"
    config_jsonschema = SETTINGS.to_dict()
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

    @override
    def setup_mapper(self) -> None:
        """Check the stream maps, which the SDK would do too late."""
        tables = {name: stream.schema["properties"] for name, stream in self.streams.items()}
        keys = {name: stream.primary_keys for name, stream in self.streams.items()}
        if found := list(stream_maps.problems(self.config.get("stream_maps", {}), tables, keys)):
            raise errors.SettingsError(found)
        try:
            # The next but one: the next would map what is not selected without any column, and then
            # miss the key. Yet it has a map, as it may be read for the sake of its children.
            super(Tap, self).setup_mapper()
            self.mapper.register_raw_streams_from_catalog(catalog.selected(self.catalog))
            for name in tables.keys() - self.mapper.stream_maps:
                self.mapper.register_raw_stream_schema(name, self.streams[name].schema, keys[name])
        except ValueError:
            message = (
                "Setting `flattening_separator` or `flattening_max_key_length` makes one name of "
                "two columns: choose a longer one."
            )
            raise errors.SettingsError([message]) from None
        for chosen in self.mapper.stream_maps.values():
            for one in chosen:
                if isinstance(one, CustomStreamMap):
                    one.__class__ = (
                        stream_maps.Map
                    )  # the SDK makes its own and leaves no other place

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Go by what this tap wrote alone."""
        given = {name: entry for name, entry in state.get("bookmarks", {}).items() if entry}
        known = set(self.streams) if given else set()
        own = state_entries.own(given, known)
        if others := sorted(given.keys() - known):
            self.logger.warning(
                "The state has streams that are not tap-calendly's, which are ignored: %s.",
                ", ".join(others),
            )
        if strange := sorted((given.keys() & known) - own.keys()):
            self.logger.warning(
                "The state has entries that tap-calendly did not write; these streams are read "
                "from the start: %s.",
                ", ".join(strange),
            )
        super().load_state({"bookmarks": own})

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
        return None if value is None else timestamps.parse(value)

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
        if others := sorted(set(self.input_catalog or ()) - set(self.streams)):
            self.logger.warning(
                "The catalog has streams that are not tap-calendly's, which are ignored: %s.",
                ", ".join(others),
            )
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
                for that; or a stream could not be asked.
        """
        for line in connection_test.verdicts(self.calendly_streams):
            click.echo(line)
        self._judge(self.calendly_streams, "")
        return True

    def _judge(self, streams: list[CalendlyStream], otherwise: str) -> None:
        """Decide whether the run has failed.

        Args:
            streams: The streams of the run.
            otherwise: What else there is to say where the token does not open all of them.

        Raises:
            StreamsError: It has.
        """
        wanted = [stream for stream in streams if stream.selected or stream.children]
        failures = [str(stream.failed) for stream in wanted if stream.failed is not None]
        if (closed := self._closed(wanted, otherwise)) is not None:
            failures.append(closed)
        if failures:
            raise errors.StreamsError(list(dict.fromkeys(failures)))

    def _closed(self, wanted: list[CalendlyStream], otherwise: str) -> str | None:
        """Say what the token does not open, and whether the run has failed by that."""
        closed = [stream for stream in wanted if stream.unavailable is not None]
        if not closed:
            return None
        unexplained = any(
            s.unavailable is not None and not s.unavailable.names_scopes for s in closed
        )
        if unexplained and self.config["scope"] == "organization" and self.scope.role == "user":
            self.logger.warning(
                "The token's user has the role `user`, and a whole organization opens to owners "
                "and admins: use the token of one, or set `scope: user`."
            )
        names = ", ".join(stream.name for stream in closed)
        if self.config["on_unavailable"] == "fail":
            return f"Not opened by the token: {names}{otherwise}."
        if all(stream.unavailable is not None for stream in wanted if stream.selected):
            return f"Nothing was read: the token opens none of {names}."
        return None

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings in the user's words.

        Private in singer-sdk 0.54, whose own check prints the offending value, which may be a
        secret, lets `start_date` be anything, and is silent about unknown names.
        """
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        redaction.remember(*configuration.secrets_in(self._config))
        problems = configuration.problems(self._config, schema)
        if raise_errors:
            if problems:
                raise errors.SettingsError(problems)
            for name in configuration.unknown(self._config, schema):
                self.logger.warning("There is no setting `%s`: it is ignored.", name)
                self._config.pop(name, None)  # the SDK goes by some that a tap does not offer
        if not self.logger.isEnabledFor(logging.DEBUG):
            # Four metrics for every meeting would bury the lines worth reading.
            self.metrics_logger.setLevel(logging.WARNING)
        return problems

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        config: dict[str, Any] = {}
        for path in value:
            if path != "ENV":
                # Once: what a pipe holds is gone then.
                config |= json.loads(
                    input_files.read(path, "--config", configuration.problems_with_file)
                )
                continue
            schema = dict(cls.config_jsonschema)
            cls.append_builtin_config(schema)
            if found := configuration.problems_in_environment(
                os.environ, cls._env_var_prefix, schema
            ):
                raise errors.SettingsError(found)
        return _ConfigInput(config=config, parse_env="ENV" in value)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        streams = {stream.name: stream for stream in STREAMS}
        checks: dict[str | None, input_files.Problems] = {
            "catalog": partial(catalog.problems, streams=streams),
            "state": partial(state_entries.problems, streams=streams),
        }
        for param in command.params:
            if param.name in checks:
                param.type = input_files.JSONFile(checks[param.name])
        command.params.extend(login.OPTIONS)
        return command

    @classmethod
    @override
    def invoke(cls, **options: Any) -> None:
        if (login_options := login.login_options(options)) is not None:
            cls._authorize(options["config"], login_options)
            return
        try:
            super().invoke(**options)
        except BrokenPipeError:
            # Python would complain once more while it flushes the closed pipe on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            message = "The target closed the pipe: its own log says why."
            raise errors.CalendlyError(message) from None

    @classmethod
    def _authorize(cls, given: _ConfigInput, login_options: login.LoginOptions) -> None:
        """Get credentials by the browser."""
        schema = dict(cls.config_jsonschema)
        cls.append_builtin_config(schema)
        config = {**given.config, **(cls._env_var_config if given.parse_env else {})}
        agent = config.get("user_agent") or f"{cls.name}/{cls.get_plugin_version()}"
        login.authorize(config, schema, login_options, agent, cls.logger)

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
    if (problem := configuration.problem_with_log_level(os.environ)) is not None:
        _give_up([problem])
    try:
        TapCalendly.cli()
    except errors.SettingsError as error:
        _give_up(error.problems)
    except errors.StreamsError as error:
        _give_up(error.lines)
    except errors.CalendlyError as error:
        _give_up([str(error)])
    except (ConfigurationError, MappingError) as error:
        _give_up([f"Setting `stream_maps` cannot be used: {' '.join(str(error).split())}"])
    except Exception as error:  # noqa: BLE001 - the last resort for the user at 7 a.m.
        TapCalendly.logger.debug("Where it happened:", exc_info=True)
        _give_up([str(errors.unexpected("tap-calendly", error))])


def _give_up(lines: list[str]) -> NoReturn:
    for line in lines:
        TapCalendly.logger.error(" ".join(line.split()))  # a name in a file may hold line breaks
    sys.exit(1)
