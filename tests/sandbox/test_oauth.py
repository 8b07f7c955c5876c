"""The sandbox's OAuth is Calendly's: single use, two hours, and refusals in RFC 6749's words."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from sandbox.http.faults import Fault
from sandbox.http.oauth import App
from tests.sandbox.asking import ask

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock

VERIFIER = "a-verifier-that-is-long-enough-to-be-one-by-the-rules"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)


@pytest.fixture
def app(sandbox: Sandbox) -> App:
    return sandbox.oauth.register()


def exchange(sandbox: Sandbox, app: App, **form: str) -> requests.Response:
    """Ask for tokens as a web app does, or as a native one if the app has no secret."""
    basic = None if app.client_secret is None else (app.client_id, app.client_secret)
    if basic is None:
        form["client_id"] = app.client_id
    return requests.post(f"{sandbox.url}/oauth/token", form, auth=basic, timeout=10)


def refreshed(sandbox: Sandbox, app: App, token: str) -> requests.Response:
    return exchange(sandbox, app, grant_type="refresh_token", refresh_token=token)


def consent(sandbox: Sandbox, app: App, **other: str) -> dict[str, str]:
    """The parameters with which the browser is sent back."""
    asked = {
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "response_type": "code",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "xyz",
        **other,
    }
    answer = requests.get(
        f"{sandbox.url}/oauth/authorize", asked, allow_redirects=False, timeout=10
    )
    assert answer.status_code == 302, answer.text
    address = urlsplit(answer.headers["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == app.redirect_uri
    return dict(parse_qsl(address.query))


def by_code(sandbox: Sandbox, app: App, code: str, **other: str) -> requests.Response:
    form = {"code": code, "redirect_uri": app.redirect_uri, "code_verifier": VERIFIER, **other}
    return exchange(sandbox, app, grant_type="authorization_code", **form)


def refusal(answer: requests.Response) -> tuple[int, str]:
    assert set(answer.json()) == {"error", "error_description"}
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize("native", [False, True])
def test_a_refresh_token_gets_an_access_token_and_another_refresh_token(
    sandbox: Sandbox, *, native: bool
) -> None:
    app = sandbox.oauth.register(native=native)
    first = sandbox.oauth.grant(app)

    answer: dict[str, Any] = refreshed(sandbox, app, first).json()

    assert answer["expires_in"] == 7200
    assert answer["owner"] == sandbox.calendly.owner
    assert answer["organization"] == sandbox.calendly.organization["uri"]
    assert answer["refresh_token"] != first
    me = ask(sandbox, "/users/me", token=answer["access_token"])
    assert me.json()["resource"]["uri"] == sandbox.calendly.owner


def test_a_refresh_token_works_once_and_reuse_ends_the_grant(sandbox: Sandbox, app: App) -> None:
    first = sandbox.oauth.grant(app)
    answer = refreshed(sandbox, app, first).json()

    assert refusal(refreshed(sandbox, app, first)) == (400, "invalid_grant")
    assert refusal(refreshed(sandbox, app, answer["refresh_token"])) == (400, "invalid_grant")
    assert ask(sandbox, "/users/me", token=answer["access_token"]).status_code == 401


def test_a_refresh_invalidates_the_previous_access_token(sandbox: Sandbox, app: App) -> None:
    before = refreshed(sandbox, app, sandbox.oauth.grant(app)).json()
    after = refreshed(sandbox, app, before["refresh_token"]).json()

    assert ask(sandbox, "/users/me", token=before["access_token"]).status_code == 401
    assert ask(sandbox, "/users/me", token=after["access_token"]).status_code == 200


def test_an_access_token_is_valid_for_two_hours(
    sandbox: Sandbox, clock: SimulatedClock, app: App
) -> None:
    token = refreshed(sandbox, app, sandbox.oauth.grant(app)).json()["access_token"]

    clock.advance(timedelta(seconds=7199))
    assert ask(sandbox, "/users/me", token=token).status_code == 200
    clock.advance(timedelta(seconds=1))
    assert ask(sandbox, "/users/me", token=token).status_code == 401


def test_an_access_token_can_read_what_its_scopes_name(sandbox: Sandbox, app: App) -> None:
    first = sandbox.oauth.grant(app, scopes={"event_types:read"})
    token = refreshed(sandbox, app, first).json()["access_token"]

    assert ask(sandbox, "/users/me", token=token).status_code == 403


def test_access_tokens_can_be_revoked_alone(sandbox: Sandbox, app: App) -> None:
    tokens = refreshed(sandbox, app, sandbox.oauth.grant(app)).json()
    sandbox.oauth.revoke_access_tokens()

    assert ask(sandbox, "/users/me", token=tokens["access_token"]).status_code == 401
    assert refreshed(sandbox, app, tokens["refresh_token"]).status_code == 200


def test_a_grant_can_be_revoked(sandbox: Sandbox, app: App) -> None:
    token = sandbox.oauth.grant(app)
    sandbox.oauth.revoke_grants()

    assert refusal(refreshed(sandbox, app, token)) == (400, "invalid_grant")


def test_a_code_works_once(sandbox: Sandbox, app: App) -> None:
    sent = consent(sandbox, app)
    assert sent["state"] == "xyz"

    answer = by_code(sandbox, app, sent["code"])
    assert ask(sandbox, "/users/me", token=answer.json()["access_token"]).status_code == 200
    assert refusal(by_code(sandbox, app, sent["code"])) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "other", [{"code_verifier": "another"}, {"redirect_uri": "http://localhost:1/"}]
)
def test_a_code_needs_the_same_verifier_and_redirect_uri(
    sandbox: Sandbox, app: App, other: dict[str, str]
) -> None:
    code = consent(sandbox, app)["code"]

    assert refusal(by_code(sandbox, app, code, **other)) == (400, "invalid_grant")


def test_a_code_is_valid_for_ten_minutes(sandbox: Sandbox, clock: SimulatedClock, app: App) -> None:
    code = consent(sandbox, app)["code"]
    clock.advance(timedelta(minutes=10))

    assert refusal(by_code(sandbox, app, code)) == (400, "invalid_grant")


def test_a_user_can_refuse_consent(sandbox: Sandbox, app: App) -> None:
    sandbox.oauth.consents = False

    sent = consent(sandbox, app)

    assert (sent["error"], sent["state"]) == ("access_denied", "xyz")


@pytest.mark.parametrize("other", [{"code_challenge_method": "plain"}, {"code_challenge": ""}])
def test_a_challenge_by_s256_is_required(sandbox: Sandbox, app: App, other: dict[str, str]) -> None:
    assert consent(sandbox, app, **other)["error"] == "invalid_request"


def test_an_unregistered_redirect_uri_is_refused(sandbox: Sandbox, app: App) -> None:
    asked = {"client_id": app.client_id, "redirect_uri": "http://evil.example"}
    answer = requests.get(
        f"{sandbox.url}/oauth/authorize", asked, allow_redirects=False, timeout=10
    )

    assert refusal(answer) == (401, "invalid_client")


def test_an_app_must_authenticate(sandbox: Sandbox, app: App) -> None:
    token = sandbox.oauth.grant(app)
    unproven = App(app.client_id, app.redirect_uri, None)
    mistaken = App(app.client_id, app.redirect_uri, "guessed")
    another = sandbox.oauth.register()

    assert refusal(refreshed(sandbox, unproven, token)) == (401, "invalid_client")
    assert refusal(refreshed(sandbox, mistaken, token)) == (401, "invalid_client")
    assert refusal(refreshed(sandbox, another, token)) == (400, "invalid_grant")
    assert refreshed(sandbox, app, token).status_code == 200


def test_the_body_must_be_a_form(sandbox: Sandbox, app: App) -> None:
    answer = requests.post(
        f"{sandbox.url}/oauth/token", json={"client_id": app.client_id}, timeout=10
    )

    assert refusal(answer) == (400, "invalid_request")


def test_other_grants_are_refused(sandbox: Sandbox, app: App) -> None:
    answer = exchange(sandbox, app, grant_type="password")

    assert refusal(answer) == (400, "unsupported_grant_type")


def test_tokens_can_be_requested_eight_times_a_minute(
    sandbox: Sandbox, clock: SimulatedClock, app: App
) -> None:
    token = sandbox.oauth.grant(app)
    for _ in range(8):
        token = refreshed(sandbox, app, token).json()["refresh_token"]

    refused = refreshed(sandbox, app, token)
    assert refused.status_code == 429
    clock.advance(timedelta(seconds=int(refused.headers["X-RateLimit-Reset"])))
    assert refreshed(sandbox, app, token).status_code == 200


def test_a_fault_hits_before_a_token_is_used_or_after(sandbox: Sandbox, app: App) -> None:
    token = sandbox.oauth.grant(app)
    sandbox.faults.add(Fault("/oauth/token", status=503))
    sandbox.faults.add(Fault("/oauth/token", truncate=5))

    assert refreshed(sandbox, app, token).status_code == 503
    with pytest.raises(requests.RequestException):
        refreshed(sandbox, app, token)
    assert refusal(refreshed(sandbox, app, token)) == (400, "invalid_grant")


def test_secrets_are_not_recorded(sandbox: Sandbox, app: App) -> None:
    token = sandbox.oauth.grant(app)
    refreshed(sandbox, app, token)

    assert str(app.client_secret) not in repr(app)
    for secret in (token, str(app.client_secret)):
        assert secret not in repr(sandbox.requests)
