"""What a page holds: its articles, and everything that could load or run something."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from typing_extensions import override


@dataclass
class Article:
    """A question on the page."""

    title: str = ""
    text: str = ""
    charts: int = 0
    rows: int = 0


@dataclass
class _Parser(HTMLParser):
    articles: list[Article] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    attributes: set[tuple[str, str]] = field(default_factory=set)
    header: str = ""
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        if tag == "article":
            self.articles.append(Article())
        if self.articles:
            self.articles[-1].charts += tag == "svg"
            self.articles[-1].rows += tag == "tr"
        if tag not in ("meta", "link", "img", "br"):
            self._open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        if self.articles:
            self.articles[-1].text += data
            if "h3" in self._open:
                self.articles[-1].title += data
        elif "header" in self._open:
            self.header += data + "\n"


def parsed(html: str) -> _Parser:
    """Return what a page holds; fail if its tags do not match."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    assert parser._open == []  # noqa: SLF001 - this file's own
    return parser
