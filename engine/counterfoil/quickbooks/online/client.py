"""The client for QuickBooks Online: writes, batches, reads, queries and change data capture of one realm.

It never repeats a write by itself, but for the one replay after a 401, which QuickBooks had refused; when to
send again, and under which request id, is the dispatcher's to decide. Reads are repeated a few times.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Final, TypeVar
from urllib.parse import quote

import aiohttp
import backoff
from opentelemetry.trace import NoOpTracer, Tracer

from counterfoil.dispatch.limiter import CallKind, Lane, Permit, RealmGate
from counterfoil.ports import Clock, Entropy
from counterfoil.quickbooks.online.access import AccessTokens
from counterfoil.quickbooks.online.batch import batch_items
from counterfoil.quickbooks.online.calls import Call, CallResult, Calls, Realm
from counterfoil.quickbooks.online.cdc import check_request
from counterfoil.quickbooks.online.interpret import (
    batch_outcome,
    changes,
    query_page,
    read_outcome,
    tax_service_outcome,
    write_outcome,
)
from counterfoil.quickbooks.online.operations import READABLE, Operation, OperationError, write_parameters
from counterfoil.quickbooks.online.outcomes import (
    BatchAnswered,
    BatchOutcome,
    ChangeOutcome,
    QueryOutcome,
    ReadFailed,
    ReadOutcome,
    Rejected,
    WriteOutcome,
)
from counterfoil.quickbooks.online.paging import read_pages
from counterfoil.quickbooks.online.papers import Papers
from counterfoil.quickbooks.online.query import PAGE_ROWS_MAX, Query, instant
from counterfoil_schema.exact_json import JsonObject

REQUEST_ID_LENGTH_MAX: Final = 50
BATCH_REQUEST_ID_LENGTH_MAX: Final = 36
QUERY_IN_URL_LENGTH_MAX: Final = 1_500
READ_TRIES_MAX: Final = 3
READ_PATIENCE_SECONDS: Final = 180.0

T = TypeVar("T")


class QuickBooksClient:
    """One realm of QuickBooks Online.

    Args:
        session: shared HTTP session (`transport.open_session`); not closed here.
        realm: whose books, and where.
        tokens: access tokens of the connection.
        gate: the realm's limits; every call passes it.
        clock: measures deadlines and timeouts.
        entropy: jitter between the tries of a read.
        timeout_seconds: most for one exchange. A write may also be bounded by its deadline.
        read_retry_seconds: pause after the first failed try of a read; doubles.
        tracer: one span per call; none by default.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        realm: Realm,
        tokens: AccessTokens,
        gate: RealmGate,
        *,
        clock: Clock,
        entropy: Entropy,
        timeout_seconds: float = 60.0,
        read_retry_seconds: float = 1.0,
        tracer: Tracer | None = None,
    ) -> None:
        self.realm = realm
        self._clock = clock
        self._entropy = entropy
        self._read_retry_seconds = read_retry_seconds
        self._calls = Calls(
            session, realm, tokens, gate, clock=clock, timeout_seconds=timeout_seconds, tracer=tracer or NoOpTracer()
        )
        self.papers = Papers(session, self._calls, clock)

    async def write(
        self,
        entity: str,
        body: bytes,
        *,
        request_id: str,
        operation: Operation,
        lane: Lane,
        deadline: float,
        permit: Permit | None = None,
    ) -> WriteOutcome:
        """Send exactly these bytes once.

        Args:
            entity: in QuickBooks' spelling ("JournalEntry").
            body: the JSON of the record; updates, deletes and voids hold `Id` and `SyncToken`.
            request_id: bound to this body for ever; at most 50 characters.
            operation: what the body is for.
            lane: priority at the gate.
            deadline: monotonic seconds of the clock after which no byte leaves.
            permit: of the gate, where the caller has waited for it already; released here.

        Raises:
            OperationError: QuickBooks has no such operation for the entity.
            ValueError: no usable request id.
        """
        _require_request_id(request_id, REQUEST_ID_LENGTH_MAX)
        call = Call(
            name=operation,
            entity=entity,
            path=entity.lower(),
            lane=lane,
            deadline=deadline,
            parameters=write_parameters(entity, operation),
            body=body,
            request_id=request_id,
            permit=permit,
        )
        return write_outcome(await self._calls.make(call), entity)

    async def create_tax_code(self, body: bytes, *, request_id: str, lane: Lane, deadline: float) -> WriteOutcome:
        """Have the tax service make a tax code with its rates: the one way to make either.

        Args:
            body: `{"TaxCode": name, "TaxRateDetails": [...]}`.
            request_id, lane, deadline: as for `write`.

        Returns:
            An accepted document with `TaxCodeId` and the rates; the records themselves are read by their ids.
        """
        _require_request_id(request_id, REQUEST_ID_LENGTH_MAX)
        call = Call(
            name="create",
            entity="TaxService",
            path="taxservice/taxcode",
            lane=lane,
            deadline=deadline,
            body=body,
            request_id=request_id,
        )
        return tax_service_outcome(await self._calls.make(call))

    async def batch(
        self, body: bytes, *, request_id: str, lane: Lane, deadline: float, permit: Permit | None = None
    ) -> BatchOutcome:
        """Send exactly these bytes, a batch of 1 to 30 items, once.

        Args:
            body: `{"BatchItemRequest": [...]}` with distinct `bId`.
            request_id: bound to this body for ever; at most 36 characters.
            lane, deadline, permit: as for `write`.

        Raises:
            ValueError: not such a batch, or no usable request id.
        """
        _require_request_id(request_id, BATCH_REQUEST_ID_LENGTH_MAX)
        items = batch_items(body)
        call = Call(
            name="batch",
            entity="",
            path="batch",
            lane=lane,
            deadline=deadline,
            kind=CallKind.BATCH,
            body=body,
            request_id=request_id,
            metered=sum(item.entity == "Query" for item in items),
            permit=permit,
        )
        outcome = batch_outcome(await self._calls.make(call), items)
        if isinstance(outcome, BatchAnswered):
            for item in outcome.items.values():
                if isinstance(item, Rejected):
                    self._calls.note_fault(item.fault)
        return outcome

    async def read(self, entity: str, entity_id: str, lane: Lane, *, deadline: float | None = None) -> ReadOutcome:
        """Read one record by its id; inactive ones are found too.

        Raises:
            OperationError: an entity that cannot be read.
        """
        if entity not in READABLE:
            raise OperationError(f"There is no QuickBooks entity {entity!r} that can be read.")
        return await self._read_at(f"{entity.lower()}/{quote(entity_id, safe='')}", entity, lane, deadline)

    async def company_info(self, lane: Lane = Lane.LIVE) -> ReadOutcome:
        """Read the company's name, country and offering."""
        return await self._read_at(f"companyinfo/{quote(self.realm.realm_id, safe='')}", "CompanyInfo", lane, None)

    async def preferences(self, lane: Lane = Lane.LIVE) -> ReadOutcome:
        """Read what is switched on: closing date, currencies, tax, custom numbers, classes."""
        return await self._read_at("preferences", "Preferences", lane, None)

    async def exchange_rate(self, currency: str, day: date, lane: Lane = Lane.LIVE) -> ReadOutcome:
        """The books' own rate of a foreign currency on a day."""
        until = self._until(None)
        parameters = {"sourcecurrencycode": currency, "asofdate": day.isoformat()}
        return await self._patiently(
            lambda: self._get("read", "ExchangeRate", "exchangerate", lane, until, parameters),
            lambda result: read_outcome(result, "ExchangeRate"),
        )

    async def query(self, query: Query, lane: Lane, *, deadline: float | None = None) -> QueryOutcome:
        """Run a query and return what it says: one page. Without `page` QuickBooks gives 100 rows at most."""
        until = self._until(deadline)
        text = query.text

        def call() -> Call:
            if len(text) <= QUERY_IN_URL_LENGTH_MAX:
                return self._get("query", query.entity, "query", lane, until, {"query": text})
            return Call(
                name="query",
                entity=query.entity,
                path="query",
                lane=lane,
                deadline=until,
                kind=CallKind.READ,
                body=text.encode(),
                content_type="application/text",
                metered=1,
            )

        return await self._patiently(call, lambda result: query_page(result, query.entity))

    async def query_all(self, query: Query, lane: Lane, *, page_rows: int = PAGE_ROWS_MAX) -> AsyncIterator[JsonObject]:
        """All rows of a query, by `Id`, safe while others write: each once (see `paging`).

        Raises:
            ReadFailedError: a page could not be read; what was yielded before is not all there is.
            QueryError: the query has an order, a page or a count.
        """

        async def fetch(page: Query) -> QueryOutcome:
            return await self.query(page, lane)

        async for row in read_pages(fetch, query, page_rows=page_rows):
            yield row

    async def count(self, query: Query, lane: Lane) -> int | ReadFailed:
        """How many records match."""
        page = await self.query(query.count(), lane)
        if isinstance(page, ReadFailed):
            return page
        if page.total_count is None:
            return ReadFailed("a count without a number", transient=True, intuit_tid=page.intuit_tid)
        return page.total_count

    async def cdc(
        self, entities: Sequence[str], changed_since: datetime, lane: Lane, *, deadline: float | None = None
    ) -> ChangeOutcome:
        """Everything that changed since an instant, for all these entities in one call.

        Raises:
            ChangeWindowError: an entity that CDC leaves out, or more than 30 days back.
        """
        check_request(entities, changed_since, self._clock.now())
        until = self._until(deadline)
        parameters = {"entities": ",".join(entities), "changedSince": instant(changed_since)}
        return await self._patiently(
            lambda: self._get("cdc", ",".join(entities), "cdc", lane, until, parameters), changes
        )

    async def _read_at(self, path: str, entity: str, lane: Lane, deadline: float | None) -> ReadOutcome:
        until = self._until(deadline)
        return await self._patiently(
            lambda: self._get("read", entity, path, lane, until, {}), lambda result: read_outcome(result, entity)
        )

    def _get(self, name: str, entity: str, path: str, lane: Lane, deadline: float, parameters: dict[str, str]) -> Call:
        return Call(
            name=name,
            entity=entity,
            path=path,
            lane=lane,
            deadline=deadline,
            method="GET",
            kind=CallKind.READ,
            parameters=parameters,
            metered=1,
        )

    async def _patiently(self, call: Callable[[], Call], interpret: Callable[[CallResult], T]) -> T:
        """Make a read, and again after passing trouble, a few times."""

        async def once() -> T:
            return interpret(await self._calls.make(call()))

        tries: Callable[[], Awaitable[T]] = backoff.on_predicate(
            backoff.expo,
            _worth_another_try,
            max_tries=READ_TRIES_MAX,
            factor=self._read_retry_seconds,
            jitter=lambda seconds: seconds * (0.5 + self._entropy.random()),
            logger=None,
        )(once)
        return await tries()

    def _until(self, deadline: float | None) -> float:
        return self._clock.monotonic() + READ_PATIENCE_SECONDS if deadline is None else deadline


def _worth_another_try(outcome: object) -> bool:
    return isinstance(outcome, ReadFailed) and outcome.transient


def _require_request_id(request_id: str, length_max: int) -> None:
    if not 1 <= len(request_id) <= length_max:
        raise ValueError(f"a request id has 1 to {length_max} characters, not {len(request_id)}")
