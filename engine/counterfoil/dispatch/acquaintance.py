"""Getting to know the books before anything is decided: are they the right ones, and what do they allow?"""

import hashlib
from collections.abc import Mapping

from counterfoil.dispatch.books import Books
from counterfoil.dispatch.errors import RealmMismatchError
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.sweeping import Sweeper
from counterfoil.log import NewEvent
from counterfoil.settings import CompanySettings
from counterfoil.state.rows import CompanyRow, MappingRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.receipts import CompanyRegistered, MappingRecorded, RealmPinned


class Acquaintance:
    """Registers a company, records its mappings, and pins its books."""

    def __init__(
        self,
        *,
        session: Session,
        store: StateStore,
        reader: BooksReader,
        sweeper: Sweeper,
        settings: CompanySettings,
        books: Books,
    ) -> None:
        self._session = session
        self._store = store
        self._reader = reader
        self._sweeper = sweeper
        self._settings = settings
        self._books = books

    async def register(self) -> None:
        """Append what the configuration says, as far as the log does not know it yet."""
        news: list[Event] = []
        company = self._session.company
        if await self._store.one(CompanyRow, company) is None:
            settings = self._settings
            news.append(CompanyRegistered(name=settings.name, zone=settings.zone, home_currency=settings.currency))
        for connection, text in self._mapping_texts().items():
            digest = hashlib.sha256(text.encode()).hexdigest()
            row = await self._store.one(MappingRow, company, connection)
            if row is None or row.digest != digest:
                news.append(MappingRecorded(connection=connection, digest=digest, text=text))
        if news:
            await self._session.receive([NewEvent(event=event) for event in news])

    def _mapping_texts(self) -> Mapping[str, str]:
        return {name: source.mapping for name, source in self._settings.sources.items()}

    async def meet(self) -> None:
        """Read company, preferences and names; pin the realm, or make sure that it is the pinned one.

        Raises:
            BooksUnreadableError: the books cannot be read now.
            RealmMismatchError: they are other books.
        """
        row = await self._store.one(CompanyRow, self._session.company)
        configured, environment = self._settings.quickbooks.realm_id, self._settings.quickbooks.environment
        if row is not None and row.realm_id is not None:
            self._compare(row.realm_id, configured or row.realm_id, "realm")
            self._compare(row.environment or "", environment, "environment")
        # What changes from now on is swept for, however long the first sweep takes to come.
        await self._sweeper.begin(first=row is None or not row.preferences_hash)
        facts = await self._reader.get_to_know()
        realm = configured or facts.realm_id
        if row is not None and row.realm_id is not None:
            self._compare(row.realm_id, realm, "realm")
        known = "renamed" if row is None or row.realm_id is None else facts.known_as(row.fingerprint or "")
        if known == "others":
            self._compare(row.fingerprint or "" if row is not None else "", facts.fingerprint, "company information")
        if known == "renamed":
            pinned = RealmPinned(realm_id=realm, environment=environment, fingerprint=facts.fingerprint)
            await self._session.receive([NewEvent(event=pinned)])

    async def verify(self) -> None:
        """Make sure that the connection leads to the pinned books. Appends nothing.

        Raises:
            BooksUnreadableError: the books cannot be read now.
            RealmMismatchError: they are other books.
        """
        row = await self._store.one(CompanyRow, self._session.company)
        if row is None or row.realm_id is None:
            return
        facts = await self._books.facts()
        self._compare(row.realm_id, self._settings.quickbooks.realm_id or facts.realm_id, "realm")
        if facts.known_as(row.fingerprint or "") == "others":
            self._compare(row.fingerprint or "", facts.fingerprint, "company information")

    def _compare(self, pinned: str, found: str, what: str) -> None:
        if pinned != found:
            raise RealmMismatchError(
                f"Company {self._session.company} is pinned to QuickBooks {what} {pinned}, "
                f"but the connection leads to {found}. Nothing is sent.",
                remedy="Connect the books that it belongs to, or set up a new company for the others.",
            )
