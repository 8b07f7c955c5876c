"""Who may read what: by token and scopes, role in the organization, and plan."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from sandbox.http.errors import (
    CalendlyError,
    insufficient_scope,
    invalid_argument,
    permission_denied,
)
from sandbox.organization.identifiers import last_segment
from sandbox.organization.timestamps import from_timestamp

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sandbox.organization.calendly import Calendly
    from sandbox.organization.state import Record


class Gate(NamedTuple):
    """A feature's plans, and Calendly's message to the others."""

    plans: tuple[str, ...]
    refusal: str


TEAMS = Gate(("teams", "enterprise"), "Please upgrade your Calendly account to Teams.")
ENTERPRISE = Gate(("enterprise",), "Please upgrade your Calendly account to Enterprise.")
WEBHOOKS = Gate(
    ("standard", "professional", "teams", "enterprise"),
    "Please upgrade your Calendly account to Standard",
)
PAID_PLANS = ("essentials", "standard", "professional", "teams", "enterprise")
RECAPS = Gate(PAID_PLANS, "Meeting recap access is not available.")

ALSO_ORGANIZATION = (
    "Please also specify organization when requesting events for a user/group within your"
    " organization."
)
NOT_IN_ORGANIZATION = "This user is not in your organization"
NOT_ALLOWED_EVENT = "You are not allowed to view this event"

FOR_EVER = datetime.max.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Caller:
    """The sender of a request.

    Attributes:
        user: Their URI.
        organization: The URI of the organization the token belongs to.
        role: ``owner``, ``admin`` or ``user``; ``None`` once they have left the organization.
        scopes: The token's scopes; ``None`` for a legacy token with full access.
        groups: The URIs of the groups they administer.
    """

    user: str
    organization: str
    role: str | None
    scopes: frozenset[str] | None = None
    groups: frozenset[str] = frozenset()

    @property
    def administers(self) -> bool:
        """Whether they may read the whole organization."""
        return self.role in ("owner", "admin")


class Access:
    """The tokens that were issued."""

    def __init__(self, calendly: Calendly) -> None:
        """Start without tokens; members and roles are ``calendly``'s."""
        self._calendly = calendly
        self._issued = 0
        self._tokens: dict[str, tuple[str, frozenset[str] | None, datetime]] = {}

    def issue(self, user: str, scopes: Collection[str] | None = None) -> str:
        """Create a personal access token.

        The n-th token of a user of the same company is always the same, so that yesterday's
        settings for the demo work today.

        Args:
            user: The user's URI.
            scopes: Such as ``scheduled_events:read``; ``None`` for a token from before there were
                scopes, which can read everything its user may read.

        Returns:
            The token, a JWT in form.

        Raises:
            ValueError: If there is no such user.
        """
        with self._calendly.lock:
            if user not in self._calendly.users:
                message = f"there is no user {user}"
                raise ValueError(message)
            self._issued += 1
            payload = {
                "iss": "https://auth.calendly.com",
                "iat": int(from_timestamp(self._calendly.users[user]["created_at"]).timestamp()),
                "jti": hashlib.sha256(f"{user} {self._issued}".encode()).hexdigest()[:32],
                "user_uuid": last_segment(user),
            }
            if scopes is not None:
                payload["scope"] = " ".join(sorted(scopes))
            token = _jwt(payload)
            self._tokens[token] = (user, None if scopes is None else frozenset(scopes), FOR_EVER)
            return token

    def admit(
        self, token: str, user: str, scopes: frozenset[str] | None, *, until: datetime
    ) -> None:
        """Accept a token that was created elsewhere, for a limited time."""
        self._tokens[token] = (user, scopes, until)

    def revoke(self, token: str) -> None:
        """Make a token invalid, if it is known."""
        self._tokens.pop(token, None)

    def caller(self, authorization: str | None) -> Caller | None:
        """Return the caller that an ``Authorization`` header names, or ``None`` if it is invalid.

        Tokens of deleted users and expired ones are invalid.
        """
        kind, _, token = (authorization or "").partition(" ")
        user, scopes, until = self._tokens.get(token.strip(), ("", None, FOR_EVER))
        if kind.lower() != "bearer" or user not in self._calendly.users:
            return None
        if until <= self._calendly.clock.now():
            return None
        organization = self._calendly.organization["uri"]
        role = role_of(user, self._calendly.memberships)
        groups = self._calendly.administered_groups(user)
        return Caller(user, organization, role, scopes, groups)


def role_of(user: str, memberships: Mapping[str, Record]) -> str | None:
    """Return the user's role in the organization, or ``None`` for a non-member."""
    for membership in memberships.values():
        if membership["user"]["uri"] == user:
            role: str = membership["role"]
            return role
    return None


def require_scope(caller: Caller, scope: str) -> None:
    """Refuse (403) a token without ``scope``; a scope to write includes reading."""
    if caller.scopes is None or scope in caller.scopes:
        return
    if scope.replace(":read", ":write") not in caller.scopes:
        raise insufficient_scope([scope])


def require_plan(plan: str, gate: Gate) -> None:
    """Refuse (403) a plan that does not include the feature."""
    if plan not in gate.plans:
        raise permission_denied(gate.refusal)


def require_whole_organization(caller: Caller, organization: str | None = None) -> None:
    """Refuse (403) a caller who may not read this whole organization; their own if left out."""
    if organization not in (None, caller.organization) or not caller.administers:
        raise permission_denied()


def require_member(caller: Caller, user: str, members: Collection[str]) -> None:
    """Refuse (403) to return people outside the organization, except the caller."""
    if user != caller.user and (caller.role is None or user not in members):
        raise permission_denied(NOT_IN_ORGANIZATION)


def require_people(
    caller: Caller, organization: str | None, user: str | None, members: Collection[str]
) -> None:
    """Check a list requested by organization or user (URIs in the query), such as event types.

    ``members`` are the URIs of the organization's users.

    Raises:
        CalendlyError: 400 if neither is given, 403 if the caller may not read it.
    """
    if organization is None and user is None:
        raise unaddressed()
    if organization not in (None, caller.organization):
        raise permission_denied()
    if user is not None:
        require_member(caller, user, members)
    if user != caller.user:
        require_whole_organization(caller)


def require_events(
    caller: Caller,
    *,
    organization: str | None,
    user: str | None,
    group: str | None,
    members: Collection[str],
) -> None:
    """Check a list of scheduled events, requested by organization, user or group.

    Without an organization the user must be the caller, who reads their meetings in any.

    Raises:
        CalendlyError: 400 if none is given, 403 if the caller may not read it.
    """
    if organization is None:
        if user is None and group is None:
            raise unaddressed()
        if group is not None or user != caller.user:
            raise permission_denied(ALSO_ORGANIZATION)
        return
    if organization != caller.organization or caller.role is None:
        raise permission_denied()
    if user is not None:
        require_member(caller, user, members)
    if group is not None:
        require_group(caller, group)
    elif user != caller.user:
        require_whole_organization(caller)


def require_group(caller: Caller, group: str) -> None:
    """Refuse (403) a caller who administers neither the group nor the organization."""
    if group not in caller.groups:
        require_whole_organization(caller)


def require_event(caller: Caller, event: Record) -> None:
    """Refuse (403) a meeting that the caller neither hosts nor administers."""
    hosts = {membership["user"] for membership in event["event_memberships"]}
    if caller.user not in hosts and not caller.administers:
        raise permission_denied(NOT_ALLOWED_EVENT)


def unaddressed(*, otherwise: str = "user") -> CalendlyError:
    """400: a list requested neither by organization nor by ``otherwise``."""
    return invalid_argument("organization", f"must be given unless {otherwise} is")


def _jwt(payload: Mapping[str, object]) -> str:
    """Return ``payload`` as a JWT with a made-up signature."""
    header = {"kid": "sandbox", "typ": "PAT", "alg": "ES256"}
    signed = ".".join(_part(json.dumps(one).encode()) for one in (header, payload))
    return f"{signed}.{_part(hashlib.sha512(signed.encode()).digest())}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
