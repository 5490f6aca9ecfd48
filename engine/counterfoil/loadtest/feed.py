"""The made-up source: a folder of CSV files, one for each moment and kind, taken away once they were read."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from counterfoil.loadtest.home import CONNECTION
from counterfoil.loadtest.plan import Kind, Made
from counterfoil_schema.records import record_key

_HEADS: dict[Kind, tuple[str, ...]] = {
    "customer": ("id", "name", "edition"),
    "product": ("id", "name", "price"),
    "order": ("id", "date", "customer", "state", "line", "product", "quantity", "price"),
}


def key_of(made: Made) -> str:
    """Its key in the log."""
    return record_key(CONNECTION, made.kind, made.id)


def file_of(records: Sequence[Made], kind: Kind, dated: str) -> str:
    """A CSV file of records of one kind."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADS[kind])
    for one in records:
        writer.writerows(_rows(one, dated))
    return out.getvalue()


def _rows(one: Made, dated: str) -> Iterable[Sequence[object]]:
    match one.kind:
        case "customer":
            yield (one.id, f"Customer {one.id}", f"Edition {one.edition}")
        case "product":
            yield (one.id, f"Product {one.id}", "10.00")
        case "order":
            state = "won" if one.writes else "open"
            for number, line in enumerate(one.lines, start=1):
                yield (one.id, dated, one.customer, state, number, line.product, line.quantity, line.unit_price)


@dataclass(slots=True)
class Feed:
    """One company's folder.

    Attributes:
        waiting: keys of records that lie there and were not read yet, by file.
    """

    folder: Path
    dated: str
    waiting: dict[Path, set[str]] = field(default_factory=dict)
    _written: int = 0

    def write(self, due: Sequence[Made]) -> tuple[list[Made], list[Made]]:
        """Write what is due; what was written, and what has to wait because its record still lies there unread."""
        unread = {key for keys in self.waiting.values() for key in keys}
        now: list[Made] = []
        later: list[Made] = []
        for one in due:
            key = key_of(one)
            (later if key in unread else now).append(one)
            unread.add(key)
        for kind in _HEADS:
            records = [one for one in now if one.kind == kind]
            if records:
                self._write_file(records, kind)
        return now, later

    def _write_file(self, records: Sequence[Made], kind: Kind) -> None:
        self._written += 1
        path = self.folder / f"{kind}s_{self._written:06d}.csv"
        whole = path.with_suffix(".part")
        whole.write_text(file_of(records, kind, self.dated), encoding="utf-8")
        whole.rename(path)
        self.waiting[path] = {key_of(one) for one in records}

    def take_away(self, seen: Iterable[str]) -> None:
        """These records were read: a file of which all were goes away."""
        read = set(seen)
        for path, keys in [*self.waiting.items()]:
            keys.difference_update(read)
            if not keys:
                path.unlink(missing_ok=True)
                del self.waiting[path]
