"""A browser shows the page of the books, and takes no name for markup."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from support.browser import shown_by_browser
from support.quickbooks_emulator import emulator_process

NAME = "<img src=x onerror=\"document.title='caught'\">"

pytestmark = pytest.mark.slow


class Tables(HTMLParser):
    """The cells of a page by heading and row, its title, and which elements and handlers of events it has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self.elements: set[str] = set()
        self.title = ""
        self._inside = ""
        self._heading = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements |= {tag, *(name for name, _ in attrs if name.startswith("on"))}
        self._inside = tag
        if tag == "h2":
            self._heading = ""
        elif tag == "tr":
            self.found.setdefault(self._heading, []).append([])
        elif tag in {"td", "th"}:
            self.found[self._heading][-1].append("")

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data
        elif self._inside == "h2":
            self._heading += data
        elif self._inside in {"td", "th"}:
            self.found[self._heading][-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside


def test_a_browser_shows_the_books(tmp_path: Path) -> None:
    with emulator_process("--sample", "craig", "--seed", "9") as emulator:
        emulator.control("/books/Customer", {"body": {"DisplayName": NAME}})
        shown = shown_by_browser(emulator["control_url"] + "/books", tmp_path)
    page = Tables()
    page.feed(shown)
    assert page.title == "Craig's Design and Landscaping Services"
    assert {"img", "script", "onerror"}.isdisjoint(page.elements)
    assert list(page.found) == ["Trial balance", "Records", "Latest invoices", "What happened last"]
    total, _, debit, credit = page.found["Trial balance"][-1]
    assert (total, debit) == ("Total", credit)
    assert any(NAME in cell for row in page.found["What happened last"] for cell in row)
