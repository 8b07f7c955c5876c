"""Whatever comes in from outside becomes a value or one line for the user, never a crash.

A few hundred inputs for each parser here; many more with `--hypothesis-profile=long`.
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
from functools import partial
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
from tap_calendly.api import retry, throttle
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
    """Give a document in which some values are others, and some names are missing."""
    fields = {name: st.just(value) | st.just(value) | JSON for name, value in document.items()}
    return st.fixed_dictionaries({}, optional=fields) | st.fixed_dictionaries(fields)


def written(value: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    """Write JSON, and what Python takes for it, as a server may send it."""
    return json.dumps(value).encode()


def bodies(document: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """Give bodies: a document, one that is cut, other JSON, and no JSON at all."""
    whole = document.map(written)
    cut = st.tuples(whole, st.integers(0, 60)).map(lambda both: both[0][: both[1]])
    return whole | cut | JSON.map(written) | st.binary(max_size=60) | st.just(DEEP)


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
    """Answers every request alike, and notes where it would have gone."""

    response: requests.Response
    asked: list[requests.PreparedRequest] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Stand for a session."""
        return self

    def __exit__(self, *_: object) -> None:
        """End as one does."""

    def get(self, url: str, **_: object) -> requests.Response:
        """Prepare a request as the HTTP library does."""
        prepared = requests.Request("GET", url).prepare()
        self.asked.append(prepared)
        self.response.request = prepared
        self.response.url = str(prepared.url)
        return self.response

    post = get


def answer(
    body: bytes, status: int = 200, headers: dict[str, str] | None = None
) -> requests.Response:
    """Give an answer as it comes from the network."""
    response = requests.Response()
    response.status_code = status
    response._content = body  # noqa: SLF001 - there is no other way
    response.url = f"https://{HOST}/event_types?page_token=x"
    response.headers.update({"Date": "Wed, 04 Mar 2026 09:30:40 GMT", **(headers or {})})
    return response


@contextmanager
def served(response: requests.Response, tap: TapCalendly | None = None) -> Iterator[Server]:
    """Answer all requests in place of Calendly; what fails is not tried again."""
    server = Server(response)
    if tap is not None:
        vars(tap.run).pop("client", None)  # it keeps its connections
    with pytest.MonkeyPatch.context() as patch:
        for module in ("api.client", "auth.token_endpoint"):
            patch.setattr(f"tap_calendly.{module}.new_session", lambda *_: server)
        patch.setattr(retry.Retries, "pause", lambda *_: None)
        yield server


@contextmanager
def one_clear_line() -> Iterator[None]:
    """Take an error of the tap's own, and look at what the user would read."""
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
def test_a_page_is_read_and_can_be_written_or_is_refused(
    tap: TapCalendly, name: str, body: bytes, headers: dict[str, str]
) -> None:
    with served(answer(body, headers=headers), tap), one_clear_line():
        page = stream(tap, name).reader.first_page(None)

        assert page.answered_at.tzinfo is timezone.utc
        for row in page.rows:
            text = msgspec.json.encode(stream(tap, name).post_process(dict(row))).decode()
            assert "\\u0000" not in text


@fuzz
@given(value=JSON)
def test_texts_lose_what_cannot_be_stored_and_nothing_else(tap: TapCalendly, value: Any) -> None:  # noqa: ANN401
    request = Request("event_types", "event_types", Requires("x"), f"https://{HOST}/")
    sent = json.loads(written(value))
    with served(answer(written(value)), tap), suppress(CalendlyError):  # NaN is no JSON
        read = tap.run.client.get(request, lambda body, _: body, threading.Event())

        assert storable(read) == storable(sent)


def storable(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return str(value)  # which no column of numbers holds
    if isinstance(value, str):
        return re.sub("[\x00\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [storable(inner) for inner in value]
    if isinstance(value, dict):
        return {storable(key): storable(inner) for key, inner in value.items()}
    return value


@fuzz
@given(headers=HEADERS, tries=st.integers(1, 6), status=st.sampled_from([429, 503]))
def test_headers_ask_for_a_wait_within_reason(
    headers: dict[str, str], tries: int, status: int
) -> None:
    response = answer(b"", status, headers)

    wait = retry.seconds_until_retry(response, tries, datetime.now(timezone.utc))
    quota = throttle.quota_of(response.headers)

    assert 1 <= wait <= throttle.LONGEST_WAIT
    if quota is not None:
        pace = throttle.answered(throttle.sent(throttle.Pace(), 5.0), quota, 5.0, 6.0)
        assert 0 <= throttle.delay(pace, 6.0) <= throttle.LONGEST_WAIT + 1


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
def test_an_error_is_told_in_one_clear_line(
    body: bytes, status: int, headers: dict[str, str], authenticator: type[Authenticator]
) -> None:
    redaction.remember(SECRET)
    response = answer(body, status, headers)
    code = remedies.exchange_error(response)

    step = remedies.next_step(response, Requires("event_types:read"), authenticator.remedies)
    refused = RefusedError(messages.ANSWERED, response, stream="event_types", next_step=step)
    step = remedies.step_after_exchange(status, code, by_code=False, in_doubt=False)
    no_tokens = CalendlyError(messages.NO_TOKENS, response, error=str(code), next_step=step)
    strange = CalendlyError(messages.NOT_CALENDLYS, response, stream="x")

    for error in (refused, no_tokens, strange):
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
def test_settings_can_be_used_or_are_refused_in_clear_lines(config: dict[str, Any]) -> None:
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
        pace = throttle.Throttle(parsed.requests_per_minute, throttle.SystemClock())
        authenticator = methods.authenticator(parsed, pace, TapCalendly.logger)
        Client(parsed, authenticator, pace, TapCalendly.logger)


@fuzz
@given(value=TEXTS | st.builds(json.dumps, JSON), name=st.sampled_from(list(SCHEMA["properties"])))
def test_the_environment_can_be_used_or_is_refused_in_clear_lines(value: str, name: str) -> None:
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
def test_a_moment_is_in_utc_or_none(value: str) -> None:
    with suppress(ValueError):
        assert timestamps.parse(value).utcoffset() == timedelta(0)


@fuzz
@given(value=TEXTS)
def test_what_names_a_resource_is_a_uri_of_it(value: str) -> None:
    uri = settings.resource_uri("users", value)

    assert uri.startswith("https://api.calendly.com/users/")
    assert uri.count("/") == 4


MOMENT = "2026-03-04T09:00:00Z"
SWEEP = {
    "streams": ["scheduled_events"],
    "began": MOMENT,
    "full": True,
    "window_start": MOMENT,
    "start_date": None,
    "earliest": None,
    "remaining": [[None, MOMENT], [MOMENT, None]],
}
ENTRY = {
    "replication_key": "updated_at",
    "replication_key_value": MOMENT,
    "full_scan": MOMENT,
    "window_start": None,
    "start_date": None,
    "earliest": MOMENT,
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
def test_a_state_is_read_or_refused(entry: dict[str, Any]) -> None:
    entry = json.loads(json.dumps(entry))

    found = StreamState("scheduled_events", entry, "organization AAAA", "updated_at")
    again = StreamState("scheduled_events", {}, "organization AAAA", "updated_at")

    with one_clear_line():
        found.bookmark(None)
    with one_clear_line():
        captured = found.captured()
        if captured is not None:
            again.write(captured)
            assert again.captured() == captured
    with one_clear_line():
        interrupted = found.interrupted()
        if interrupted is not None:
            again.write_interrupted(*interrupted)
            assert again.interrupted() == interrupted


FILES = {
    "--config": almost(CONFIG),
    "--state": almost({"bookmarks": {"event_types": ENTRY}})
    | ENTRIES.map(lambda entry: {"bookmarks": {"event_types": entry}}),
    "--catalog": almost({"streams": [{"tap_stream_id": "event_types", "schema": {}}]}),
}


NAMED = {stream.name: stream for stream in STREAMS}
CHECKS: dict[str, input_files.Problems] = {
    "--config": configuration.problems_with_file,
    "--state": partial(state.problems, streams=NAMED),
    "--catalog": partial(catalog.problems, streams=NAMED),
}


@fuzz
@given(data=st.data(), option=st.sampled_from(list(FILES)))
def test_a_file_is_read_or_refused(
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
def test_kept_tokens_can_be_used_or_count_as_none(
    tmp_path_factory: pytest.TempPathFactory, body: bytes
) -> None:
    kept = TokenStore(tmp_path_factory.getbasetemp(), "fuzzed-tokens")
    kept.path.write_bytes(body)

    found = kept.read()

    if found is not None:
        assert_usable(found)
        assert not shown(repr(found), [SECRET])


@fuzz
@given(body=bodies(almost(TOKENS)), headers=HEADERS)
def test_new_tokens_can_be_used_and_kept_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory,
    tap: TapCalendly,
    body: bytes,
    headers: dict[str, str],
) -> None:
    pace = throttle.Throttle(None, throttle.SystemClock())
    app = settings.OAuthCredentials("x", SECRET, SECRET)
    endpoint = TokenEndpoint(app, tap.run.settings, pace, tap.logger)
    form = {"refresh_token": SECRET}
    with served(answer(body, headers=headers)), one_clear_line():
        found = endpoint.tokens(form, threading.Event())

        assert_usable(found)
        kept = TokenStore(tmp_path_factory.getbasetemp(), "fuzzed-answer")
        kept.path.write_bytes(found.encode())
        assert kept.read() == found


def assert_usable(tokens: Tokens) -> None:
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    requests.Request("GET", "https://localhost", headers).prepare()
    assert tokens.renew_at < 1e10 or tokens.renew_at >= 1e10  # a number
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
def test_an_address_from_the_browser_holds_a_code_or_not(address: str) -> None:
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
def test_a_page_is_asked_for_at_the_host_of_the_settings_alone(
    tap: TapCalendly, address: str
) -> None:
    with served(answer(written(PAGE)), tap) as server, one_clear_line():
        stream(tap, "event_types").reader.page(address, None)

    for request in server.asked:
        parts = urlsplit(str(request.url))
        assert (parts.scheme, parts.hostname, parts.port) in {
            ("https", HOST, None),
            ("https", HOST, 443),
        }
        assert "Authorization" not in request.headers  # what the address brought


AROUND = st.text(st.sampled_from(" \n'") | st.characters(min_codepoint=128), max_size=30)
"""What cannot be taken for a part of the secret."""


@fuzz
@given(
    before=AROUND,
    after=AROUND,
    start=st.integers(0, 30),
    form=st.sampled_from(["{}", "Basic {}", "Bearer {}", "x={}&y", '"{}"', "cancellations/{}"]),
    encode=st.sampled_from(["as it is", "url", "base64", "with a name"]),
)
def test_secrets_are_taken_out_in_every_form_and_from_wherever_they_are_cut(
    before: str, after: str, start: int, form: str, encode: str
) -> None:
    redaction.remember(SECRET)
    secret = {
        "as it is": SECRET,
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
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    redaction.remember(SECRET)

    assert redaction.clean(text) == text
