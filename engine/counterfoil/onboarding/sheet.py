"""The review as a file that opens in a spreadsheet: a row for each record, its decision in the first column. Pure.

Read back, only `decision`, `record` and `books_id` count; all else is there to decide by. Spreadsheets save such a file
with semicolons, without its mark, in an encoding of their own, and take a cell that begins with `=` for a formula.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from counterfoil.onboarding.facts import Facts
from counterfoil.onboarding.matching import Candidate, Decision, Proposal

COLUMNS: Final = (
    *("decision", "proposed", "type", "record", "name", "email", "number", "date", "amount"),
    *("books_id", "books_name", "books_email", "books_number", "books_date", "books_amount", "score", "why", "others"),
)
NEEDED: Final = ("decision", "record", "books_id")
_DECIDED: Final[Mapping[str, Decision]] = {"adopt": "adopt", "create": "create", "skip": "skip", "ask": "ask"}
ROWS_MAX: Final = 500_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ENCODINGS = ("utf-8-sig", "cp1252")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a person decided about one record; `line` is that of the file, counted from 1."""

    line: int
    decision: Decision
    record_key: str
    books_id: str
    proposed: str = ""

    @property
    def is_by_a_person(self) -> bool:
        """Whether the decision is another than the one proposed."""
        return self.decision != self.proposed


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A row that cannot be used: where, and why; `line` is 0 where the whole file is meant."""

    line: int
    says: str


def sheet_text(proposals: Iterable[Proposal], kept: Mapping[str, Row]) -> str:
    """The file's text.

    Args:
        kept: decisions made before, by record key.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in proposals:
        writer.writerow([_plain(cell) for cell in _cells(one, kept.get(one.ours.key))])
    return out.getvalue()


def _cells(one: Proposal, kept: Row | None) -> Sequence[str]:
    ours = one.ours
    decision, chosen = one.decision, one.best
    books_id = chosen.theirs.key if chosen is not None and decision in {"adopt", "ask"} else ""
    if kept is not None:
        decision, books_id = kept.decision, kept.books_id
        chosen = next((each for each in one.candidates if each.theirs.key == books_id), None)
    shown = chosen if books_id else None
    theirs = shown.theirs if shown is not None else None
    others = [each for each in one.candidates if each is not shown]
    return (
        *(decision, one.decision, ours.type, ours.key, ours.name, ours.email, " / ".join(ours.numbers)),
        *(_day(ours.dated), _amount(ours), books_id),
        *((theirs.name, theirs.email, " / ".join(theirs.numbers)) if theirs is not None else ("", "", "")),
        *((_day(theirs.dated), _amount(theirs)) if theirs is not None else ("", "")),
        *((str(shown.score), _why(shown)) if shown is not None else ("", "")),
        "; ".join(_other(each) for each in others),
    )


def _why(one: Candidate) -> str:
    return one.why if one.theirs.active else f"{one.why}; inactive in QuickBooks"


def _other(one: Candidate) -> str:
    known = " / ".join(part for part in (one.theirs.name, *one.theirs.numbers) if part)
    return f"{one.theirs.key} ({known}, {one.score})"


def _day(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


def _amount(facts: Facts) -> str:
    return f"{facts.amount:.2f} {facts.currency}".rstrip() if facts.amount is not None else ""


def _plain(cell: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def read_sheet(data: bytes) -> tuple[list[Row], list[Wrong]]:
    """The rows of a file, and what is wrong with those that cannot be used."""
    text = _decoded(data)
    first, _, _ = text.partition("\n")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[Row] = []
    wrong: list[Wrong] = []
    try:
        head = [cell.strip().casefold() for cell in next(reader, [])]
        missing = [name for name in NEEDED if name not in head]
        if missing:
            says = f"the first line names no column {', '.join(missing)}; it must name decision, record and books_id."
            return [], [Wrong(line=1, says=says)]
        before = reader.line_num
        for cells in reader:
            line, before = before + 1, reader.line_num
            if len(rows) + len(wrong) >= ROWS_MAX:
                return rows, [*wrong, Wrong(line=line, says=f"there are more than {ROWS_MAX:,} rows.")]
            if any(cell.strip() for cell in cells):
                _read(line, dict(zip(head, cells, strict=False)), rows, wrong)
    except csv.Error as problem:
        wrong.append(Wrong(line=reader.line_num, says=f"it is no CSV from here on: {problem}."))
    return rows, wrong


def _read(line: int, cells: Mapping[str, str], rows: list[Row], wrong: list[Wrong]) -> None:
    given = cells.get("decision", "").strip()
    record = cells.get("record", "").strip().removeprefix("'")
    books_id = cells.get("books_id", "").strip().removeprefix("'")
    decision = _DECIDED.get(given.casefold())
    if decision is None:
        what = f'"{given}"' if given else "nothing"
        wrong.append(Wrong(line=line, says=f"its decision is {what}; write adopt, create, skip or ask."))
    elif not record:
        wrong.append(Wrong(line=line, says="it names no record."))
    elif decision == "adopt" and not books_id:
        wrong.append(Wrong(line=line, says=f"{record} is to be adopted, but books_id names nothing in QuickBooks."))
    else:
        proposed = cells.get("proposed", "").strip()
        rows.append(Row(line=line, decision=decision, record_key=record, books_id=books_id, proposed=proposed))


def _decoded(data: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", errors="replace")
