"""A reconciliation as a CSV file: a line for each sum, each differing field, and whatever could not be compared."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from counterfoil.cli.tasks.reconcile_show import Shown
from counterfoil.errors import ConfigurationError
from counterfoil.planning.reconciling.drifts import FieldDrift

COLUMNS = (
    *("company", "line", "by", "type", "value", "name", "currency"),
    *("source_documents", "source_net", "source_tax", "log_documents", "log_net", "log_tax"),
    *("books_documents", "books_net", "books_tax", "difference"),
    *("kind", "record", "document", "number", "field", "ours", "books", "what_to_do"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WHOLE = FieldDrift(field="", ours="", books="", restored=False)


def csv_of(shown: Sequence[Shown]) -> str:
    """All of it; amounts exact, texts so that no spreadsheet takes them for formulas."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for one in shown:
        for line in (*_sums(one), *_drifts(one), *_not_compared(one)):
            writer.writerow({"company": one.company.company, **line})
    return stream.getvalue()


def require_folder(path: Path) -> None:
    """Refuse a file before any work is done for it.

    Raises:
        ConfigurationError: its folder is not there, or it is a folder itself.
    """
    if not path.absolute().parent.is_dir():
        raise ConfigurationError(f"There is no folder {path.absolute().parent}.", remedy="Make it, or name another.")
    if path.is_dir():
        raise ConfigurationError(f"{path} is a folder.", remedy="Name a file.")


def write_file(path: Path, content: str) -> None:
    """Write a file whole.

    Raises:
        ConfigurationError: it cannot be written.
    """
    try:
        path.write_text(content, encoding="utf-8", newline="")
    except OSError as problem:
        raise ConfigurationError(
            f"{path} cannot be written: {problem.strerror}.", remedy="Name another file."
        ) from None


def _sums(one: Shown) -> Iterator[dict[str, object]]:
    for cell in one.report.totals.cells():
        place = cell.place
        yield {
            "line": "sum",
            "by": place.dimension,
            "type": place.entity,
            "value": place.value,
            "name": _text(one.value(cell)),
            "currency": place.currency,
            "source_documents": cell.source.documents,
            "source_net": f"{cell.source.net:f}",
            "source_tax": f"{cell.source.tax:f}",
            "log_documents": cell.log.documents,
            "log_net": f"{cell.log.net:f}",
            "log_tax": f"{cell.log.tax:f}",
            "books_documents": cell.books.documents,
            "books_net": f"{cell.books.net:f}",
            "books_tax": f"{cell.books.tax:f}",
            "difference": f"{cell.difference:f}",
        }


def _drifts(one: Shown) -> Iterator[dict[str, object]]:
    for drift in one.report.drifts:
        for number, each in enumerate(drift.fields or (_WHOLE,)):
            yield {
                "line": "difference",
                "type": drift.entity,
                "currency": drift.currency or "",
                # Once for each document, so that the column adds up.
                "difference": f"{drift.amount:f}" if drift.amount is not None and number == 0 else "",
                "kind": drift.kind,
                "record": _text(drift.record_key or ""),
                "document": drift.document_id or "",
                "number": _text(drift.number),
                "field": each.field,
                "ours": _text(one.masked(drift, each.field, each.ours)),
                "books": _text(one.masked(drift, each.field, each.books)),
                "what_to_do": drift.what_to_do,
            }


def _not_compared(one: Shown) -> Iterator[dict[str, object]]:
    for part in one.report.not_compared:
        yield {"line": "not compared", "type": part.what, "what_to_do": _text(part.reason)}


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
