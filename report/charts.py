"""Vega-Lite specifications of the two kinds of charts on the page.

Colors are CSS variables, which pass through Vega into the SVG: one drawing serves light and dark.
Sizes are fixed, so that a chart does not depend on the fonts of the machine that draws it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

Spec = dict[str, Any]

WIDE = 552
NARROW = 342
"""The widths at which each chart is drawn, in pixels: a column of the page, and a phone."""

FIRST, SECOND, THIRD = "var(--first)", "var(--second)", "var(--third)"
REST = "var(--rest)"
TRACK = "var(--track)"
SERIES = (FIRST, SECOND, THIRD, "var(--fourth)", "var(--fifth)", REST)
"""Colors of parts; the last is for all others."""

DIGIT = 7
"""The width of a digit, in pixels."""

LABELS = 178
"""The width of the labels beside bars, in pixels."""

LABEL_SIZE = 12.5
"""The size of labels, in pixels."""

NARROW_LETTERS, WIDE_LETTERS = frozenset("fijlrtI .,:;!|'()[]/-"), frozenset("mwMW@%")

GAP = 14
"""The space between labels, bars, and figures, in pixels."""

CONFIG: Spec = {
    "aria": False,  # the page says in words what a chart shows
    "font": "Arial, 'Liberation Sans', Helvetica, sans-serif",
    "text": {"fontSize": LABEL_SIZE, "color": "var(--ink)", "baseline": "middle"},
    "axis": {
        "labelFontSize": 12,
        "labelColor": "var(--muted)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "ticks": False,
        "labelPadding": 6,
        "title": None,
    },
    "view": {"stroke": None},
}


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart: its label, the lengths of its parts, and the figures beside it."""

    label: str
    parts: Sequence[float | Decimal]
    figures: Sequence[str]


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, with figures aligned in columns at the right.

    Attributes:
        bars: From top to bottom.
        headings: What the figures are.
        colors: One for each part of a bar.
    """

    bars: Sequence[Bar]
    headings: Sequence[str]
    colors: Sequence[str]

    def spec(self, width: int) -> Spec:
        """Return the chart: labels stand beside the bars, or above them if it is narrow."""
        widths = [
            DIGIT * max(len(text) for text in (heading, *(bar.figures[place] for bar in self.bars)))
            for place, heading in enumerate(self.headings)
        ]
        ends = [
            width - sum(widths[place + 1 :]) - GAP * (len(widths) - place - 1)
            for place in range(len(widths))
        ]
        figures_start = ends[0] - widths[0] - GAP
        beside = width >= WIDE
        lift = 0 if beside else -8
        room = LABELS if beside else figures_start
        whole = max(float(sum(bar.parts)) for bar in self.bars) or 1
        drawn = {
            "mark": {
                "type": "bar",
                "height": 13 if beside else 8,
                "yOffset": 0 if beside else 10,
                **_gap(self.colors),
            },
            "transform": [{"filter": "isValid(datum.length)"}],
            "encoding": {
                "x": {
                    "field": "length",
                    "type": "quantitative",
                    "axis": None,
                    "scale": {
                        "domain": [0, whole],
                        "range": [LABELS + GAP, figures_start] if beside else [0, width],
                    },
                },
                "order": {"field": "part", "type": "ordinal"},
                **_color(),
            },
        }
        layers: list[Spec] = [
            drawn,
            _text("label", 0, align="left", dy=lift),
        ]
        for place, end in enumerate(ends):
            layers += [
                _text(f"figure{place}", end, align="right", dy=lift),
                _text(f"heading{place}", end, align="right", color="var(--muted)"),
            ]
        step = 27 if beside else 42
        return _spec(
            self._values(room),
            {
                "width": width,
                "height": step * (len(self.bars) + 1),
                "encoding": {
                    "y": {
                        "field": "row",
                        "type": "ordinal",
                        "axis": None,
                        "scale": {"padding": 0},
                    }
                },
                "layer": layers,
            },
        )

    def _values(self, room: float) -> Iterable[Spec]:
        yield {"row": 0, **_numbered("heading", self.headings)}
        for row, bar in enumerate(self.bars, 1):
            yield {"row": row, "label": cut(bar.label, room), **_numbered("figure", bar.figures)}
            for part, (length, color) in enumerate(zip(bar.parts, self.colors, strict=True)):
                yield {"row": row, "part": part, "length": float(length), "color": color}


@dataclass(frozen=True)
class Columns:
    """Vertical columns of stacked parts, one for each day or week.

    Attributes:
        labels: What stands under each column; no two are equal, and a line break splits one.
        parts: The heights of the parts of each column.
        colors: One for each part.
        dense: Whether columns are too many for a label and a figure each.
    """

    labels: Sequence[str]
    parts: Sequence[Sequence[int]]
    colors: Sequence[str]
    dense: bool = False

    def spec(self, width: int) -> Spec:
        """Return the chart."""
        every = 1 + len(self.labels) * 52 // width if self.dense else 1
        left = 30 if self.dense else 0
        drawn = {
            "mark": {"type": "bar", **_gap(self.colors)},
            "transform": [{"filter": "isValid(datum.height)"}],
            "encoding": {
                "y": {
                    "field": "height",
                    "type": "quantitative",
                    "axis": {"tickCount": 4, "tickMinStep": 1, "domain": False}
                    if self.dense
                    else None,
                    "scale": {"domainMin": 0, "nice": self.dense},
                },
                "order": {"field": "part", "type": "ordinal"},
                **_color(),
            },
        }
        total = {
            "mark": {"type": "text", "dy": -9},
            "transform": [{"filter": "datum.total > 0"}],
            "encoding": {
                "y": {"field": "total", "type": "quantitative"},
                "text": {"field": "total", "type": "quantitative", "format": ","},
            },
        }
        return _spec(
            self._values(),
            {
                "width": width - left,
                "height": 180,
                "padding": {"left": left, "right": 0, "top": 18, "bottom": 34},
                "encoding": {
                    "x": {
                        "field": "label",
                        "type": "nominal",
                        "sort": None,
                        "scale": {"paddingInner": 0.2, "paddingOuter": 0},
                        "axis": {
                            "labelAngle": 0,
                            "labelExpr": r"split(datum.label, '\n')",
                            "values": self.labels[(len(self.labels) - 1) % every :: every],
                        },
                    }
                },
                "layer": [drawn] if self.dense else [drawn, total],
            },
        )

    def _values(self) -> Iterable[Spec]:
        for label, parts in zip(self.labels, self.parts, strict=True):
            yield {"label": label, "total": sum(parts)}
            for part, (height, color) in enumerate(zip(parts, self.colors, strict=True)):
                yield {"label": label, "part": part, "height": height, "color": color}


def cut(text: str, room: float) -> str:
    """Return as much of a text as fits into so many pixels; Vega would cut a character in two."""
    ends = list(accumulate(map(_width, text)))
    if not ends or ends[-1] <= room:
        return text
    return text[: sum(end <= room - _width("…") for end in ends)].rstrip() + "…"


def _width(character: str) -> float:
    """Return about how wide a character is, in pixels, in Arial or a font like it."""
    letter = unicodedata.normalize("NFD", character)[0]
    category = unicodedata.category(letter)
    if category in {"Mn", "Me", "Cf"}:
        return 0
    if letter in NARROW_LETTERS:
        return 0.3 * LABEL_SIZE
    if category == "So" or letter > "\uffff":  # emoji, for one
        return 1.3 * LABEL_SIZE
    if letter in WIDE_LETTERS or not (letter.isascii() or letter.islower()):
        return 1.0 * LABEL_SIZE
    return (0.56 if letter.isascii() and not letter.isupper() else 0.78) * LABEL_SIZE


def _numbered(name: str, texts: Sequence[str]) -> dict[str, str]:
    return {f"{name}{place}": text for place, text in enumerate(texts)}


def _gap(colors: Sequence[str]) -> Spec:
    """Parts are set apart by more than their colors."""
    return {"stroke": "var(--paper)", "strokeWidth": 1} if colors[1:] else {}


def _color() -> Spec:
    """Each part has its color as it is; Vega-Lite stacks the parts because of it."""
    return {"color": {"field": "color", "type": "nominal", "scale": None}}


def _text(field: str, x: float, **mark: Any) -> Spec:  # noqa: ANN401 - properties of a mark
    return {
        "mark": {"type": "text", **mark},
        "transform": [{"filter": f"isValid(datum.{field})"}],
        "encoding": {"x": {"value": x}, "text": {"field": field, "type": "nominal"}},
    }


def _spec(values: Iterable[Spec], chart: Spec) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "autosize": "none",
        "padding": 0,
        "background": None,
        "config": CONFIG,
        "data": {"values": list(values)},
        **chart,
    }
