"""The page: everything that is written into it is escaped, and it loads nothing."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import vl_convert

from report.answer import Answer
from report.charts import NARROW, WIDE
from report.wording import column, count, long_date, moment, one_line, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from report.answer import Figure, Question, Row, Rows

MOST_ROWS = 200
"""How many rows a table has at most."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

FACTS = """
select
  as_of,
  latest_change_at,
  timezone,
  as_of at time zone 'UTC' at time zone timezone as local_as_of,
  latest_change_at at time zone 'UTC' at time zone timezone as local_latest_change_at,
  (select count(*) from calendly_analytics.calendly__meetings) as meetings,
  (select min(day) from calendly_analytics.calendly__meetings) as first_day,
  (select max(day) from calendly_analytics.calendly__meetings) as last_day,
  (select count(*) from calendly_analytics.calendly__bookings) as bookings
from calendly_analytics.calendly__freshness
"""
"""The query of what the header says."""


class Asked(NamedTuple):
    """A question, its SQL, and the rows it has."""

    question: Question
    query: str
    rows: Rows


def page(facts: Row, groups: Mapping[str, Sequence[Asked]], source: str) -> str:
    """Return the page as HTML.

    Args:
        facts: The row of `FACTS`.
        groups: The questions under each heading.
        source: The database.
    """
    style = files("report").joinpath("style.css").read_text("utf-8")
    sections = "".join(
        f'<section><h2>{escape(heading)}</h2><div class="answers">'
        f"{''.join(article(asked) for asked in group)}</div></section>\n"
        for heading, group in groups.items()
    )
    stated = "".join(
        f"<div><dt>{escape(term)}</dt><dd>{escape(said)}</dd></div>"
        for term, said in {**_facts(facts), "Source": one_line(source)}.items()
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>Calendly: meetings and bookings</title>\n"
        f"<style>\n{style}</style>\n</head>\n<body>\n"
        f'<header><h1>Meetings and bookings</h1><dl class="facts">{stated}</dl></header>\n'
        f"<main>\n{sections}</main>\n</body>\n</html>\n"
    )


def article(asked: Asked) -> str:
    """Return a question with its answer as a part of the page."""
    question, query, rows = asked
    answer = question.answer(rows) if rows else Answer(question.missing)
    lines = query.splitlines()
    asks = " ".join(line[3:] for line in lines if line.startswith("-- "))
    key = "".join(
        f'<li><i style="background:{color}"></i>{escape(meaning)}</li>'
        for color, meaning in answer.key
    )
    shown = rows if answer.rows is None else answer.rows
    return (
        f'<article id="question-{question.file[:2]}"><p class="question">{escape(asks)}</p>'
        f"<h3>{escape(answer.title)}</h3>"
        + (f'<ul class="key">{key}</ul>' if len(answer.key) > 1 else "")
        + "".join(_figure(figure, answer.title) for figure in answer.figures)
        + (f'<p class="note">{escape(answer.note)}</p>' if answer.note else "")
        + "<details><summary>Numbers and query</summary>"
        + (_table(shown) if shown else "")
        + f"<pre>{escape(query.strip())}</pre></details></article>\n"
    )


def _facts(row: Row) -> dict[str, str]:
    """Return the period and how fresh the data is."""
    before = span(row["as_of"] - row["latest_change_at"])
    period = "no meetings"
    if row["meetings"]:
        period = f"{long_date(row['first_day'])} to {long_date(row['last_day'])}"
    return {
        "Period": period,
        "Loaded": f"{count(row['meetings'], 'meeting')}, {count(row['bookings'], 'booking')}",
        "As of": f"{moment(row['local_as_of'])} ({one_line(row['timezone'])})",
        "Latest change in the data": f"{moment(row['local_latest_change_at'])} ({before} before)",
    }


def _figure(figure: Figure, title: str) -> str:
    """Return a chart, drawn for wide and for narrow screens, one of which is hidden."""
    label = escape(f"Chart: {figure.caption or title}")
    caption = f"<figcaption>{escape(figure.caption)}</figcaption>" if figure.caption else ""
    drawn = "".join(
        f'<div class="{name}">{_svg(figure, width, label)}</div>'
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    )
    return f"<figure>{caption}{drawn}</figure>"


def _svg(figure: Figure, width: int, label: str) -> str:
    svg = vl_convert.vegalite_to_svg(figure.chart.spec(width), allowed_base_urls=[])
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _table(rows: Rows) -> str:
    heads, columns = "", []
    for name in rows[0]:
        is_number, texts = column([row[name] for row in rows[:MOST_ROWS]])
        kind = ' class="number"' if is_number else ""
        heads += f'<th scope="col"{kind}>{escape(name)}</th>'
        columns.append([f"<td{kind}>{escape(text)}</td>" for text in texts])
    body = "".join(f"<tr>{''.join(cells)}</tr>\n" for cells in zip(*columns, strict=True))
    left = len(rows) - MOST_ROWS
    return (
        '<div class="rows" tabindex="0" role="region" aria-label="Numbers"><table>'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>{body}</tbody></table></div>"
        + (f"<p>And {count(left, 'other row')}.</p>" if left > 0 else "")
    )
