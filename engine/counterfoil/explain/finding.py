"""Finds what a person means by a key: a record, a document, a number, an intent or a request id."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from counterfoil.errors import CounterfoilError
from counterfoil.postgres import Names, Pool, load_query
from counterfoil.state.rows import CallRow, DocumentRow, IntentRow, LinkRow, RecordRow
from counterfoil.state.store import StateStore

_DOCUMENT = re.compile(r"(?:quickbooks:)?([A-Za-z]{3,40})[:\s#]+(\S.*)", re.IGNORECASE)
NEAREST_SHOWN = 5


class UnknownKeyError(CounterfoilError):
    """Nothing is known under a key."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a key stands for.

    Attributes:
        record_keys: source records, or records that only the plans know.
        documents: entity and id of documents in the books.
        otherwise: records whose documents bear as their number what was taken for an id.
    """

    company: int
    record_keys: tuple[str, ...] = ()
    documents: tuple[tuple[str, str], ...] = ()
    otherwise: tuple[str, ...] = ()


class Finder:
    """Looks keys up in the projections of one installation."""

    def __init__(self, store: StateStore, pool: Pool, names: Names) -> None:
        self._store = store
        self._pool = pool
        self._names = names

    async def find(self, company: int, key: str) -> Target | None:
        """What the key stands for in one company, or None."""
        key = key.strip()
        for look in (self._by_record, self._by_intent, self._by_request, self._by_document, self._by_number):
            found = await look(company, key)
            if found is not None:
                return found
        return None

    async def _by_record(self, company: int, key: str) -> Target | None:
        known = await self._store.one(RecordRow, company, key) or await self._store.one(LinkRow, company, key)
        if known is None and not await self._store.intents_of(company, key):
            return None
        return await self._with_documents(company, [key])

    async def _by_intent(self, company: int, key: str) -> Target | None:
        row = await self._store.one(IntentRow, company, key)
        return await self._with_documents(company, [row.record_key]) if row is not None else None

    async def _by_request(self, company: int, key: str) -> Target | None:
        if await self._store.one(CallRow, company, key) is None:
            return None
        found = await self._pool.fetch(load_query("explain_request", self._names), company, key)
        return await self._with_documents(company, [row["record_key"] for row in found])

    async def _by_document(self, company: int, key: str) -> Target | None:
        named = _DOCUMENT.fullmatch(key)
        if named is None:
            return None
        entity, identity = named[1], named[2].strip()
        found, numbered = await self._documents(company, entity, identity), await self._numbered(company, identity)
        if found is None or numbered is None:
            return found or numbered
        return replace(found, otherwise=tuple(key for key in numbered.record_keys if key not in found.record_keys))

    async def _by_number(self, company: int, key: str) -> Target | None:
        return await self._numbered(company, key) or await self._documents(company, None, key)

    async def _numbered(self, company: int, number: str) -> Target | None:
        found = await self._pool.fetch(load_query("explain_numbers", self._names), company, number)
        return await self._with_documents(company, [row["record_key"] for row in found]) if found else None

    async def _documents(self, company: int, entity: str | None, identity: str) -> Target | None:
        found = await self._pool.fetch(load_query("explain_documents", self._names), company, entity, identity)
        if not found:
            return None
        owners = tuple(dict.fromkeys(row["record_key"] for row in found if row["record_key"] is not None))
        return Target(company, owners, tuple((row["entity"], row["document_id"]) for row in found))

    async def _with_documents(self, company: int, keys: Sequence[str]) -> Target:
        links = await self._store.load(company, LinkRow.table, [(key,) for key in keys])
        standing = [row for row in links.values() if isinstance(row, LinkRow) and row.status != "released"]
        documents = [(row.entity, row.document_id) for row in standing]
        return Target(company, tuple(dict.fromkeys(keys)), tuple(dict.fromkeys(documents)))

    async def owner(self, company: int, entity: str, document_id: str) -> str | None:
        """The source record that a document stands for."""
        row = await self._store.one(DocumentRow, company, entity, document_id)
        return row.record_key if row is not None else None

    async def unknown(self, companies: Sequence[int], key: str) -> UnknownKeyError:
        """The error for a key that nothing is known under, with the nearest that are."""
        near = [one for company in companies for one in await self._nearest(company, key)][:NEAREST_SHOWN]
        remedy = (
            f"Nearest known: {', '.join(near)}."
            if near
            else "A key looks like hubspot:deal:512, Invoice 145, or a document's number."
        )
        return UnknownKeyError(f"Nothing is known under {key!r}.", remedy=remedy)

    async def _nearest(self, company: int, key: str) -> list[str]:
        query = load_query("explain_near", self._names)
        tail = re.split(r"[:\s]", key.strip())[-1]
        for pattern in (f"%{_literal(tail)}%", f"%{_literal(tail[:-1])}%", "%"):
            known = [row["known"] for row in await self._pool.fetch(query, company, pattern)]
            near = get_close_matches(key, known, n=NEAREST_SHOWN, cutoff=0.5)
            if near:
                return near
        return []


def _literal(text: str) -> str:
    """The text without a meaning of its own in a pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
