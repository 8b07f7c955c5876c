"""Any input from outside becomes a usable value or one clear line for the user, never a crash.

Each parser is given a few hundred inputs here, and many more with `--hypothesis-profile=long`.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial, partialmethod
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec
import pytest
import requests
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typing_extensions import Self

from tap_calendly import settings, state, timestamps
from tap_calendly.api import limit, pace, retry, throttle
from tap_calendly.api.client import Client, Request
from tap_calendly.auth import browser, methods
from tap_calendly.auth.oauth import OAuth
from tap_calendly.auth.personal_access_token import PersonalAccessToken
from tap_calendly.auth.token_endpoint import TokenEndpoint
from tap_calendly.auth.token_store import Tokens, TokenStore
from tap_calendly.reporting import errors, messages, redaction, remedies
from tap_calendly.reporting.errors import CalendlyError, RefusedError, Requires
from tap_calendly.singer import catalog, configuration, input_files, settings_schema
from tap_calendly.state import StreamState
from tap_calendly.streams import STREAMS
from tap_calendly.tap import TapCalendly
from tests.secrecy import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_calendly.api.authenticator import Authenticator
    from tap_calendly.singer.stream import CalendlyStream

SECRET = "8Wq-71hZ_token.that+nobody/may=see.Xk29vQ"  # noqa: S105 - made up
CONFIG = {"personal_access_token": SECRET, "organization": "AAAA"}
SCHEMA = settings_schema.SETTINGS.to_dict()
HOST = "api.calendly.com"

fuzz = hypothesis_settings(max_examples=7 * hypothesis_settings().max_examples)

TEXTS = st.text(max_size=40) | st.sampled_from(
    [SECRET, "\x00", "\ud800", "2026-03-04T09:30:00Z", "9999-12-31T23:59:59-14:00", "NaN", "[" * 20]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**30, -(10**400), 2**63, 2**64])
    | st.floats()
    | TEXTS
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
DEEP = b"[" * 20_000


def almost(document: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return documents in which some values are replaced and some fields missing."""
    fields = {name: st.just(value) | st.just(value) | JSON for name, value in document.items()}
    return st.fixed_dictionaries({}, optional=fields) | st.fixed_dictionaries(fields)


def encoded(value: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    """Return JSON, or what Python takes for it, as a server may send it."""
    return json.dumps(value).encode()


def bodies(document: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """Return bodies: a document, a truncated one, other JSON, and no JSON at all."""
    whole = document.map(encoded)
    truncated = st.tuples(whole, st.integers(0, 60)).map(lambda both: both[0][: both[1]])
    return whole | truncated | JSON.map(encoded) | st.binary(max_size=60) | st.just(DEEP)


HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Date",
            "Retry-After",
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "X-Request-Id",
        ]
    ),
    st.text(st.characters(max_codepoint=255), max_size=40)
    | st.integers(-5, 10**30).map(str)
    | st.sampled_from(["Wed, 04 Mar 2026 09:30:40 GMT", "Fri, 31 Dec 9999 23:59:59 -1400", SECRET])
    | st.builds("{}, {} Mar {} 09:{}:40 {}".format, TEXTS, *[st.integers(-9, 10**20)] * 4),
)


@dataclass
class Server:
    """Answers every request alike, and records where it would have gone."""

    response: requests.Response
    requested: list[requests.PreparedRequest] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Stand in for a session."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, as a session does."""

    def request(self, method: str, url: str, **_: object) -> requests.Response:
        """Prepare a request like the HTTP library, and answer it."""
        prepared = requests.Request(method, url).prepare()
        self.requested.append(prepared)
        self.response.request = prepared
        self.response.url = str(prepared.url)
        return self.response

    post = partialmethod(request, "POST")


def response(
    body: bytes, status: int = 200, headers: dict[str, str] | None = None
) -> requests.Response:
    """Return a response as it comes from the network."""
    received = requests.Response()
    received.status_code = status
    received._content = body  # noqa: SLF001 - it has no setter
    received.url = f"https://{HOST}/event_types?page_token=x"
    received.request = requests.Request("GET", received.url).prepare()
    received.headers.update({"Date": "Wed, 04 Mar 2026 09:30:40 GMT", **(headers or {})})
    return received


@contextmanager
def served(answer: requests.Response, tap: TapCalendly | None = None) -> Iterator[Server]:
    """Answer all requests in place of Calendly; failed ones are not retried."""
    server = Server(answer)
    if tap is not None:
        vars(tap.run).pop("client", None)  # it would keep its session
    with pytest.MonkeyPatch.context() as patch:
        for module in ("api.client", "auth.token_endpoint"):
            patch.setattr(f"tap_calendly.{module}.new_session", lambda *_: server)
        patch.setattr(retry.Retries, "pause", lambda *_: None)
        yield server


@contextmanager
def one_clear_line() -> Iterator[None]:
    """Catch an error of the tap, and check what the user would read."""
    try:
        yield
    except errors.SettingsError as error:
        for problem in error.problems:
            assert_clear(problem)
    except CalendlyError as error:
        assert_clear(str(error))


def assert_clear(text: str) -> None:
    assert text.isprintable(), text
    assert len(text) < 2000
    assert not shown(text, [SECRET]), text


@pytest.fixture(scope="module")
def tap() -> TapCalendly:
    return TapCalendly(config=dict(CONFIG))


def stream(tap: TapCalendly, name: str) -> CalendlyStream:
    return next(stream for stream in tap.calendly_streams if stream.name == name)


PAGE = {
    "collection": [{"uri": "https://api.calendly.com/event_types/A", "name": "x"}],
    "pagination": {"next_page": None, "next_page_token": None},
}
ROW = st.lists(almost({"uri": "x", "updated_at": "2026-03-04T09:30:00Z", "name": "x"}), max_size=3)
PAGES = almost(PAGE) | st.fixed_dictionaries(
    {"collection": ROW, "pagination": almost({"next_page": None, "next_page_token": "x"})}
)


@fuzz
@given(body=bodies(PAGES), headers=HEADERS)
@pytest.mark.parametrize("name", ["event_types", "outgoing_communications"])
def test_a_page_can_be_read_and_written_or_is_rejected(
    tap: TapCalendly, name: str, body: bytes, headers: dict[str, str]
) -> None:
    with served(response(body, headers=headers), tap), one_clear_line():
        page = stream(tap, name).reader.first_page(None)

        assert page.answered_at.tzinfo is timezone.utc
        for row in page.rows:
            text = msgspec.json.encode(stream(tap, name).post_process(dict(row))).decode()
            assert "\\u0000" not in text


@fuzz
@given(value=JSON)
def test_only_values_that_cannot_be_stored_are_replaced(tap: TapCalendly, value: Any) -> None:  # noqa: ANN401
    request = Request("event_types", "event_types", Requires("x"), f"https://{HOST}/")
    sent = json.loads(encoded(value))
    with served(response(encoded(value)), tap), suppress(CalendlyError):  # NaN is not JSON
        read = tap.run.client.send(request, lambda body, _: body, threading.Event())

        assert storable(read) == storable(sent)


def storable(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return str(value)  # too large for any numeric column
    if isinstance(value, str):
        return re.sub("[\x00\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [storable(inner) for inner in value]
    if isinstance(value, dict):
        return {storable(key): storable(inner) for key, inner in value.items()}
    return value


@fuzz
@given(headers=HEADERS, tries=st.integers(1, 6), status=st.sampled_from([429, 503]))
def test_any_headers_lead_to_a_reasonable_wait(
    headers: dict[str, str], tries: int, status: int
) -> None:
    refusal = response(b"", status, headers)

    wait = retry.seconds_until_retry(refusal, tries, datetime.now(timezone.utc))
    quota = limit.quota_of(refusal.headers)

    assert 1 <= wait <= limit.LONGEST_WAIT
    if quota is not None:
        paced = pace.answered(pace.sent(pace.Pace(), 5.0), quota, 5.0, 6.0)
        assert 0 <= pace.delay(paced, 6.0) <= limit.LONGEST_WAIT + 1


ERROR = {
    "title": "Permission Denied",
    "message": f"You sent Authorization: Bearer {SECRET}",
    "details": [{"parameter": SECRET, "message": "x"}],
    "required_scopes": ["event_types:read"],
    "error": "invalid_grant",
    "error_description": f"no such token: {SECRET}",
}


@fuzz
@given(
    body=bodies(almost(ERROR)),
    status=st.integers(201, 599),
    headers=HEADERS,
    authenticator=st.sampled_from([PersonalAccessToken, OAuth]),
)
def test_an_error_is_reported_in_one_clear_line(
    body: bytes, status: int, headers: dict[str, str], authenticator: type[Authenticator]
) -> None:
    redaction.remember(SECRET)
    refusal = response(body, status, headers)
    code = remedies.exchange_error(refusal)

    step = remedies.next_step(refusal, Requires("event_types:read"), authenticator.remedies)
    refused = RefusedError(messages.ANSWERED, refusal, stream="event_types", next_step=step)
    step = remedies.step_after_exchange(status, code, by_code=False, in_doubt=False)
    no_tokens = CalendlyError(messages.NO_TOKENS, refusal, error=str(code), next_step=step)
    not_calendlys = CalendlyError(messages.NOT_CALENDLYS, refusal, stream="x")

    for error in (refused, no_tokens, not_calendlys):
        assert_clear(str(error))
    assert str(status) in str(refused)


@fuzz
@given(
    config=st.dictionaries(st.sampled_from(list(SCHEMA["properties"])), JSON, max_size=4)
    | almost(
        {
            "personal_access_token": SECRET,
            "start_date": "2025-01-01",
            "scope": "user",
            "user": "AAAA",
            "api_url": "https://api.calendly.com",
            "auth_url": "http://localhost:8910",
            "user_agent": "x",
            "oauth_store": "x",
        }
    )
    | almost({"oauth_credentials": {"client_id": "x", "client_secret": SECRET}})
    | st.fixed_dictionaries(
        {
            "oauth_credentials": almost(
                {"client_id": "x", "client_secret": SECRET, "refresh_token": SECRET}
            )
        }
    )
)
def test_settings_are_usable_or_rejected_in_clear_lines(config: dict[str, Any]) -> None:
    problems = configuration.problems(config, SCHEMA)

    for problem in problems:
        assert_clear(problem)
        assert "`" in problem
    for name in configuration.unknown(config, SCHEMA) if not problems else ():
        assert_clear(name)
    if not problems and "start_date" in config:
        assert timestamps.parse(config["start_date"]).year > 1970
    if not problems:
        parsed = settings.Settings.parse(config, "x")
        shared = throttle.Throttle(parsed.requests_per_minute, throttle.SystemClock())
        authenticator = methods.authenticator(parsed, shared, TapCalendly.logger)
        Client(parsed, authenticator, shared, TapCalendly.logger)


@fuzz
@given(value=TEXTS | st.builds(json.dumps, JSON), name=st.sampled_from(list(SCHEMA["properties"])))
def test_environment_variables_are_accepted_or_rejected_in_clear_lines(
    value: str, name: str
) -> None:
    environ = {f"TAP_CALENDLY_{name.upper()}": value}

    for problem in configuration.problems_in_environment(environ, "TAP_CALENDLY_", SCHEMA):
        assert_clear(problem)


@fuzz
@given(
    value=TEXTS
    | st.datetimes(timezones=st.timezones()).map(str)
    | st.dates().map(str)
    | st.from_regex(r"[0-9T:.+Z-]{1,30}", fullmatch=True)
    | st.from_regex(r"[12][0-9]{3}-?(W?[0-9]{1,3}-?){1,2}(T[0-9:]{1,8})?", fullmatch=True)
)
def test_a_parsed_timestamp_is_in_utc(value: str) -> None:
    with suppress(ValueError):
        assert timestamps.parse(value).utcoffset() == timedelta(0)


@fuzz
@given(value=TEXTS)
def test_any_name_of_a_resource_becomes_its_uri(value: str) -> None:
    uri = settings.resource_uri("users", value)

    assert uri.startswith("https://api.calendly.com/users/")
    assert uri.count("/") == 4


TIMESTAMP = "2026-03-04T09:00:00Z"
SWEEP = {
    "streams": ["scheduled_events"],
    "began": TIMESTAMP,
    "full": True,
    "window_start": TIMESTAMP,
    "start_date": None,
    "earliest": None,
    "remaining": [[None, TIMESTAMP], [TIMESTAMP, None]],
}
ENTRY = {
    "replication_key": "updated_at",
    "replication_key_value": TIMESTAMP,
    "full_scan": TIMESTAMP,
    "window_start": None,
    "start_date": None,
    "earliest": TIMESTAMP,
    "scope": "organization AAAA",
    "layout": 1,
}
ENTRIES = (
    almost({**ENTRY, "sweep": SWEEP})
    | almost(SWEEP).map(lambda sweep: {**ENTRY, "sweep": sweep})
    | st.lists(JSON, max_size=3).map(
        lambda remaining: {**ENTRY, "sweep": {**SWEEP, "remaining": remaining}}
    )
)


@fuzz
@given(entry=ENTRIES)
@example(entry={**ENTRY, "sweep": {"half a character: \ud800": None}})
def test_a_state_is_read_or_rejected(entry: dict[str, Any]) -> None:
    entry = json.loads(json.dumps(entry))

    read = StreamState("scheduled_events", entry, "organization AAAA", "updated_at")
    rewritten = StreamState("scheduled_events", {}, "organization AAAA", "updated_at")

    with one_clear_line():
        read.bookmark(None)
    with one_clear_line():
        captured = read.captured()
        if captured is not None:
            rewritten.write(captured)
            assert rewritten.captured() == captured
    with one_clear_line():
        interrupted = read.interrupted()
        if interrupted is not None:
            rewritten.write_interrupted(*interrupted)
            assert rewritten.interrupted() == interrupted


FILES = {
    "--config": almost(CONFIG),
    "--state": almost({"bookmarks": {"event_types": ENTRY}})
    | ENTRIES.map(lambda entry: {"bookmarks": {"event_types": entry}}),
    "--catalog": almost({"streams": [{"tap_stream_id": "event_types", "schema": {}}]}),
}


STREAMS_BY_NAME = {stream.name: stream for stream in STREAMS}
CHECKS: dict[str, input_files.Problems] = {
    "--config": configuration.problems_with_file,
    "--state": partial(state.problems, streams=STREAMS_BY_NAME),
    "--catalog": partial(catalog.problems, streams=STREAMS_BY_NAME),
}


@fuzz
@given(data=st.data(), option=st.sampled_from(list(FILES)))
def test_a_file_is_read_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, option: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzzed.json"
    file.write_bytes(data.draw(bodies(FILES[option])))

    with one_clear_line():
        assert isinstance(json.loads(input_files.read(str(file), option, CHECKS[option])), dict)


TOKENS = {
    "access_token": SECRET,
    "refresh_token": SECRET,
    "renew_at": 1.0,
    "expires_in": 7200,
    "user": "x",
    "owner": "x",
    "organization": "x",
}


@fuzz
@given(body=bodies(almost(TOKENS)))
def test_stored_tokens_are_usable_or_ignored(
    tmp_path_factory: pytest.TempPathFactory, body: bytes
) -> None:
    store = TokenStore(tmp_path_factory.getbasetemp(), "fuzzed-tokens")
    store.path.write_bytes(body)

    tokens = store.read()

    if tokens is not None:
        assert_usable(tokens)
        assert not shown(repr(tokens), [SECRET])


@fuzz
@given(body=bodies(almost(TOKENS)), headers=HEADERS)
def test_new_tokens_are_usable_and_storable_or_rejected(
    tmp_path_factory: pytest.TempPathFactory,
    tap: TapCalendly,
    body: bytes,
    headers: dict[str, str],
) -> None:
    shared = throttle.Throttle(None, throttle.SystemClock())
    app = settings.OAuthCredentials("x", SECRET, SECRET)
    endpoint = TokenEndpoint(app, tap.run.settings, shared, tap.logger)
    form = {"refresh_token": SECRET}
    with served(response(body, headers=headers)), one_clear_line():
        tokens = endpoint.tokens(form, threading.Event())

        assert_usable(tokens)
        store = TokenStore(tmp_path_factory.getbasetemp(), "fuzzed-response")
        store.path.write_bytes(tokens.encode())
        assert store.read() == tokens


def assert_usable(tokens: Tokens) -> None:
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    requests.Request("GET", "https://localhost", headers).prepare()
    assert tokens.renew_at < 1e10 or tokens.renew_at >= 1e10  # not NaN
    for uri in (tokens.user, tokens.organization):
        assert uri is None or uri.rsplit("/", 1)


@fuzz
@given(
    address=TEXTS
    | st.builds(
        "{}?{}={}&{}={}&state={}".format,
        st.sampled_from(["http://localhost:8910/", "/", "//[", "https://x", ""]),
        st.sampled_from(["code", "error"]),
        TEXTS,
        *[st.sampled_from(["code", "error", "state", "x"])],
        TEXTS,
        st.sampled_from(["expected", "other", "\ud800", "%ff"]),
    )
)
def test_a_browser_address_yields_a_code_only_with_the_expected_state(address: str) -> None:
    with one_clear_line():
        code = browser.code_in(address, "expected")

        assert code is None or ("code=" in address and "expected" in address)


ADDRESSES = st.lists(
    st.sampled_from(
        [
            *["https://", "http://", "HTTPS://", "//", "/", "\\", "@", ":", "?", "#", ";", "."],
            *[HOST, HOST.upper(), "evil.example", "localhost", "[", "]", "%2f", "%40", "%5c"],
            *[":443", ":80", "user:pw", " ", "\t", "\n", "\x00", "\u3002", "\uff0f", "\u2100", "x"],
        ]
    ),
    max_size=8,
).map("".join)


@fuzz
@given(address=ADDRESSES | ADDRESSES.map(f"https://{HOST}".__add__) | TEXTS)
def test_pages_are_requested_only_from_the_configured_host(tap: TapCalendly, address: str) -> None:
    with served(response(encoded(PAGE)), tap) as server, one_clear_line():
        stream(tap, "event_types").reader.page(address, None)

    for request in server.requested:
        parts = urlsplit(str(request.url))
        assert (parts.scheme, parts.hostname, parts.port) in {
            ("https", HOST, None),
            ("https", HOST, 443),
        }
        assert "Authorization" not in request.headers  # not even from the address


SURROUNDING = st.text(st.sampled_from(" \n'") | st.characters(min_codepoint=128), max_size=30)
"""Text that cannot be mistaken for a part of the secret."""


@fuzz
@given(
    before=SURROUNDING,
    after=SURROUNDING,
    start=st.integers(0, 30),
    form=st.sampled_from(["{}", "Basic {}", "Bearer {}", "x={}&y", '"{}"', "cancellations/{}"]),
    encode=st.sampled_from(["plain", "url", "base64", "with a name"]),
)
def test_secrets_are_redacted_in_every_encoding_and_wherever_they_are_cut(
    before: str, after: str, start: int, form: str, encode: str
) -> None:
    redaction.remember(SECRET)
    secret = {
        "plain": SECRET,
        "url": quote(SECRET, safe=""),
        "base64": base64.b64encode(SECRET.encode()).decode(),
        "with a name": base64.b64encode(f"app:{SECRET}".encode()).decode(),
    }[encode]

    text = redaction.clean(before + form.format(secret[start:]) + after)

    assert text.startswith(before)
    assert form.startswith("cancel") or text.endswith(after)
    assert not shown(text, [SECRET])


@fuzz
@given(text=st.text())
def test_a_text_without_secrets_is_left_unchanged(text: str) -> None:
    redaction.remember(SECRET)

    assert redaction.clean(text) == text
