"""The page as Chromium shows it: on wide screens, on phones, in the dark, and in print."""

from __future__ import annotations

import base64
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.report.browser import Browser, chromium
from tests.report.rows import ROWS, TODAY, WEEK, made, usual

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PHONE, DESKTOP = 390, 1280

CHARTS = """
[...document.querySelectorAll("article")].filter(article =>
  [...article.querySelectorAll("svg")].some(svg =>
    svg.getBoundingClientRect().width > 250 &&
    [...svg.querySelectorAll(".mark-rect path")].some(bar => bar.getBBox().width > 0 &&
      getComputedStyle(bar).fill.startsWith("rgb")))
).length
"""
"""How many questions have a chart that can be seen, with a bar that has a color."""

STICKING_OUT = """
[...document.querySelectorAll("body *")].filter(one => !one.closest(".rows") &&
  (one.getBoundingClientRect().right > document.documentElement.clientWidth ||
    one.getBoundingClientRect().left < 0)
).map(one => one.tagName + ": " + one.textContent.slice(0, 40))
"""

OVERLAPPING = """
[...document.querySelectorAll("svg")].filter(svg => svg.checkVisibility()).flatMap(svg => {
  const box = one => one.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].filter(one => one.textContent);
  const bars = [...svg.querySelectorAll(".mark-rect path")].filter(one => box(one).width);
  return texts.filter((text, place) => [...texts.slice(place + 1), ...bars].some(other =>
    box(text).left < box(other).right - 1 && box(other).left < box(text).right - 1 &&
    box(text).top < box(other).bottom - 1 && box(other).top < box(text).bottom - 1));
}).map(text => text.textContent)
"""
"""What is written across something else in a chart."""

OPEN = "document.querySelectorAll('details').forEach(one => one.querySelector('summary').click())"


def problems(browser: Browser, file: Path, width: int, scheme: str = "light") -> dict[str, Any]:
    """Return what is wrong with a page; nothing if all is well."""
    browser.show(file, width=width, scheme=scheme)
    drawn = browser.value(CHARTS)
    out = browser.value(STICKING_OUT)
    overlapping = browser.value(OVERLAPPING)
    browser.value(OPEN)
    scrolling = browser.value("document.documentElement.scrollWidth") - width
    found = {
        "charts that are missing": 12 - drawn,
        "sticking out": out,
        "overlapping": overlapping,
        "pixels to scroll sideways": max(scrolling, 0),
        "requests": [url for url in browser.requests if url != file.as_uri()],
        "errors": list(browser.errors),
    }
    return {what: one for what, one in found.items() if one}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


@pytest.mark.exhaustive
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, PHONE, 640, 1024, DESKTOP])
def test_twelve_charts_are_drawn_and_nothing_is_loaded_logged_or_cut_off(
    browser: Browser, file: Path, width: int, scheme: str
) -> None:
    file.write_text(usual(), "utf-8")

    assert problems(browser, file, width, scheme) == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize(
    "long",
    [
        "Donaudampfschifffahrtsgesellschaftskapitän" * 20,
        "W" * 48,
        "\N{ROCKET}" * 48,
        "\U0001d5d9" * 48,
    ],
)
def test_the_longest_texts_and_numbers_fit(
    browser: Browser, file: Path, long: str, width: int
) -> None:
    rows = {
        asked: [
            {
                name: long + value
                if isinstance(value, str)
                else value * 100_000
                if name in {"meetings", "bookings", "revenue", "submissions", "past_bookings"}
                else value
                for name, value in row.items()
            }
            for row in ones
        ]
        for asked, ones in ROWS.items()
    }
    rows["01_meetings_by_week_and_team"] += [
        {"week": TODAY + (place - 60) * WEEK, "team_name": "Sales", "meetings": 100_000}
        for place in range(60)
    ]
    file.write_text(made(rows), "utf-8")

    assert problems(browser, file, width) == {}


@pytest.mark.exhaustive
def test_the_colors_follow_the_scheme_of_the_system(browser: Browser, file: Path) -> None:
    file.write_text(usual(), "utf-8")
    seen = {}
    for scheme in ("light", "dark"):
        browser.show(file, width=DESKTOP, scheme=scheme)
        seen[scheme] = [
            browser.value(f"getComputedStyle(document.querySelector('{where}')).{what}")
            for where, what in (
                ("html", "backgroundColor"),
                ("h3", "color"),
                ("svg text", "fill"),
                (".mark-rect path", "fill"),
            )
        ]

    assert all(one != other for one, other in zip(seen["light"], seen["dark"], strict=True))


@pytest.mark.exhaustive
def test_a_click_shows_the_numbers_and_the_query(browser: Browser, file: Path) -> None:
    file.write_text(usual(), "utf-8")
    browser.show(file, width=DESKTOP)
    seen = "document.querySelector('article pre').checkVisibility()"

    assert browser.value(seen) is False
    browser.value("document.querySelector('summary').click()")
    assert browser.value(seen) is True


@pytest.mark.exhaustive
def test_it_prints_in_light_colors_on_a_few_sheets(browser: Browser, file: Path) -> None:
    file.write_text(usual(), "utf-8")
    browser.show(file, width=DESKTOP, scheme="dark", media="print")
    light = browser.value("getComputedStyle(document.documentElement).backgroundColor")
    drawn = browser.value(CHARTS)
    pdf = base64.b64decode(browser.send("Page.printToPDF", preferCSSPageSize=True)["data"])

    assert light == "rgb(253, 253, 252)"
    assert drawn == 12
    assert 1 < len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 4


BAD = {
    "<style>svg text { font-size: 24px }</style>": {"overlapping"},
    "<img src='http://127.0.0.1:9/x.png'>": {"requests", "errors"},
    "<script>console.error('late')</script>": {"errors"},
    "<script>throw new Error('thrown')</script>": {"errors"},
    "<div style='width: 500px'>wide</div>": {"sticking out", "pixels to scroll sideways"},
    "<style>.bar, svg { display: none }</style>": {"charts that are missing"},
    "<style>.mark-rect { fill: none } .mark-rect path { fill: none }</style>": {
        "charts that are missing"
    },
}


@pytest.mark.exhaustive
@pytest.mark.parametrize(("bad", "found"), BAD.items())
def test_these_checks_find_what_is_wrong(
    bad: str, found: set[str], browser: Browser, file: Path
) -> None:
    unguarded = re.sub(r"<meta http-equiv.*>", "", usual())
    file.write_text(unguarded.replace("<main>", f"<main>{bad}"), "utf-8")

    assert set(problems(browser, file, PHONE)) == found


@pytest.mark.exhaustive
def test_even_what_were_not_escaped_could_neither_run_nor_load(
    browser: Browser, file: Path
) -> None:
    bad = "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/x.png'>"
    file.write_text(usual().replace("<main>", f"<main>{bad}"), "utf-8")
    browser.show(file, width=DESKTOP)

    assert browser.value("document.title") == "Calendly: meetings and bookings"
    assert len(browser.errors) == 2
    assert all("Content Security Policy" in str(error) for error in browser.errors)


def test_without_chromium_a_test_fails_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"), chromium():
        pass
