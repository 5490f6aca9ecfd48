"""A source for tests: a folder with a feed of records that only grows, and a file that takes what is written back.

The feed, `feed.jsonl`, holds one JSON object a line: kind, id, record. A later line about a record is its newer
state; a line without a record says that it was removed. `written.jsonl` takes one line for each write-back.
"""

import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from pydantic import TypeAdapter

from counterfoil.plugins import SOURCES
from counterfoil.sources import (
    BadSignatureError,
    Delivery,
    Page,
    Removed,
    Seen,
    SourceChange,
    SourceContext,
    WebhookRequest,
    WriteBack,
    WriteBackResult,
)
from counterfoil_schema.records import Record

PAGE_ENTRIES = 10
KINDS = ("customer", "product", "order", "payment", "employee", "hours", "payroll")
RECORD: TypeAdapter[Record] = TypeAdapter(Record)
POINT = EntryPoint("shelf", "support.shelf:ShelfSource", SOURCES)
MAPPING = """
[connection]
source = "shelf"
zone = "America/New_York"
currency = "USD"

[product]
income_account = "Sales of Product Income"

[write_back]
invoice_number = "number"
status = "state"
amount_paid = "paid"
balance = "open"
credited = "credited"
overpaid = "over"
last_payment_date = "paid_on"
"""


def shelf_only(group: str) -> Mapping[str, EntryPoint]:
    """Stands in for `counterfoil.plugins.installed`: the only source there is."""
    return {"shelf": POINT} if group == SOURCES else {}


@dataclass(frozen=True)
class Shelf:
    """The folder, as a test fills and reads it."""

    folder: Path

    def put(self, kind: str, source_id: str, record: Mapping[str, Any] | None) -> None:
        """Add a state of a record; None removes it."""
        _add_line(self.folder / "feed.jsonl", {"kind": kind, "id": source_id, "record": record})

    def merge(self, kind: str, source_id: str, into: str) -> None:
        """A record becomes part of another."""
        _add_line(self.folder / "feed.jsonl", {"kind": kind, "id": source_id, "record": None, "into": into})

    def counts(self) -> Counter[str]:
        """How many states of records of each kind were put there."""
        return Counter(str(line["kind"]) for line in _lines(self.folder / "feed.jsonl"))

    def written(self) -> list[tuple[str, dict[str, str]]]:
        """What was written back, in order: record id and values."""
        return [(line["id"], line["values"]) for line in _lines(self.folder / "written.jsonl")]

    def shown(self) -> dict[str, dict[str, str]]:
        """What the source holds after all write-backs."""
        held: dict[str, dict[str, str]] = {}
        for source_id, values in self.written():
            held.setdefault(source_id, {}).update(values)
        return held


class ShelfSource:
    """The adapter."""

    name: ClassVar[str] = "shelf"

    def __init__(self, context: SourceContext) -> None:
        self._folder = Path(str(context.settings["folder"]))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def kinds(self) -> Sequence[str]:
        return KINDS

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        entries = [line for line in _lines(self._folder / "feed.jsonl") if line["kind"] == kind]
        start = int(cursor or 0)
        while True:
            page = entries[start : start + PAGE_ENTRIES]
            start += len(page)
            done = start >= len(entries)
            yield Page(changes=[_change(entry) for entry in page], cursor=str(start), done=done)
            if done:
                return

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        entries = [
            line for line in _lines(self._folder / "feed.jsonl") if (line["kind"], line["id"]) == (kind, source_id)
        ]
        return [_change(entries[-1])] if entries else []

    def receive(self, request: WebhookRequest) -> Delivery:
        raise BadSignatureError(f"The shelf delivers nothing, and surely not to {request.url}.")

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        _add_line(self._folder / "written.jsonl", {"id": request.source_id, "values": dict(request.values)})
        return WriteBackResult(outcome="accepted")

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        return bool(kind) and all(f'"{name}": "{value}"' in raw for name, value in values.items())


def _change(entry: Mapping[str, Any]) -> SourceChange:
    kind, source_id, record = str(entry["kind"]), str(entry["id"]), entry["record"]
    if record is None:
        into = entry.get("into")
        return Removed(kind=kind, source_id=source_id, evidence="The feed says so.", merged_into=into)
    raw = json.dumps(record)
    return Seen(kind=kind, source_id=source_id, version=raw, record=RECORD.validate_python(record), raw=raw)


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _add_line(path: Path, value: Mapping[str, Any]) -> None:
    """In one write, so that a process that is killed leaves no half line."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, json.dumps(value).encode() + b"\n")
    finally:
        os.close(handle)
