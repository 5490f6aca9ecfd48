"""One company's reader and sweeper over the QuickBooks emulator: real calls, real rows, a log in memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from pydantic import SecretStr

from counterfoil.clock import SystemClock
from counterfoil.dispatch.coverage import Coverage
from counterfoil.dispatch.limiter import LimiterSettings, ReadBudget
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.sweeping import SWEEP, Sweeper
from counterfoil.dispatch.watched import BOOKS
from counterfoil.postgres import Names, Pool
from counterfoil.quickbooks.emulator import EmulatorOptions
from counterfoil.quickbooks.emulator.books import Write, WriteOperation
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from counterfoil.quickbooks.emulator.options import Switches
from counterfoil.quickbooks.online.books import OnlineBooks
from counterfoil.quickbooks.online.oauth import ClientCredentials
from counterfoil.state.rows import DocumentRow, HintRow
from counterfoil_schema.events.receipts import BooksObserved, CompanyRegistered
from counterfoil_schema.exact_json import JsonObject
from support.dispatching import COMPANY, Dispatcher, MovedClock
from support.quickbooks_company import Api, running
from support.quickbooks_double import Connected, connected_client

UNLIMITED = 1_000_000


class ShiftedClock(SystemClock):
    """The machine's time, moved on."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


class Watching:
    """What a test looks at and does."""

    def __init__(self, pool: Pool, dispatcher: Dispatcher, api: Api, connected: Connected) -> None:
        self.pool = pool
        self.dispatcher = dispatcher
        self.api = api
        self.client = connected.client
        self.budget = connected.gate.budget
        self.clock = ShiftedClock()
        self.books = OnlineBooks(connected.client, connected.gate, connected.tokens)
        events = LogEvents(dispatcher.log)
        self.reader = BooksReader(
            session=dispatcher.session,
            store=dispatcher.store,
            events=events,
            hashes=dispatcher.keyring,
            books=self.books,
            echoes=dispatcher.echoes,
            clock=self.clock,
            instruments=dispatcher.instruments,
        )
        self.sweeper = Sweeper(
            session=dispatcher.session,
            store=dispatcher.store,
            events=events,
            books=self.books,
            reader=self.reader,
            clock=self.clock,
            budget=self.budget,
        )
        self.coverage = Coverage(
            session=dispatcher.session,
            store=dispatcher.store,
            books=self.books,
            reader=self.reader,
            sweeper=self.sweeper,
            clock=self.clock,
        )

    def write(self, entity: str, body: JsonObject, operation: WriteOperation = "create") -> JsonObject:
        """A person's action in the books."""
        return self.api.emulator.books.write(Write(entity, operation, body, frozenset()), Origin("person"))

    def customer(self, name: str) -> str:
        """A person enters a customer."""
        return str(self.write("Customer", {"DisplayName": name})["Id"])

    def metered(self) -> int:
        """Reads that Intuit would meter, so far."""
        return self.api.emulator.stats.metered_reads

    def calls(self) -> list[tuple[str, str]]:
        """Kind and path of every call of the API."""
        return [(str(call["kind"]), str(call["path"])) for call in self.api.emulator.stats.calls(0, UNLIMITED)]

    async def sweep(self) -> None:
        """Sweep, and fold what was found."""
        await self.sweeper.sweep()
        await self.dispatcher.folder.to_head()

    async def follow(self) -> int:
        """Follow what webhooks told."""
        followed = await self.sweeper.follow(await self.hints())
        await self.dispatcher.folder.to_head()
        return followed

    async def hints(self) -> Sequence[HintRow]:
        """What is still to be followed."""
        await self.dispatcher.folder.to_head()
        return await self.dispatcher.store.some(HintRow, "open_hints", COMPANY, UNLIMITED)

    async def row(self, entity: str, document_id: str) -> DocumentRow | None:
        """What is known of a document."""
        return await self.dispatcher.store.one(DocumentRow, COMPANY, entity, document_id)

    async def observed(self, entity: str) -> list[tuple[str, str]]:
        """Id and status, each time a document was recorded."""
        events = await self.dispatcher.events()
        return [
            (one.document_id, one.status) for one in events if isinstance(one, BooksObserved) and one.entity == entity
        ]

    async def swept_until(self) -> datetime:
        """The cursor of the sweep."""
        kept = await self.dispatcher.store.value("cursor", COMPANY, BOOKS, SWEEP)
        return datetime.fromisoformat(kept)

    async def set_swept_until(self, instant: datetime) -> None:
        """Move that cursor."""
        await self.dispatcher.store.execute("save_cursor", COMPANY, BOOKS, SWEEP, instant.isoformat(), instant)


@asynccontextmanager
async def watching(pool: Pool, names: Names, switches: Switches | None = None) -> AsyncIterator[Watching]:
    """A company that has just met its books."""
    options = EmulatorOptions(
        seed=1, sample="small", limits=LimitNumbers(enabled=False), switches=switches or Switches()
    )
    dispatcher = Dispatcher(pool, names)
    await dispatcher.open()
    await dispatcher.write(CompanyRegistered(name="Shelf", zone="UTC", home_currency="USD"))
    async with running(options) as api:
        office = api.emulator.office
        limits = LimiterSettings(
            requests_per_minute=UNLIMITED,
            combined_per_minute=UNLIMITED,
            requests_per_second=UNLIMITED,
            in_flight_max=UNLIMITED,
            ceiling=1.0,
        )
        async with connected_client(
            api.emulator.base_url,
            grant_url=f"{api.emulator.base_url}/oauth2/v1/tokens/bearer",
            realm_id=api.emulator.realm_id,
            credentials=ClientCredentials(office.client_id, SecretStr(office.client_secret)),
            refresh_token=SecretStr(office.refresh_token),
            refreshed=False,
            settings=limits,
            # In the middle of a month, whatever the day of the test.
            budget=ReadBudget(MovedClock()),
        ) as connected:
            yield Watching(pool, dispatcher, api, connected)
