"""`--test`: what the token opens, at one cheap request for each stream."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_calendly.reporting import errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Record

    from tap_calendly.singer.stream import CalendlyStream


def verdicts(streams: Iterable[CalendlyStream]) -> Iterator[str]:
    """Ask each stream for a row.

    Args:
        streams: The streams.

    Yields:
        A line for each stream: open, empty, or closed and why.

    Raises:
        CalendlyError: Nothing can be read at all, as with a token that is not valid.
    """
    for stream in sorted(streams, key=lambda stream: stream.name):
        if stream.parent_stream_type is not None:
            continue
        if stream.tap.api.is_out:
            for one in (stream, *_children(stream)):
                yield f"{one.name}: not tried, as Calendly does not answer"
            continue
        try:
            row = _first(stream, None)
        except errors.FatalError:
            raise
        except errors.CalendlyError as error:
            yield from _closed((stream, *_children(stream)), error)
            continue
        yield _verdict(stream, row)
        for child in _children(stream):
            yield _of_child(child, stream, row)


def _of_child(child: CalendlyStream, parent: CalendlyStream, row: Record | None) -> str:
    """Ask for a row that belongs to a parent's first row."""
    if row is None or not child.concerns(row):
        return f"{child.name}: not tried, as {parent.name} has no row at hand to try it with"
    (context,) = parent.contexts(row)
    try:
        return _verdict(child, _first(child, dict(context)))
    except errors.FatalError:
        raise
    except errors.CalendlyError as error:
        if isinstance(error, errors.RefusedError) and (
            error.status == HTTPStatus.NOT_FOUND or error.status in child.tolerated
        ):
            return f"{child.name}: open, but not for the first row of {parent.name}"
        return next(_closed((child,), error))


def _first(stream: CalendlyStream, context: dict[str, object] | None) -> Record | None:
    stream.rows_a_page = 1
    return next(iter(stream.fetch(context).rows), None)


def _verdict(stream: CalendlyStream, row: Record | None) -> str:
    return f"{stream.name}: {'empty' if row is None else 'open'}"


def _closed(streams: Iterable[CalendlyStream], error: errors.CalendlyError) -> Iterator[str]:
    for stream in streams:
        if isinstance(error, errors.RefusedError):
            stream.unavailable = error
        else:
            stream.failed = error
        yield f"{stream.name}: {'closed' if _is_closed(error) else 'failed'}: {error}"


def _is_closed(error: errors.CalendlyError) -> bool:
    return isinstance(error, errors.RefusedError) and error.status == HTTPStatus.FORBIDDEN


def _children(stream: CalendlyStream) -> list[CalendlyStream]:
    return [
        child for child in stream.tap.calendly_streams if child.parent_stream_type is type(stream)
    ]
