"""What became of records that were merged in the books, one into the other."""

from collections.abc import Iterable, Mapping
from typing import Final

from counterfoil.planning.references import Key, references_in, turned
from counterfoil.state.store import StateStore
from counterfoil_schema.exact_json import JsonObject

MERGES_MAX: Final = 10
"""How many merges, one into the other, are followed."""


class Survivors:
    """What the merges of one company's books came to, in memory: they are few.

    `load` is called when a holder takes over, and whenever a merge was folded (`AfterMerges`).
    """

    def __init__(self, *, company: int, store: StateStore) -> None:
        self._company = company
        self._store = store
        self._merged: Mapping[Key, str] = {}

    async def load(self) -> None:
        """Read all merges that are folded."""
        rows = await self._store.records("merged_documents", self._company)
        self._merged = {(row["entity"], row["document_id"]): row["merged_into"] for row in rows}

    def among(self, keys: Iterable[Key]) -> dict[Key, str]:
        """The Ids of the records that these were merged into in the end, those that were."""
        return {key: end for key in keys if (end := self._end(key)) is not None}

    def turn(self, document: JsonObject, entity: str) -> JsonObject:
        """A document that names those that stayed."""
        return turned(document, entity, self.among(references_in(document, entity))) if self._merged else document

    def _end(self, key: Key) -> str | None:
        entity, at = key
        for _ in range(MERGES_MAX):
            following = self._merged.get((entity, at))
            if following is None:
                break
            at = following
        return at if at != key[1] else None
