"""The page shows the answers, and neither loads nor runs anything."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib.resources import files
from itertools import pairwise

import pytest

from report.charts import SERIES
from report.page import MOST_ROWS, article, page
from report.questions import GROUPS
from tests.report.parsed import parsed
from tests.report.rows import (
    FACTS,
    NO_MEETINGS,
    ROWS,
    TITLES,
    asked,
    made,
    plain,
    rows_of,
    usual,
)

STYLE = files("report").joinpath("style.css").read_text("utf-8")

NOTHING = (
    "No meetings have been held",
    "No booking's meeting has started",
    "No answers of invitees were loaded",
    "No payments were loaded",
    "No routing forms were submitted",
)


def test_the_page_has_a_chart_the_query_and_the_numbers_of_twelve_questions() -> None:
    articles = parsed(usual()).articles
    order = [question.file for questions in GROUPS.values() for question in questions]

    assert len(articles) == 12
    assert sorted(order) == sorted(ROWS)
    for file, shown in zip(order, articles, strict=True):
        assert plain(shown.title) == TITLES[file[:2]]
        assert shown.charts >= 2  # for wide screens and for phones
        assert f"What about {file}?" in shown.text
        assert "select 1 < 2" in shown.text
        assert shown.rows >= 3


def test_a_question_without_rows_says_what_is_missing() -> None:
    empty = parsed(made(dict.fromkeys(ROWS, ()), NO_MEETINGS))

    assert [one.charts + one.rows for one in empty.articles] == [0] * 12
    assert {one.title for one in empty.articles} > set(NOTHING)
    assert "no meetings" in empty.header


def test_the_header_says_the_source_the_period_and_how_fresh_the_data_is_in_local_time() -> None:
    header = plain(parsed(page(FACTS, {}, "output/demo.duckdb, the demo organization")).header)

    assert "3 March 2025 to 1 April 2026" in header
    assert "1,204 meetings, 1 booking\n" in header
    assert "4 March 2026, 04:30 (America/New_York)" in header
    assert "4 March 2026, 01:15 (3 hours before)" in header
    assert "Source\noutput/demo.duckdb, the demo organization\n" in header


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(1, "1 minute"), (119, "119 minutes"), (120, "2 hours"), (2879, "47 hours"), (2880, "2 days")],
)
def test_the_header_gives_the_age_of_the_data_in_a_unit_that_suits_it(
    minutes: int, said: str
) -> None:
    facts = {**FACTS, "latest_change_at": FACTS["as_of"] - timedelta(minutes=minutes)}

    assert f"({said} before)" in plain(parsed(page(facts, {}, "models.duckdb")).header)


def test_what_a_chart_leaves_out_is_counted_and_a_table_ends_somewhere() -> None:
    many = [
        {"source": f"source {place:04}", "campaign": "(none)", "bookings": 9, "percent_held": 50.0}
        for place in range(5000)
    ]
    html = article(asked("07_sources", many))
    (shown,) = parsed(html).articles

    assert "And 4,990 other links" in plain(shown.text)
    assert "And 4,800 other rows" in plain(shown.text)
    assert shown.rows == 1 + MOST_ROWS
    assert len(html) < 50_000


@pytest.mark.parametrize(
    "letter",
    ["W", "i", "\N{ROCKET}", "\N{ADULT}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}", "\U0001d5d9"],
)
def test_a_long_label_is_cut_between_characters(letter: str) -> None:
    labels = ["x" * indent + letter * 48 for indent in range(3)]
    rows = [{**row, "event_type_name": label} for label in labels for row in rows_of("03")]
    html = article(asked("03_cancellation_rate_without_reschedules", rows))
    shown = [text for text in re.findall(r">([^<]+)</text>", html) if letter[0] in text]

    assert len(shown) == 2 * len(rows)  # for wide screens and for phones
    for text in shown:
        assert any(label.startswith(text.removesuffix("…")) for label in labels)
        assert text.endswith("…") or letter == "i"


def drawn(number: str) -> list[tuple[str, float, float]]:
    """The bars of the question's wide charts: color, where they start, and how long they are."""
    (file,) = (file for file in ROWS if file.startswith(number))
    wide = re.findall(r'class="wide">(.*?)</svg>', article(asked(file, ROWS[file])))
    bar = r'd="M([\d.]+),[\d.]+h([\d.]+)v[^"]*" fill="var\(--(\w+)\)"'
    return [
        (color, float(start), float(length))
        for svg in wide
        for start, length, color in re.findall(bar, svg)
        if float(length)
    ]


@pytest.mark.parametrize(
    ("number", "colors", "lengths"),
    [
        ("05", "first second first", [120.5, 30.5, 0.5]),
        ("04", "first second first second", [0.4, 1.6, 6.2, 7.8]),
        ("02", "first first", [14.2, 1.3]),
        ("03", "first third", [12 / 36, 6 / 36]),
        ("06", "first third rest first third rest first", [70, 10, 10, 67.5, 11.25, 11.25, 90]),
        ("08", "first track track", [66.7, 33.3, 100]),
        ("11", "first first first", [50, 30, 20]),
    ],
)
def test_bars_are_as_long_as_what_they_stand_for_one_after_the_other(
    number: str, colors: str, lengths: list[float]
) -> None:
    bars = drawn(number)
    unit = bars[0][2] / lengths[0]

    assert " ".join(color for color, _, _ in bars) == colors
    assert [length / unit for _, _, length in bars] == pytest.approx(lengths, rel=1e-3)
    for (_, start, length), (color, after, _) in pairwise(bars):
        if color in {"second", "third", "rest"}:
            assert after == pytest.approx(start + length)


def test_what_was_paid_for_canceled_bookings_is_a_part_of_its_bar() -> None:
    (color, start, length), (part, after, rest), *_ = drawn("12")

    assert (color, part) == ("first", "third")
    assert after == pytest.approx(start + length)
    assert rest / (length + rest) == pytest.approx(90 / 6691.5)


def test_numbers_in_a_table_have_as_many_decimals_as_their_column_needs() -> None:
    html = article(asked("12_revenue", rows_of("12")))

    for column in (["6,691.5", "200.0", "1,500.0"], ["38", "2", "10"], ["90", "0", "0"]):
        cells = (f'<td class="number">{one}</td>' for one in column)
        assert re.search(".*".join(map(re.escape, cells)), html, re.DOTALL)


def test_a_chart_shows_what_counts_most_and_keeps_the_order() -> None:
    rows = [
        {"event_type_name": f"type {size}", "past_bookings": size, "no_shows": 1, "percent": 9.0}
        for size in range(1, 31)
    ]
    html = article(asked("02_no_show_rate_by_event_type", rows))
    shown = dict.fromkeys(re.findall(r">(type \d+)</text>", html))

    assert list(shown) == [f"type {size}" for size in range(21, 31)]


def test_free_text_is_left_out_and_that_is_said() -> None:
    html = usual()

    assert "555" not in html
    assert "Phone" not in html
    assert "Left out as free text: 1\N{NO-BREAK SPACE}question." in html


def test_parts_of_a_bar_are_set_apart_by_more_than_their_colors() -> None:
    parted, whole = (article(asked(file, ROWS[file])) for file in ("05_host_load", "11_time_zones"))

    assert 'stroke="var(--paper)"' in parted
    assert "var(--paper)" not in whole


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=https://example.com/x onerror=alert(1)>',
    "</style></details></article><b>",
    "<!-- &lt; ]]> {{x}} \u202e\x00\x1b\uffff",
    "url(https://example.com/x) " + "x" * 5000,
)


def test_what_visitors_wrote_stays_text() -> None:
    rows = {
        file: [
            {name: text if isinstance(value, str) else value for name, value in row.items()}
            for text in HOSTILE
            for row in ones
        ]
        for file, ones in ROWS.items()
    }
    shown, expected = parsed(made(rows, {**FACTS, "timezone": HOSTILE[0]})), parsed(usual())

    assert len(shown.articles) == 12
    assert shown.tags <= expected.tags
    assert {name for name, _ in shown.attributes} <= {name for name, _ in expected.attributes}
    for text in HOSTILE:
        assert text[:20] in shown.articles[2].text


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    shown = parsed(usual())
    loading = {"script", "link", "img", "image", "iframe", "object", "embed", "use", "base", "form"}

    assert shown.tags.isdisjoint(loading)
    for name, value in shown.attributes:
        assert name not in {"src", "href", "xlink:href", "srcset", "action"}
        assert not name.startswith("on")
        assert name.startswith("xmlns") or not re.search(r"//|url\(", value), (name, value)
    assert not re.search(r"url\(|@import|//", STYLE)
    assert any("default-src 'none'" in value for _, value in shown.attributes)


def colors(scheme: str) -> dict[str, str]:
    """The colors of a scheme, by name."""
    light, _, dark = STYLE.partition("prefers-color-scheme: dark")
    text = {"light": light, "dark": dark}[scheme]
    return dict(re.findall(r"--(\w+): #(\w{6});", text))


def contrast(one: str, other: str) -> float:
    """The contrast of two colors as WCAG defines it."""

    def luminance(color: str) -> float:
        parts = (int(color[place : place + 2], 16) / 255 for place in (0, 2, 4))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_charts_stand_out_from_the_paper(scheme: str) -> None:
    of_scheme = colors(scheme)
    used = set(re.findall(r"var\(--(\w+)\)", usual() + STYLE + " ".join(SERIES)))

    assert used == set(of_scheme)
    for name in ("ink", "muted"):
        assert contrast(of_scheme[name], of_scheme["paper"]) >= 4.5, name
    for name in ("first", "second", "third", "fourth", "fifth", "rest"):
        assert contrast(of_scheme[name], of_scheme["paper"]) >= 3, name
