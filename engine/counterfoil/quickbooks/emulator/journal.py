"""The emulator's own record of every effect on the books: the witness that counts duplicates and losses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from counterfoil_schema.exact_json import JsonObject

App = Literal["api", "person", "server"]
Operation = Literal["create", "update", "delete", "void", "emailed", "linked", "released", "merge"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who wrote, and under which request id."""

    app: App = "api"
    request_id: str = ""
    batch_id: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect on one record. `linked` and `released` follow from the effect named by `caused_by`."""

    sequence: int
    at: datetime
    entity: str
    operation: Operation
    id: str
    token: int
    origin: Origin
    doc_number: str
    name: str
    private_note: str
    txn_date: str
    amount: Decimal | None
    caused_by: int | None

    def as_json(self) -> JsonObject:
        return {
            "sequence": self.sequence,
            "time": self.at.isoformat(),
            "entity": self.entity,
            "operation": self.operation,
            "id": self.id,
            "sync_token": str(self.token),
            "request_id": self.origin.request_id,
            "b_id": self.origin.batch_id,
            "doc_number": self.doc_number,
            "name": self.name,
            "private_note": self.private_note,
            "txn_date": self.txn_date,
            "amount": self.amount,
            "app": self.origin.app,
            "caused_by": self.caused_by,
        }


class Journal:
    """Effects in the order in which they happened, numbered from 1."""

    def __init__(self) -> None:
        self._effects: list[Effect] = []

    def __len__(self) -> int:
        return len(self._effects)

    def __iter__(self) -> Iterator[Effect]:
        return iter(self._effects)

    @property
    def next_sequence(self) -> int:
        return len(self._effects) + 1

    def add(self, effect: Effect) -> None:
        self._effects.append(effect)

    def after(self, sequence: int, limit: int) -> list[Effect]:
        """Effects with a higher number than `sequence`, oldest first."""
        start = max(0, sequence)
        return self._effects[start : start + limit]
