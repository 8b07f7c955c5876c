"""The sentences that users read, one line each: what happened, to which stream, and what to do.

Names in braces are the facts of an error. Every error about a response knows `{status}`,
`{method}`, `{path}`, `{said}` (Calendly's own words) and `{request_id}`.
"""

from __future__ import annotations

from http import HTTPStatus

UNEXPECTED = (
    "{what} failed unexpectedly ({kind}): run again with TAP_CALENDLY_LOGLEVEL=DEBUG, and report "
    "the output."
)

# Requests to the API (api)

ANSWERED = "{stream}: Calendly answered {status} to {method} {path}{said}{request_id}: {next_step}"
LOST = (
    "{stream}: it was loaded {last_loaded}, and now Calendly answered {status} to GET {path}{said}"
    "{request_id}: {next_step}"
)
ASKING_AGAIN = "%s: Calendly answered %s; trying again once in %d s."
NO_ANSWER = "{stream}: no answer from {host} to {method} {path} ({failure}): {next_step}"
NOT_CALENDLYS = (
    "{stream}: the answer {status} to {method} {path} is not what Calendly's API sends"
    "{request_id}: check `api_url` and any proxy in between, then run again."
)
REFUSED_AT_EDGE = (
    "{stream}: the answer {status} to {method} {path} is not Calendly's{code}{request_id}: "
    "something in front of its API refuses the requests, perhaps because of `user_agent`, a proxy, "
    "or the network's address; check these and {setting}, then run again."
)
OTHER_HOST = (
    "{stream}: the next page is on {host}, not on the host of `api_url`, and the token is not sent "
    "there: correct `api_url`."
)
NO_CERTIFICATES = (
    "Environment variable `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE` points to {path}, which does "
    "not exist: point it to a file of certificates, or unset it."
)

REDIRECTED = "it redirects elsewhere, and the token is not sent there: correct `api_url`."
RUN_LATER = "run again later."
NEXT_STEPS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "this is a bug in the tap or its settings: report it with this line.",
    HTTPStatus.FORBIDDEN: (
        "the stream needs the scope {scope}, plan: {plan}, and for a whole organization the token "
        "of an owner or admin: use such a token, or deselect the stream."
    ),
    HTTPStatus.NOT_FOUND: (
        "check `organization`, `user`, `group` and `api_url`, or whether it was just deleted."
    ),
    HTTPStatus.TOO_MANY_REQUESTS: "other integrations used up this user's limit: run again later.",
}
"""What to do about a status, given what the stream requires."""

CHECK_NETWORK = "check the network, any proxy or firewall, and {setting}; then run again."
TRUST_PROXY = (
    "point the environment variable `REQUESTS_CA_BUNDLE` to your proxy's certificates, or correct "
    "{setting}."
)

FAILURES: dict[str, str] = {
    "ConnectTimeout": "no connection in time",
    "ReadTimeoutError": "no complete answer in time",
    "ConnectionRefusedError": "the connection was refused",
    "ConnectionResetError": "the connection was broken off",
    "BrokenPipeError": "the connection was broken off",
    "RemoteDisconnected": "the connection was broken off",
    "IncompleteRead": "the answer was cut short",
    "NameResolutionError": "the host name cannot be resolved",
    "ProxyError": "the proxy does not let it through",
    "SSLError": "TLS failed",
    "SSLCertVerificationError": "the certificate is not trusted",
}
"""What exceptions of requests, urllib3 and Python mean."""

OWNER_HIDDEN = (
    "current_user: the token may read neither its user (scope users:read) nor the membership "
    "(scope organizations:read): add one of these scopes, or set `organization` and, for "
    "`scope: user`, `user`."
)

# Rows and pages

ENDLESS_PAGES = "{stream}: Calendly's pages form a loop: run again later."
NEVER_STABLE = "{stream}: rows came and went while they were read: run again later."
NO_CONTEXT = (
    "{stream}: Calendly returned the row {row} without the `{field}` for which {children} are "
    "read: deselect these, and report this line."
)
NO_START_TIME = (
    "{stream}: Calendly returned the meeting {row} without a readable `start_time`: report this "
    "line."
)
UNREADABLE_KEY = "{stream}: the key `{field}` of a row cannot be read: report this line."
NESTED_TOO_DEEPLY = "{stream}: Calendly returned a row that is nested too deeply: report this line."

# The state

STATE_DAMAGED = (
    "{stream}: the state cannot be read, as its `{field}` is damaged: start without this stream's "
    "state, and everything is read again."
)
STATE_LIST_DAMAGED = (
    "the state cannot be read, as its `{field}` is damaged: remove it from the state, and the next "
    "run writes it again."
)
STATE_FROM_LATER_VERSION = (
    "{stream}: the state was written by a later version of tap-calendly: use that version, or "
    "start without this stream's state, and everything is read again."
)
STATE_FROM_FUTURE = (
    "{stream}: the state is from the future, by Calendly's clock: start without this stream's "
    "state, and everything is read again."
)

# The inbox

EXTRA_MISSING = "{what} needs more packages: install singer-tap-calendly[webhooks]."
INBOX_ABSENT = (
    "the inbox that `inbox_url` names does not exist: create it with `calendly-webhooks subscribe`."
)
INBOX_UNREADABLE = (
    "the inbox that `inbox_url` names cannot be reached ({kind}): check that its database is up, "
    "and `inbox_url`."
)
LOG_IN_USE = (
    "the deliveries were removed, but another program is reading the inbox, whose log may still "
    "hold them: run `calendly-webhooks forget` again."
)
INBOX_IN_DOUBT = "scheduled_events: this run sweeps as without an inbox, as %s."
INBOX_URL_MISSING = (
    "Setting `inbox_url` is missing: deliveries are kept there, for example in sqlite:///inbox.db."
)
SIGNING_KEY_MISSING = (
    "Setting `webhook_signing_key` is missing: deliveries are signed with it; get one with "
    "`calendly-webhooks new-key`, or from your OAuth app."
)
PATH_UNUSABLE = (
    "the receiver's path must start with / and have no braces, query, fragment or spaces."
)
LISTEN_FAILED = (
    "cannot listen on {host}, port {port} ({why}): free the port, or choose others with `--host` "
    "and `--port`."
)
DELIVERIES_REFUSED = "Refused {number} ({reason}): {remedy}"
REFUSALS: dict[str, str] = {
    "no signature": (
        "Calendly signs its deliveries, so they are from elsewhere, or a proxy drops the header "
        "`Calendly-Webhook-Signature`."
    ),
    "wrong signature": (
        "check that `webhook_signing_key` is the subscription's, and that no proxy changes bodies."
    ),
    "old signature": (
        "the signature is right, but older than `--tolerance`: check this machine's clock."
    ),
    "future signature": (
        "the signature is right, but later than `--tolerance` allows: check this machine's clock."
    ),
    "too large": "the body has more than 1 MB, which no delivery of Calendly's has.",
    "too slow": "the body did not come within 10 seconds: check the proxy and the network.",
    "unreadable": "the signature is right, but the body is no JSON object that names an event.",
}
"""What a receiver says of deliveries it refuses, by reason."""

INBOX_FAILED = "{stream}: {why}"
NO_INBOX = (
    "{stream}: Setting `inbox_url` is missing: set it to the inbox that `calendly-webhooks` fills, "
    "or deselect the stream."
)
OTHER_INBOX = (
    "%s: the inbox is not the one that was read before, or was restored from a backup: its "
    "deliveries are loaded from the first one on."
)
DELIVERIES_REMOVED = (
    "%s: of the deliveries that came until %s, some were removed from the inbox before they were "
    "loaded: unless `forget` did that, run more often, or raise `--keep-days` of `serve`."
)
INBOX_FROM_LATER_VERSION = (
    "the inbox was written by a later version of calendly-webhooks: use that version of "
    "singer-tap-calendly."
)

# Webhook subscriptions (webhooks)

WEBHOOKS_REFUSED: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "correct the option or setting that this names.",
    HTTPStatus.FORBIDDEN: (
        "it takes a token with the scope {scope}, and for a whole organization the token of an "
        "owner or admin: use such a token, or set `scope: user`."
    ),
}
"""What to do when Calendly refuses a request about webhook subscriptions."""

CALLBACK_URL_UNUSABLE = (
    "`--callback-url` must be a URL that starts with https://, as deliveries hold personal data."
)
NO_EVENTS = "`--events` names none: leave it out for all, or name some of {known}."
UNKNOWN_EVENTS = "`--events` names {unknown}: for `scope: {scope}`, Calendly knows {known}."
EVENTS_MISSING = (
    "Without %s, the inbox does not tell all that happens to meetings: the tap cannot trust it, "
    "and sweeps in every run."
)
URL_TAKEN = (
    "another subscription, {uri}, posts to this URL: delete it with `calendly-webhooks delete "
    "{uri}`, replace it with `--replace`, or choose another URL."
)
CREATION_IN_DOUBT = (
    "it is not known whether Calendly has created the subscription, as its list could not be read "
    "({why}): run `calendly-webhooks subscribe` again with `--replace`."
)
URL_TAKEN_ELSEWHERE = (
    "Calendly has a subscription for this URL that is not among those of `scope: {scope}`: delete "
    "it with the settings that it was created with, or choose another URL."
)
NOTHING_SUBSCRIBED = (
    "Nothing is subscribed any more, as {deleted} was deleted and no new subscription could be "
    "created; run `calendly-webhooks subscribe` again once this is solved: {why}"
)
NOT_NOTED = (
    "{uri} was created, but the inbox does not know it; run `calendly-webhooks subscribe "
    "--replace` once this is solved: {why}"
)
OLD_ONE_LEFT = (
    "{uri} was created, but {old} could not be deleted; delete it with `calendly-webhooks delete "
    "{old}` once this is solved: {why}"
)
INTERRUPTED = "it was interrupted."
NOT_A_SUBSCRIPTION = "{given} is neither the URI nor the ID of a subscription."

# What `calendly-webhooks status` finds (webhooks)

NEVER_SUBSCRIBED = "The inbox has no subscription: run `calendly-webhooks subscribe`."
SUBSCRIPTION_GONE = "The subscription is gone: run `calendly-webhooks subscribe`."
SUBSCRIPTION_DISABLED = (
    "The subscription is {state}, as deliveries failed for too long: see that the receiver can be "
    "reached, then run `calendly-webhooks subscribe`."
)
SUBSCRIPTION_LACKS = (
    "The subscription lacks the events {events}, so that the tap cannot trust the inbox: run "
    "`calendly-webhooks subscribe`."
)
SUBSCRIPTION_ELSEWHERE = (
    "The subscription is not for what the settings `scope`, `organization`, `user` and `group` "
    "name, so that the tap cannot trust the inbox: correct these, or run `calendly-webhooks "
    "subscribe`."
)
DELIVERIES_FAIL = (
    "deliveries have failed since {since}; after 24 hours, Calendly disables the subscription: "
    "check that the receiver can be reached at the callback URL, and what it logs."
)
NO_DELIVERY = (
    "Nothing has been delivered since the subscription was created: book a test meeting, and see "
    "that its URL leads to the receiver."
)
NO_RECEIVER = (
    "No receiver has run since {beat}: start `calendly-webhooks serve` with this `inbox_url`."
)
DELIVERIES_WERE_REFUSED = "Refused {number} in 24 hours ({reason}): {remedy}"

# Stream maps (singer)

PARENT_MAPPED_OUT = (
    "Setting `stream_maps` leaves out {stream}, for whose rows {children} are read: set "
    "`{stream}: {{}}` in it, and deselect the stream in the catalog instead."
)
MAP_FAILED = (
    "{stream}: `{part}` of `stream_maps` failed on a row ({kind}): let the expression handle "
    "nulls, such as `md5(name) if name else None`."
)
COLUMNS_COLLIDE = (
    "Setting `flattening_separator` or `flattening_max_key_length` gives two columns the same "
    "name: choose a longer one."
)

# How a run ends (tap, cli)

STREAMS_UNAVAILABLE = "The token gives no access to {streams}{ending}."
NOTHING_READ = "Nothing was read: the token gives access to none of {streams}."
TARGET_CLOSED_PIPE = "The target closed the pipe: its own log says why."
MAPS_UNUSABLE = "Setting `stream_maps` cannot be used: {why}"

# Credentials that are refused (auth)

TOKEN_REFUSED = (
    "the token is missing, mistyped, expired or revoked: create a new one in Calendly under "
    "Integrations > API & webhooks and set `personal_access_token`."
)
TOKEN_LACKS_SCOPES = "create a token with the scopes {scopes}, or deselect the stream."

AUTHORIZE_AGAIN = "get new credentials with `tap-calendly --authorize`"
RENEWED_TOKEN_REFUSED = (
    "the access token was renewed and is refused again: check `api_url`, and whether the app was "
    f"disabled in Calendly; then {AUTHORIZE_AGAIN}."
)
APP_LACKS_SCOPES = (
    f"tick the scopes {{scopes}} for the app, then {AUTHORIZE_AGAIN}; or deselect the stream."
)

# The token endpoint (auth)

NO_TOKENS = "OAuth: Calendly answered {status} to POST {path}{error}{request_id}: {next_step}"
NO_TOKENS_IN_ANSWER = (
    "OAuth: the answer {status} to POST {path} is not what Calendly sends: check `auth_url` and "
    "any proxy in between, then run again."
)

CODE_NOT_ACCEPTED = "the code was not accepted: run `tap-calendly --authorize` again."
EXCHANGE_LOST = (
    "an earlier exchange was broken off, which used up the refresh token without returning the "
    f"next one: {AUTHORIZE_AGAIN}."
)
EXCHANGE_REDIRECTED = "it redirects elsewhere, and no secret is sent there: correct `auth_url`."
CHECK_CREDENTIALS = "check `auth_url` and `oauth_credentials`."
EXCHANGE_ERRORS: dict[str, str] = {
    "invalid_grant": (
        "the refresh token of `oauth_credentials` is used up (by another machine, or by a run "
        f"whose `oauth_store` is gone), revoked or mistyped: {AUTHORIZE_AGAIN}."
    ),
    "invalid_client": (
        "`client_id` or `client_secret` of `oauth_credentials` is not the app's (a native app has "
        "no `client_secret`): correct them."
    ),
}
"""What to do by the `error` of the token endpoint (RFC 6749, section 5.2)."""

# The token store (auth)

STORE_UNUSABLE = (
    "OAuth: the tokens cannot be kept in {folder} ({why}): set `oauth_store` to a writable folder "
    "that lasts from run to run."
)
STORE_FAILED = (
    "OAuth: {path} could not be written ({why}), and the new refresh token is lost: "
    f"{AUTHORIZE_AGAIN}."
)

# The option `--authorize` (auth)

STATE_MISMATCH = (
    "OAuth: the browser returned an answer to a different request (`state` differs): run "
    "`tap-calendly --authorize` again, and use the window that it opens."
)
NO_CODE = (
    "OAuth: the address holds no `code`: run `tap-calendly --authorize` again, and paste the "
    "complete address that the browser shows at the end."
)
ACCESS_DENIED = "OAuth: access was denied; no credentials were saved."
NO_CODE_GIVEN = "OAuth: Calendly gave no code{error}: check the app's client ID and redirect URI."
BROWSER_TIMEOUT = (
    "OAuth: no answer came from the browser in {minutes} minutes: run `tap-calendly --authorize` "
    "again; the app's redirect URI must be http://localhost with the port of `--redirect-port`."
)
PORT_UNUSABLE = (
    "OAuth: cannot listen on port {port} of this computer ({why}): free it, or choose another with "
    "`--redirect-port` and register http://localhost:PORT as the app's redirect URI."
)
WOULD_OVERWRITE = "OAuth: {path} holds more than credentials: choose another `--credentials-file`."
FILE_UNWRITABLE = "OAuth: {path} cannot be written ({why}): choose another `--credentials-file`."

# Settings that hold credentials (auth)

TOKEN_MISSING = (
    "Setting `personal_access_token` is missing: create a token in Calendly under Integrations > "
    "API & webhooks, or set `oauth_credentials`."
)
TWO_METHODS = "Setting `oauth_credentials` excludes `personal_access_token`: remove one of them."
CLIENT_ID_MISSING = "Setting `oauth_credentials.client_id` is missing: set it to the app's ID."
REFRESH_TOKEN_MISSING = (
    "Setting `oauth_credentials.refresh_token` is missing: get one with `tap-calendly --authorize`."
)
NOT_ONE_WORD = "Setting `{setting}` must be one word of printable ASCII characters."
