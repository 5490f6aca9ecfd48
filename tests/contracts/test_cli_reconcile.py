"""`counterfoil reconcile` as a process: tables, JSON, CSV, a page that a browser shows, exit codes, clear messages."""

import csv
import io
import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from support.cli import Shop, make_shop
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER_SECONDS = 60
MARKUP = "<img src=x onerror=\"document.title='caught'\">"


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    """Two invoices: 501 of 150.50, and 502 of 19.98."""
    return make_shop(tmp_path / "shop", emulator, database)


class Page(HTMLParser):
    """Title, elements, handlers of events, and texts of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.title = ""
        self.cells: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements |= {tag, *(name for name, _ in attrs if name.startswith("on"))}
        self._inside = tag
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self._inside == "title" and "title" in self.elements and "body" not in self.elements:
            self.title += data
        elif self._inside in {"td", "th"}:
            self.cells[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside


def test_a_difference_is_told_everywhere_and_mended(shop: Shop, emulator: EmulatorProcess) -> None:
    shop.run("sync")
    agreed = shop.run("reconcile")
    assert agreed.code == 0, agreed.said
    assert "Source, log and books tie out." in agreed.out

    invoices = emulator.control("/state?entity=Invoice")["Invoice"]
    assert isinstance(invoices, list)
    customers = emulator.control("/state?entity=Customer")["Customer"]
    assert isinstance(customers, list)
    (ann,) = [one for one in customers if isinstance(one, dict) and one["DisplayName"] == "Ann Smith"]
    change = {"operation": "update", "id": ann["Id"], "body": {"DisplayName": MARKUP}}
    emulator.control("/books/Customer", change)
    (second,) = [one for one in invoices if isinstance(one, dict) and one["DocNumber"] == "502"]
    emulator.control("/books/Invoice", {"operation": "delete", "id": second["Id"]})

    differs = shop.run("reconcile", "--json", "--personal", "--csv", "found.csv", "--html", "found.html")
    assert differs.code == 1, differs.said
    (company,) = differs.json()["companies"]
    assert company["drift_counts"] == {"changed_in_books": 1, "missing_in_books": 1}
    assert company["drift_amounts"] == {"USD": -19.98}
    (missing,) = [one for one in company["drifts"] if one["kind"] == "missing_in_books"]
    assert (missing["record"], missing["number"], missing["repair"]) == ("shop:order:502", "502", "create")

    rows = list(csv.DictReader(io.StringIO((shop.folder / "found.csv").read_text("utf-8"))))
    (whole,) = [row for row in rows if (row["line"], row["by"], row["type"]) == ("sum", "type", "Invoice")]
    assert (whole["source_net"], whole["books_net"], whole["difference"]) == ("170.48", "150.50", "-19.98")
    assert sum(Decimal(row["difference"] or 0) for row in rows if row["line"] == "difference") == Decimal("-19.98")

    assert_shown(shop.folder / "found.html", shop.folder)
    masked = shop.run("reconcile", "--json")
    assert "onerror" not in masked.out, "personal, unless asked for"

    preview = shop.run("reconcile", "--repair")
    assert preview.code == 1
    assert "enter it anew" in preview.out
    assert "Nothing was changed." in preview.out
    asked = shop.run("reconcile", "--repair", "--apply", "--wait", "--author", "Ann", "--json")
    assert [one["taken"] for one in asked.json()["repairs"]] == [True, True]
    after = shop.run("reconcile")
    assert after.code == 0, after.said
    held = emulator.control("/state?entity=Invoice")["Invoice"]
    assert isinstance(held, list)
    assert sum(Decimal(str(one["TotalAmt"])) for one in held if isinstance(one, dict)) == Decimal("170.48")
    told = shop.run("explain", "shop:order:502").out
    assert "A reconciliation found it missing in books" in told
    assert "Ann asked" in told


def assert_shown(page: Path, folder: Path) -> None:
    """A browser shows the page, and takes nothing in it for markup."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    text = page.read_text("utf-8")
    if browser is not None:
        options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'browser'}", "--dump-dom")
        command = [browser, *options, page.as_uri()]
        text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=BROWSER_SECONDS).stdout
    shown = Page()
    shown.feed(text)
    assert shown.title == "Reconciliation: Shop"
    assert {"img", "script", "onerror"}.isdisjoint(shown.elements)
    assert {"svg", "rect", "table"} <= shown.elements
    assert any("<img src=x onerror=" in cell for cell in shown.cells)
    assert {"shop:customer:C1", "shop:order:502", "missing in the books"} <= set(shown.cells)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--month", "2026-13"), "'2026-13' is no month."),
        (("--type", "Invoise"), "There is no type of document 'Invoise'."),
        (("--company", "9"), "Company 9 is not configured"),
        (("--apply",), "--apply goes with --repair"),
        (("--html", "nowhere/page.html"), "There is no folder"),
        ((), "Nothing of company 1 is in the log yet."),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(shop: Shop, arguments: tuple[str, ...], said: str) -> None:
    ran = shop.run("reconcile", *arguments)
    assert ran.code == 2, ran.said
    assert said in ran.err
