"""What a stream gives to the thread that writes: batches of rows, and what is read for each row.

The generators here run in reader threads, which change nothing but what is read next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from tap_calendly.api.page import Record
from tap_calendly.reading.outcome import UNEXPECTED
from tap_calendly.reading.parent import Context
from tap_calendly.reading.prefetch import Batch
from tap_calendly.reading.reader import Reader
from tap_calendly.reporting import errors, messages


class Row(NamedTuple):
    """A row, and the context in which to read each child stream for it, by the child's name."""

    record: Record
    contexts: dict[str, Context]


class Found(NamedTuple):
    """A row that was looked up, and what was read of each child stream for it, by its name."""

    record: Record
    children: dict[str, list[list[Record]]]


class Lookup(NamedTuple):
    """A row that is still to be read when its turn comes, with what belongs to it; perhaps none."""

    read: Callable[[], Iterator[Found]]


def whole_list(
    reader: Reader, children: Sequence[Reader], on_read: Callable[[datetime | None], None]
) -> Iterator[Batch[Row]]:
    """Read a list without a parent; a row that changed meanwhile comes again.

    `on_read` is called with the time of the first answer once every row is out.
    """
    began = None
    for part in reader.stream.endpoint.parts:
        for page in reader.read_until_stable(bounds=part):
            began = began or page.answered_at
            yield Batch([Row(row, contexts_of(row, children)) for row in page.rows])
    yield Batch([], partial(on_read, began))


def contexts_of(row: Record, children: Sequence[Reader]) -> dict[str, Context]:
    """Return each child's context for a row; raise CalendlyError if the row does not name it."""
    contexts = {}
    for child in children:
        if (parent := child.stream.parent) is None:
            continue
        if (context := parent.context(row)) is None:
            raise errors.CalendlyError(
                messages.NO_CONTEXT,
                stream=child.stream.root_name,
                row=row["uri"],
                field=parent.uri.partition(".")[0],
                children=", ".join(one.stream.name for one in children),
            )
        contexts[child.stream.name] = context
    return contexts


def gather(rows: Sequence[Row], child: str) -> None:
    """Group rows by how many one request of a child takes; the last of a group asks for all."""
    group: list[Row] = []
    for number, row in enumerate(rows, 1):
        group.append(row)
        context = row.contexts[child]
        if len(group) == context.parent.at_once or number == len(rows):
            uris = tuple(one.contexts.pop(child).uri for one in group)
            row.contexts[child] = context._replace(uris=uris)
            group = []


def rows_for(reader: Reader, context: Context) -> Iterator[list[Record]]:
    """Read a list for a row of the parent; what goes wrong is noted in the stream's outcome."""
    try:
        yield from _rows_for(reader, context)
    except errors.FatalError:
        raise
    except (errors.CalendlyError, *UNEXPECTED) as error:
        reader.outcome.fail(error)


def _rows_for(reader: Reader, context: Context) -> Iterator[list[Record]]:
    outcome = reader.outcome
    for last_try in (False, True):
        if not outcome.goes_on:
            return
        try:
            yield from (page.rows for page in reader.read_until_stable(context))
            break
        except errors.RefusedError as error:
            if outcome.is_refused_by(error):
                outcome.note_refusal(error, context)
                break
            may_be_gone = error.status in context.parent.gone
            if may_be_gone and len(context.uris) > 1:
                for uri in context.uris:
                    yield from _rows_for(reader, context._replace(uris=(uri,)))
                break
            if error.status in context.parent.tolerates:
                outcome.complete = False  # there may be rows that could not be asked for
            elif not may_be_gone or (last_try and _exists(reader, context)):
                raise
            if last_try:
                reader.run.logger.warning("%s Nothing is read of it.", error)


def _exists(reader: Reader, context: Context) -> bool:
    """Whether the row of the parent exists, and there should be something to read for it."""
    row, link = reader.row_at(context.uri), context.parent.link
    return row is not None and (link is None or row.get(link) is not None)
