"""`--test`: which streams the token gives access to, at one cheap request for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus

from singer_sdk.helpers.types import Record

from tap_calendly.reading.source import contexts_of
from tap_calendly.reporting import errors
from tap_calendly.singer.stream import CalendlyStream

HELP = (
    "Print which streams the token gives access to, and why not to the others, at one request for "
    "each. The exit status is 1 if a selected stream could not be checked, or if a run with the "
    "same --catalog and --state would fail because one is closed. Use --test=schema to print only "
    "their schemas."
)

UNREACHABLE_TIMEOUT = 4
"""Seconds to connect, and to retry where nothing answers: somebody is waiting."""


def verdicts(streams: Sequence[CalendlyStream]) -> Iterator[str]:
    """Ask each stream for a row, and yield a line for it: open, empty, or closed and why.

    Raises:
        FatalError: Nothing can be read at all, as with an invalid token.
    """
    is_down = False
    for stream in streams:
        if stream.parent is not None:
            continue
        children = [child for child in streams if child.root is stream and child.parent]
        if is_down and stream.from_api:
            for one in (stream, *children):
                yield f"{one.name}: not tried, as Calendly does not answer"
            continue
        try:
            row = stream.first_row()
        except errors.FatalError:
            raise
        except errors.CalendlyError as error:
            client = stream.run.client
            is_down = client.is_down or (error.status is None and not client.has_answered)
            yield from _no_access((stream, *children), error)
            continue
        yield _access(stream, row)
        for child in children:
            yield _of_child(child, row)


def _of_child(child: CalendlyStream, row: Record | None) -> str:
    """Ask for a row that belongs to a parent's first row."""
    parent = child.parent
    if row is None or parent is None or not parent.applies_to(row):
        return f"{child.name}: not tried, as {child.root_name} returned no row to try it with"
    try:
        return _access(child, child.first_row(contexts_of(row, [child.reader])[child.name]))
    except errors.FatalError:
        raise
    except errors.CalendlyError as error:
        if isinstance(error, errors.RefusedError) and (
            error.status == HTTPStatus.NOT_FOUND or error.status in parent.tolerates
        ):
            return f"{child.name}: open, but not for the first row of {child.root_name}"
        return next(_no_access((child,), error))


def _access(stream: CalendlyStream, row: Record | None) -> str:
    return f"{stream.name}: {'empty' if row is None else 'open'}"


def _no_access(streams: Iterable[CalendlyStream], error: errors.CalendlyError) -> Iterator[str]:
    for stream in streams:
        if errors.is_forbidden(error):
            stream.note_loaded()
            stream.outcome.unavailable = error
            if stream.outcome.required and stream.root.outcome.failed is None:
                stream.outcome.failed = stream.outcome.as_failure(error)
            yield f"{stream.name}: closed: {stream.outcome.failed or error}"
        else:
            stream.outcome.failed = error
            yield f"{stream.name}: failed: {error}"
