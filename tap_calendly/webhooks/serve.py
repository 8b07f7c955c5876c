"""`calendly-webhooks serve`: the receiver on a port of this machine, until it is told to stop."""

from __future__ import annotations

import logging
import socket
from types import FrameType
from typing import NamedTuple

import uvicorn
from typing_extensions import override

from tap_calendly.reporting import errors, messages
from tap_calendly.settings import Settings
from tap_calendly.webhooks.receiver import ReceiverOptions, receiver

KEEP_ALIVE_SECONDS = 75
"""Longer than nginx keeps an idle connection, so that the proxy closes it."""

MOST_CONNECTIONS = 200
"""How many bodies are held in memory at a time; more requests are answered 503."""

STOP_SECONDS = 20
"""How long requests in flight may take to be answered; see `receiver.BODY_SECONDS` and
`writer.SECONDS`."""


class ServeOptions(NamedTuple):
    """Where to listen, and the options of `ReceiverOptions`."""

    host: str
    port: int
    path: str
    tolerance: int
    keep_days: int


def serve(settings: Settings, options: ServeOptions, logger: logging.Logger) -> None:
    """Receive deliveries until SIGTERM or SIGINT; what is in flight then is answered.

    Raises:
        CalendlyError: Settings are missing, the inbox cannot be written, or the port is taken.
    """
    listener = _listen(options.host, options.port)
    with listener:
        receiving = ReceiverOptions(options.path, options.tolerance, options.keep_days)
        config = uvicorn.Config(
            receiver(settings, receiving, logger),
            http="h11",
            ws="none",
            lifespan="on",
            loop="asyncio",
            log_config=None,
            log_level="critical",  # the receiver logs what there is to say, without tracebacks
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        listener.listen()
        host, port = listener.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        logger.info("Receiving webhooks at http://%s:%d%s.", host, port, options.path)
        _Server(config).run(sockets=[listener])
    logger.info("Stopped receiving webhooks.")


def _listen(host: str, port: int) -> socket.socket:
    try:
        # With the protocol, as asyncio would not send without delay otherwise.
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        why = errors.why(error) if isinstance(error, OSError) else "no such address"
        raise errors.CalendlyError(messages.LISTEN_FAILED, host=host, port=port, why=why) from None
    return listener


class _Server(uvicorn.Server):
    """A server that ends normally when it is told to; uvicorn would have the signal kill it."""

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True
