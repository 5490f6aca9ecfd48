"""Who is one person here: the source records and documents of the books that are linked or were merged."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import asyncpg

from counterfoil.errors import CounterfoilError
from counterfoil.explain import Finder
from counterfoil.log import LogReader
from counterfoil.postgres import Names, Pool, load_query
from counterfoil.state.rows import LinkRow, RecordRow
from counterfoil.state.store import StateStore
from counterfoil_schema.records import record_key, split_key

ENTITIES = frozenset({"Customer", "Employee", "Vendor"})
"""Documents of the books that are people, or may be."""

KINDS = frozenset({"customer", "employee", "vendor", "custom", "unreadable", "erased"})
"""Kinds of records that are people, or may be."""

PARTIES = ("customer", "employee", "contractor")


class NoPersonError(CounterfoilError):
    """What was named is no person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Everything under which one person is known in a company.

    Attributes:
        asked: the first of them, which stands for the person.
        records: source records.
        documents: entity and Id in the books.
    """

    company: int
    asked: str
    records: tuple[str, ...]
    documents: tuple[tuple[str, str], ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        """The names of the keys under which the person's own data is sealed."""
        return (*self.records, *(books_subject(*one) for one in self.documents))

    @property
    def sources(self) -> tuple[str, ...]:
        """The connections that show the person."""
        return tuple(sorted({split_key(one)[0] for one in self.records}))


def books_subject(entity: str, document_id: str) -> str:
    """Under what a document's personal part is sealed."""
    return f"quickbooks:{entity}:{document_id}"


class People:
    """Finds people in one installation."""

    def __init__(self, *, store: StateStore, reader: LogReader, pool: Pool, names: Names, finder: Finder) -> None:
        self._store = store
        self._reader = reader
        self._pool = pool
        self._names = names
        self._finder = finder

    async def find(self, company: int, key: str) -> Person | None:
        """The person behind a record key or a document, with all that is linked; None if nothing is known there.

        Raises:
            NoPersonError: it is a document or a record of another sort; says whom it names.
        """
        target = await self._finder.find(company, key)
        if target is None:
            return None
        documents = [one for one in target.documents if one[0] in ENTITIES]
        records = [one for one in target.record_keys if await self._may_be_person(company, one)]
        if (target.documents and not documents) or not (records or documents):
            raise await self._no_person(company, key, target.record_keys)
        return await self._linked(company, records, documents)

    async def _may_be_person(self, company: int, key: str) -> bool:
        row = await self._store.one(RecordRow, company, key)
        return row is None or row.kind in KINDS

    async def _no_person(self, company: int, key: str, records: Iterable[str]) -> NoPersonError:
        named: list[str] = []
        for one in records:
            row = await self._store.one(RecordRow, company, one)
            for recorded in await self._reader.get_many(company, [row.position]) if row is not None else []:
                named += parties_of(recorded.light().get("record"))
        remedy = f"It names {', '.join(named)}: give that." if named else "Give a customer, a vendor or an employee."
        return NoPersonError(f"{key!r} is no person.", remedy=remedy)

    async def _linked(self, company: int, records: Collection[str], documents: Collection[tuple[str, str]]) -> Person:
        merged = await self._fetch("privacy_source_merges", company)
        pairs = [(row["record_key"], _beside(row["record_key"], row["merged_into"])) for row in merged]
        found = dict.fromkeys((*records, *(books_subject(*one) for one in documents)))
        while True:
            known = len(found)
            ours = [one for one in found if not one.startswith("quickbooks:")]
            theirs = [one.removeprefix("quickbooks:") for one in found if one.startswith("quickbooks:")]
            for row in await self._fetch("privacy_links", company, ours, theirs, sorted(ENTITIES)):
                found[row["record_key"]] = None
                found[books_subject(row["entity"], row["document_id"])] = None
                if row["shared_with"] is not None:
                    found[row["shared_with"]] = None
            for row in await self._fetch("privacy_books_merges", company, theirs):
                found[books_subject(row["entity"], row["document_id"])] = None
                found[books_subject(row["entity"], row["merged_into"])] = None
            for gone, kept in pairs:
                if gone in found or kept in found:
                    found |= {gone: None, kept: None}
            if len(found) == known:
                return _person(company, [*found])

    async def _fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        return await self._pool.fetch(load_query(query, self._names), *arguments)

    async def links(self, person: Person) -> list[LinkRow]:
        """The links of a person's records."""
        found = await self._store.load(person.company, LinkRow.table, [(one,) for one in person.records])
        return [row for row in found.values() if isinstance(row, LinkRow)]


def parties_of(record: object) -> list[str]:
    """The records of people that a record, as the log holds it, names."""
    if not isinstance(record, dict):
        return []
    return [party for name in PARTIES if isinstance(party := record.get(name), str)]


def _beside(key: str, source_id: str) -> str:
    connection, kind, _ = split_key(key)
    return record_key(connection, kind, source_id)


def _person(company: int, found: list[str]) -> Person:
    books = [one.split(":", 2) for one in found if one.startswith("quickbooks:")]
    return Person(
        company=company,
        asked=found[0],
        records=tuple(one for one in found if not one.startswith("quickbooks:")),
        documents=tuple((entity, document_id) for _, entity, document_id in books),
    )
