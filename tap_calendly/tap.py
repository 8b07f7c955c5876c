"""TapCalendly: its settings, its streams, and how a run ends."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import Any, cast

import click
import msgspec
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.streams import Stream
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_calendly import state as state_entries
from tap_calendly.auth import login
from tap_calendly.reporting import errors, messages, redaction
from tap_calendly.run import Run
from tap_calendly.settings import Settings
from tap_calendly.singer import catalog, configuration, connection_test, input_files, stream_maps
from tap_calendly.singer.progress import Progress
from tap_calendly.singer.sdk import ConfigInput, SingerTap
from tap_calendly.singer.settings_schema import SETTINGS
from tap_calendly.singer.stream import CalendlyStream
from tap_calendly.streams import STREAMS


class TapCalendly(SingerTap):
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

    @cached_property
    def run(self) -> Run:
        """What the run has."""
        return Run(self.config, f"{self.name}/{self.plugin_version}", self.logger)

    @override
    def discover_streams(self) -> Sequence[Stream]:
        made: dict[type[CalendlyStream], CalendlyStream] = {}
        for stream in STREAMS:  # parents come before their children
            parent = None if stream.parent is None else made[stream.parent.stream]
            made[stream] = stream(self, self.run, parent)
        return list(made.values())

    @override
    def setup_mapper(self) -> None:
        """Check the stream maps, which the SDK would do too late."""
        columns = {name: stream.schema["properties"] for name, stream in self.streams.items()}
        keys = {name: stream.primary_keys for name, stream in self.streams.items()}
        given = self.config.get("stream_maps", {})
        if found := list(stream_maps.problems(given, columns, keys)):
            raise errors.SettingsError(found)
        try:
            self.map_streams(catalog.selected(self.catalog))
        except ValueError:
            raise errors.SettingsError([messages.COLUMNS_COLLIDE]) from None

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Load only what this tap wrote."""
        given = {name: entry for name, entry in state.get("bookmarks", {}).items() if entry}
        known = set(self.streams) if given else set()
        own = state_entries.own(given, known)
        self._warn(
            "The state has streams that are not tap-calendly's, which are ignored: %s.",
            given.keys() - known,
        )
        self._warn(
            "The state has entries that tap-calendly did not write; these streams are read from "
            "the start: %s.",
            (given.keys() & known) - own.keys(),
        )
        super().load_state({"bookmarks": own})
        whole = cast("dict[str, Any]", self.state)
        for field in {state_entries.FULL_TABLES, state_entries.INBOX} & state.keys():
            whole[field] = state[field]  # the SDK takes the bookmarks alone

    def _warn(self, message: str, streams: Collection[str]) -> None:
        if streams:
            self.logger.warning(message, ", ".join(sorted(streams)))

    @property
    def calendly_streams(self) -> list[CalendlyStream]:
        """The streams, selected or not, in the order in which they run."""
        return [stream for stream in self.streams.values() if isinstance(stream, CalendlyStream)]

    @override
    def load(self, sync: Callable[[], None]) -> None:
        """Load all streams, and log how it goes."""
        streams = self.calendly_streams
        self._warn(
            "The catalog has streams that are not tap-calendly's, which are ignored: %s.",
            set(self.input_catalog or ()) - set(self.streams),
        )
        with suppress(errors.CalendlyError):  # said by the streams that need it
            _ = self.run.inbox  # before any request: what comes later is for the next run
        with Progress(streams, self.run.client, self.logger):
            try:
                sync()
            finally:
                for stream in streams:
                    stream.stop()
        self._judge("; the other streams are done")

    @override
    def test_access(self) -> None:
        self.run.settings = msgspec.structs.replace(
            self.run.settings, unreachable_timeout=connection_test.UNREACHABLE_TIMEOUT
        )
        streams = self.calendly_streams
        asks = any(stream.selected and stream.from_api for stream in streams)
        tried = [one for one in streams if one.selected or (asks and one.from_api)]
        for line in connection_test.verdicts(tried):
            click.echo(line)
        self._judge("")

    def _judge(self, ending: str) -> None:
        """Raise StreamsError if the run has failed; `ending` completes the line on no access."""
        wanted = [one for one in self.calendly_streams if one.selected or one.children]
        failures = [str(one.outcome.failed) for one in wanted if one.outcome.failed is not None]
        self._explain_refusals(wanted)
        if (no_access := self._no_access(wanted, ending)) is not None:
            failures.append(no_access)
        if failures:
            raise errors.StreamsError(list(dict.fromkeys(failures)))

    def _explain_refusals(self, wanted: list[CalendlyStream]) -> None:
        """Warn if streams may be refused because of the role of the token's user."""
        refusals = [one.outcome.unavailable for one in wanted]
        unexplained = any(why is not None and not why.names_scopes for why in refusals)
        of_all = self.run.settings.scope == "organization"
        if unexplained and of_all and self.run.account.role == "user":
            self.logger.warning(
                "The token's user has the role `user`, but only owners and admins can read a whole "
                "organization: use the token of one, or set `scope: user`."
            )

    def _no_access(self, wanted: list[CalendlyStream], ending: str) -> str | None:
        """Return the line to fail with because streams were skipped, if that fails the run."""
        # The line of a parent that was lost speaks for its children.
        skipped = [one for one in wanted if one.outcome.skipped and not one.root.outcome.lost]
        if not any(one.selected for one in skipped):
            return None
        names = ", ".join(one.name for one in skipped)
        if self.run.settings.on_unavailable == "fail":
            return messages.STREAMS_UNAVAILABLE.format(streams=names, ending=ending)
        if all(one.outcome.unavailable is not None for one in wanted if one.selected):
            return messages.NOTHING_READ.format(streams=names)
        return None

    @override
    def check_config(self, config: dict[str, Any], *, raise_errors: bool) -> list[str]:
        schema = self.config_jsonschema
        if raise_errors:
            configuration.check(config, schema, self.logger)
            return []
        redaction.remember(*configuration.secrets(config))
        return configuration.problems(config, schema)

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> ConfigInput:
        config: dict[str, Any] = {}
        prefix, schema = cls._env_var_prefix, cls._whole_schema()
        for path in value:
            if path != "ENV":
                # Once, as the content of a pipe is gone afterwards.
                text = input_files.read(path, "--config", configuration.problems_with_file)
                config |= json.loads(text)
            elif found := configuration.problems_in_environment(os.environ, prefix, schema):
                raise errors.SettingsError(found)
        return ConfigInput(config=config, parse_env="ENV" in value)

    @classmethod
    def run_of(cls, given: ConfigInput, logger: logging.Logger, *, needs_token: bool) -> Run:
        """Return what a command that is not Singer's has with the settings of `--config`.

        Raises:
            SettingsError: A setting cannot be used.
        """
        config = cls._merged(given)
        configuration.check(config, cls._whole_schema(), logger, needs_token=needs_token)
        return Run(config, f"{cls.name}/{cls.get_plugin_version()}", logger)

    @classmethod
    def _merged(cls, given: ConfigInput) -> dict[str, Any]:
        return {**given.config, **(cls._env_var_config if given.parse_env else {})}

    @classmethod
    def _whole_schema(cls) -> dict[str, Any]:
        """Return the JSON schema of all settings, including those that the SDK adds."""
        schema = dict(cls.config_jsonschema)
        cls.append_builtin_config(schema)
        return schema

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
            elif isinstance(param, click.Option) and param.name == "test":
                # The SDK's callback knows neither catalog nor state.
                param.help, param.callback, param.expose_value = connection_test.HELP, None, True
        command.params.extend(login.OPTIONS)
        return command

    @classmethod
    @override
    def invoke(cls, **options: Any) -> None:
        if (login_options := login.login_options(options)) is not None:
            cls._authorize(options["config"], login_options)
            return
        if (test := options.pop("test")) != CliTestOptionValue.Disabled.value:
            cls._test(test, options)
            return
        try:
            super().invoke(**options)
        except BrokenPipeError:
            # Python would complain once more while it flushes the closed pipe on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise errors.CalendlyError(messages.TARGET_CLOSED_PIPE) from None

    @classmethod
    def _test(cls, test: str, options: Mapping[str, Any]) -> None:
        """Test the connection, or print the schemas, for a run with these options."""
        tap = cls(
            config=options["config"].config,
            parse_env_config=options["config"].parse_env,
            **{name: json.load(options[name]) for name in ("catalog", "state") if options[name]},
        )
        if test == CliTestOptionValue.Schema.value:
            tap.write_schemas()
        else:
            tap.run_connection_test()

    @classmethod
    def _authorize(cls, given: ConfigInput, login_options: login.LoginOptions) -> None:
        """Get credentials with the browser."""

        def check(config: dict[str, Any]) -> Settings:
            if problems := configuration.problems(config, cls._whole_schema()):
                raise errors.SettingsError(problems)
            return Settings.parse(config, f"{cls.name}/{cls.get_plugin_version()}")

        login.authorize(cls._merged(given), check, login_options, cls.logger)
