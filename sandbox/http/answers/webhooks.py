"""Webhook subscriptions: listed, created and deleted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, cast
from urllib.parse import urlsplit

from sandbox.http.access import (
    WEBHOOKS,
    require_group,
    require_people,
    require_plan,
    require_whole_organization,
)
from sandbox.http.answers.query import Change, Endpoint, ordered, resource
from sandbox.http.errors import already_exists, invalid_argument
from sandbox.http.parameters import Parameters
from sandbox.organization.announcements import LOOPBACK
from sandbox.organization.webhooks import EVENTS, SCOPES

if TYPE_CHECKING:
    from sandbox.http.answers.query import Query
    from sandbox.organization.state import Record


Scope: TypeAlias = Literal["organization", "user", "group"]


class Whose(NamedTuple):
    """Whose events: the URI of the user or the group where the scope is theirs."""

    scope: str
    user: str | None
    group: str | None


def webhook_subscriptions(query: Query) -> Record:
    """Return the webhook subscriptions of the organization, of a user or of a group."""
    order = query.parameters.sort("created_at")
    wanted = _whose(query, query.parameters)
    rows = (
        one
        for one in query.calendly.webhooks.values()
        if one["scope"] == wanted.scope
        and (wanted.scope != "user" or one["user"] == wanted.user)
        and (wanted.scope != "group" or one["group"] == wanted.group)
    )
    return query.page(ordered(rows, order))


def webhook_subscription(query: Query) -> Record:
    """Return a webhook subscription."""
    return resource(_permitted(query))


def create(query: Query) -> Record:
    """Create a webhook subscription; Calendly refuses a URL that has one."""
    body = _object(query.body)
    texts = [(name, value) for name, value in body.items() if isinstance(value, str)]
    asked = Parameters(texts)
    url, key = asked.sent.get("url", ""), asked.sent.get("signing_key")
    if not _is_acceptable(url):
        name, message = "url", "must be a URL that starts with https://"
        raise invalid_argument(name, message)
    scope = cast("Scope", asked.required_choice("scope", SCOPES))
    events = body.get("events")
    known = EVENTS[scope]
    if not isinstance(events, list) or not events or any(one not in known for one in events):
        name, message = "events", f"must be some of {', '.join(known)}"
        raise invalid_argument(name, message)
    whose = _whose(query, asked)
    calendly = query.calendly
    if calendly.webhooks_need_standard:
        require_plan(calendly.organization["plan"], WEBHOOKS)
    if any(one["callback_url"] == url for one in calendly.webhooks.values()):
        raise already_exists()
    uri = calendly.subscribe(
        callback_url=url,
        events=events,
        scope=scope,
        of=whose.user if scope == "user" else whose.group,
        creator=query.caller.user,
        signing_key=key,
    )
    return resource(calendly.webhooks[uri])


def delete(query: Query) -> None:
    """Delete a webhook subscription."""
    query.calendly.unsubscribe(webhook=_permitted(query)["uri"])


def _whose(query: Query, asked: Parameters) -> Whose:
    """Return whose subscriptions are meant, or refuse (400, 403)."""
    organization = asked.required_uri("organization", "organizations")
    scope = asked.required_choice("scope", SCOPES)
    user, group = asked.uri("user", "users"), asked.uri("group", "groups")
    if scope == "user":
        user = asked.required_uri("user", "users")
        require_people(query.caller, organization, user, query.members)
    elif scope == "group" and organization == query.caller.organization:
        group = asked.required_uri("group", "groups")
        require_group(query.caller, group)
    else:
        require_whole_organization(query.caller, organization)
    return Whose(scope, user, group)


def _permitted(query: Query) -> Record:
    """Return the subscription that the path names, or refuse (403, 404)."""
    record = query.found(query.calendly.webhooks, "webhook_subscriptions", "webhook_uuid")
    if record["scope"] == "group":
        require_group(query.caller, record["group"])
    elif record["user"] is None or record["user"] != query.caller.user:
        require_whole_organization(query.caller)
    return record


def _object(body: bytes) -> dict[str, Any]:
    try:
        sent = json.loads(body)
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        name, message = "body", "must be a JSON object"
        raise invalid_argument(name, message)
    return sent


def _is_acceptable(url: str) -> bool:
    """Tell whether events may be posted to a URL; ``http`` is for loopback alone."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "http":
        return parts.hostname in LOOPBACK
    return parts.scheme == "https" and bool(parts.hostname)


ENDPOINTS = (
    Endpoint(
        "/webhook_subscriptions",
        "webhooks:read",
        webhook_subscriptions,
        {"POST": Change("webhooks:write", create, 201)},
    ),
    Endpoint(
        "/webhook_subscriptions/{webhook_uuid}",
        "webhooks:read",
        webhook_subscription,
        {"DELETE": Change("webhooks:write", delete, 204)},
    ),
)
