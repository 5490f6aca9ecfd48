"""QuickBooks Online behind the dispatcher's port: calls and their outcomes, evidence, readings and names."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from counterfoil.dispatch.books import (
    BooksFacts,
    BooksUnreadableError,
    Call,
    Item,
    Listing,
    Outcome,
    Shown,
    Slot,
    Span,
    Swept,
    Wanted,
)
from counterfoil.dispatch.evidence import shows_effect
from counterfoil.dispatch.limiter import CallKind, Lane, Permit, RealmGate
from counterfoil.planning.ownership import note_field
from counterfoil.quickbooks.online.access import AccessTokens
from counterfoil.quickbooks.online.client import QuickBooksClient
from counterfoil.quickbooks.online.oauth import TokenError
from counterfoil.quickbooks.online.operations import NAME_LISTS, Operation
from counterfoil.quickbooks.online.outcomes import Found, NotFound, QueryPage, ReadFailed, ReadFailedError
from counterfoil.quickbooks.online.query import FILTERABLE, PAGE_ROWS_MAX, Query, select
from counterfoil.quickbooks.online.verdicts import batch_verdicts, verdict
from counterfoil_schema import exact_json
from counterfoil_schema.events.decisions import Lane as LaneName
from counterfoil_schema.events.receipts import TaxMode
from counterfoil_schema.exact_json import JsonObject

IDS_PER_QUERY = 200
CLOCK_SKEW = timedelta(minutes=2)
CLOCK_WRONG_MAX = timedelta(hours=1)
"""Who sent a call may have had a clock that was ahead by as much: its documents look older than the call."""

_LANES: Mapping[str, Lane] = {
    "live": Lane.LIVE,
    "retry": Lane.RETRY,
    "backfill": Lane.BACKFILL,
    "reconcile": Lane.RECONCILE,
}
_QUERYABLE_NUMBER = frozenset({"Invoice", "CreditMemo", "JournalEntry", "SalesReceipt", "Estimate", "Bill"})
_NAME_FIELD: Mapping[str, str] = dict.fromkeys(("Customer", "Vendor", "Employee"), "DisplayName")
_DIVISIBLE = frozenset({"4002", "10200"})
"""Faults of a query that one record can bring about: what cannot be processed, or a result that is too big."""


@dataclass(frozen=True, slots=True)
class _Passed:
    """A permit that was waited for."""

    permit: Permit


class OnlineBooks:
    """One company's books in QuickBooks Online. See `Books` for what each method promises."""

    def __init__(self, client: QuickBooksClient, gate: RealmGate, tokens: AccessTokens) -> None:
        self._client = client
        self._gate = gate
        self._tokens = tokens

    def body_bytes(self, call: Call) -> bytes:
        if not call.is_batch:
            return exact_json.dumps(call.items[0].body)
        return exact_json.dumps({"BatchItemRequest": [_batch_item(item) for item in call.items]})

    @asynccontextmanager
    async def slot(self, call: Call) -> AsyncGenerator[Slot]:
        kind = CallKind.BATCH if call.is_batch else CallKind.SINGLE
        permit = await self._gate.acquire(_LANES[call.lane], kind)
        try:
            yield _Passed(permit)
        finally:
            permit.release(sent=False)

    def wait_seconds(self, lane: str, *, batch: bool, ahead: int = 0) -> float:
        return self._gate.wait_seconds(_LANES[lane], CallKind.BATCH if batch else CallKind.SINGLE, ahead)

    async def send(self, call: Call, *, slot: Slot, deadline: float) -> Mapping[str, Outcome]:
        permit = slot.permit if isinstance(slot, _Passed) else None
        body, lane = self.body_bytes(call), _LANES[call.lane]
        if call.is_batch:
            answer = await self._client.batch(
                body, request_id=call.request_id, lane=lane, deadline=deadline, permit=permit
            )
            return batch_verdicts(call, answer)
        item = call.items[0]
        outcome = await self._client.write(
            item.entity,
            body,
            request_id=call.request_id,
            operation=_operation(item),
            lane=lane,
            deadline=deadline,
            permit=permit,
        )
        return {item.intent_id: verdict(outcome)}

    async def find(self, wanted: Sequence[Wanted], *, sent_at: datetime, thorough: bool = False) -> Mapping[str, Shown]:
        found: dict[str, Shown] = {}
        marked = [one for one in wanted if one.item.entity not in NAME_LISTS]
        for entity in dict.fromkeys(one.item.entity for one in marked):
            group = [one for one in marked if one.item.entity == entity]
            found.update(await self._marked(entity, group, sent_at, thorough=thorough))
        for one in wanted:
            if one.item.entity in NAME_LISTS:
                shown = await self._created_since(one.item, sent_at)
                if shown is not None:
                    found[one.item.intent_id] = shown
        return found

    async def _marked(
        self, entity: str, wanted: Sequence[Wanted], sent_at: datetime, *, thorough: bool
    ) -> dict[str, Shown]:
        """Transactions that bear our markers: by their numbers, else near their party and date."""
        numbered = [one for one in wanted if _has_number(one.item)]
        found: dict[str, Shown] = {}
        if numbered:
            numbers = [str(one.item.body["DocNumber"]) for one in numbered]
            found = _by_marker(numbered, await self._rows(select(entity).where("DocNumber", "IN", *numbers)), entity)
        for one in wanted:
            if not _has_number(one.item):
                found.update(_by_marker([one], await self._all_rows(_near(one.item)), entity))
        missing = [one for one in wanted if one.item.intent_id not in found]
        if thorough and missing:
            since = select(entity).where("MetaData.CreateTime", ">=", sent_at - CLOCK_WRONG_MAX)
            found.update(_by_marker(missing, await self._all_rows(since), entity))
        return found

    async def _created_since(self, item: Item, sent_at: datetime) -> Shown | None:
        """A name of a list that came to be while our create was under way: names are unique, so it is ours.

        Where only a wrong clock would explain its age, it must hold all that was sent as well.
        """
        shown = await self.named(item.entity, item.body)
        if shown is None or shown.entity != item.entity:
            return None  # a vendor or employee of that name is nothing that a create of a customer made
        metadata = shown.document.get("MetaData")
        created = metadata.get("CreateTime") if isinstance(metadata, dict) else None
        age = sent_at - datetime.fromisoformat(created) if isinstance(created, str) else timedelta.max
        ours = age <= CLOCK_SKEW or (age <= CLOCK_WRONG_MAX and shows_effect(item.body, shown.document))
        return shown if ours else None

    async def named(self, entity: str, body: JsonObject) -> Shown | None:
        if entity in NAME_LISTS:
            field = _NAME_FIELD.get(entity, "Name")
            name = _name(entity, body)
            for other in _NAME_FIELD if entity in _NAME_FIELD else (entity,):
                rows = await self._rows(select(other).where(field, "=", name).with_inactive())
                if rows:
                    return _shown(other, rows[0])
            return None
        number = body.get("DocNumber")
        if not isinstance(number, str):
            return None
        rows = await self._rows(select(entity).where("DocNumber", "=", number))
        return _shown(entity, rows[0]) if rows else None

    async def read(self, entity: str, document_ids: Sequence[str], lane: LaneName) -> Sequence[Shown]:
        shown: dict[str, Shown] = {}
        ids = list(dict.fromkeys(document_ids))
        if len(ids) > 1:
            for start in range(0, len(ids), IDS_PER_QUERY):
                part = ids[start : start + IDS_PER_QUERY]
                query = select(entity).where("Id", "IN", *part)
                rows = await self._rows(query.with_inactive() if entity in NAME_LISTS else query, _LANES[lane])
                shown.update({str(row["Id"]): _shown(entity, row) for row in rows})
        # What a query leaves out is asked for by name: only then is "gone" QuickBooks' own word.
        for document_id in ids:
            if document_id not in shown:
                shown[document_id] = await self._read_one(entity, document_id, _LANES[lane])
        return [shown[document_id] for document_id in ids]

    async def _read_one(self, entity: str, document_id: str, lane: Lane) -> Shown:
        outcome = await self._client.read(entity, document_id, lane)
        match outcome:
            case Found():
                return _shown(entity, outcome.document)
            case NotFound():
                stub: JsonObject = {"Id": document_id, "status": "Deleted"}
                return Shown(entity=entity, document_id=document_id, status="deleted", document=stub)
            case ReadFailed():
                raise unreadable(outcome)

    async def sweep(self, entities: Sequence[str], since: datetime, lane: LaneName) -> Swept:
        outcome = await self._client.cdc(list(entities), since, _LANES[lane])
        if isinstance(outcome, ReadFailed):
            raise unreadable(outcome)
        asked = frozenset(entities)
        return Swept(
            shown=[_shown(entity, row) for entity, rows in outcome.rows.items() if entity in asked for row in rows],
            gone=[(stub.entity, stub.entity_id) for stub in outcome.deleted if stub.entity in asked],
            until=outcome.time,
            truncated=outcome.truncated,
        )

    async def changed_since(self, entity: str, since: datetime, lane: LaneName) -> AsyncIterator[Sequence[Shown]]:
        async for page in self._pages(_narrowed(entity).where("MetaData.LastUpdatedTime", ">=", since), lane):
            yield [_shown(entity, row) for row in page]

    async def within(self, entity: str, lane: LaneName, span: Span) -> AsyncIterator[Sequence[Shown]]:
        async for page in self._pages(_narrowed(entity, created=span.created, dated=span.dated), lane):
            yield [_shown(entity, row) for row in page]

    async def listed(
        self,
        entity: str,
        lane: LaneName,
        *,
        open_only: bool = False,
        dated_from: date | None = None,
        created_from: datetime | None = None,
    ) -> AsyncIterator[Sequence[JsonObject]]:
        """Whole documents of one entity, inactive entries of lists included, a thousand to a page.

        Args:
            open_only: with something left to pay.
            dated_from: by accounting date.
            created_from: by when QuickBooks made them.

        Raises:
            BooksUnreadableError: a page could not be read; what came before is not all there is.
        """
        query = _narrowed(entity)
        query = query.where("Balance", ">", Decimal(0)) if open_only else query
        query = query.where("TxnDate", ">=", dated_from) if dated_from is not None else query
        query = query.where("MetaData.CreateTime", ">=", created_from) if created_from is not None else query
        async for page in self._pages(query, lane):
            yield page

    async def _pages(self, query: Query, lane: LaneName) -> AsyncIterator[Sequence[JsonObject]]:
        page: list[JsonObject] = []
        try:
            async for row in self._client.query_all(query, _LANES[lane]):
                page.append(row)
                if len(page) >= PAGE_ROWS_MAX:
                    yield page
                    page = []
        except ReadFailedError as failed:
            raise unreadable(failed.outcome) from failed
        if page:
            yield page

    async def count(
        self,
        entity: str,
        lane: LaneName,
        *,
        changed_since: datetime | None = None,
        created: tuple[datetime, datetime] | None = None,
        dated: tuple[date, date] | None = None,
    ) -> int:
        query = _narrowed(entity, created=created, dated=dated)
        if changed_since is not None:
            query = query.where("MetaData.LastUpdatedTime", ">=", changed_since)
        counted = await self._client.count(query, _LANES[lane])
        if isinstance(counted, ReadFailed):
            raise unreadable(counted)
        return counted

    async def names(self, entity: str, lane: LaneName) -> Sequence[Listing]:
        field = "DisplayName" if entity == "TaxAgency" else _NAME_FIELD.get(entity, "Name")
        query = select(entity)
        try:
            asked = query.with_inactive() if "Active" in FILTERABLE[entity] else query
            rows = [row async for row in self._client.query_all(asked, _LANES[lane])]
        except ReadFailedError as failed:
            raise unreadable(failed.outcome) from failed
        return [
            Listing(
                document_id=str(row["Id"]),
                name=str(row.get("FullyQualifiedName") or row.get(field, "")),
                active=row.get("Active") is not False,
                account_type=str(row["AccountType"]) if entity == "Account" and row.get("AccountType") else None,
            )
            for row in rows
        ]

    async def rate(self, currency: str, day: date) -> Shown | None:
        outcome = await self._client.exchange_rate(currency, day, Lane.RETRY)
        match outcome:
            case Found(document=document):
                identity = f"{currency} {day.isoformat()}"
                return Shown(entity="ExchangeRate", document_id=identity, status="live", document=document)
            case NotFound():
                return None
            case ReadFailed():
                raise unreadable(outcome)

    async def is_connected(self) -> bool:
        try:
            await self._tokens.token()
        except TokenError:
            return False
        return True

    async def facts(self) -> BooksFacts:
        # Nothing is sent before the books are known: this lane is never stopped for want of budget.
        await self.is_connected()  # tokens bring the realm, where the configuration does not name it
        company = _document(await self._client.company_info(Lane.RETRY))
        preferences = _document(await self._client.preferences(Lane.RETRY))
        currency = _part(preferences, "CurrencyPrefs")
        home = _part(currency, "HomeCurrency").get("value")
        accounting = _part(preferences, "AccountingInfoPrefs")
        sales = _part(preferences, "SalesFormsPrefs")
        closed = accounting.get("BookCloseDate")
        names = [str(company.get(name, "")) for name in ("CompanyName", "LegalName")]
        lasting = [str(company.get(name, "")) for name in ("Country", "CompanyStartDate")]
        return BooksFacts(
            realm_id=self._client.realm.realm_id,
            name=str(company.get("CompanyName", "")),
            fingerprint=f"{_digest(lasting)}:{_digest(names)}",
            former_fingerprint=_digest([*names, *lasting]),
            home_currency=str(home or "USD"),
            multi_currency=currency.get("MultiCurrencyEnabled") is True,
            custom_numbers=sales.get("CustomTxnNumbers") is True,
            class_tracking=accounting.get("ClassTrackingPerTxn") is True
            or accounting.get("ClassTrackingPerTxnLine") is True,
            department_tracking=accounting.get("TrackDepartments") is True,
            closed_until=date.fromisoformat(str(closed)[:10]) if closed else None,
            tax_mode=_tax_mode(str(company.get("Country", "")), _part(preferences, "TaxPrefs")),
        )

    async def _all_rows(self, query: Query) -> Sequence[JsonObject]:
        try:
            return [row async for row in self._client.query_all(query, Lane.RETRY)]
        except ReadFailedError as failed:
            raise unreadable(failed.outcome) from failed

    async def _rows(self, query: Query, lane: Lane = Lane.RETRY) -> Sequence[JsonObject]:
        outcome = await self._client.query(query.page(1, PAGE_ROWS_MAX), lane)
        if isinstance(outcome, QueryPage):
            return outcome.rows
        raise unreadable(outcome)


def _narrowed(
    entity: str, *, created: tuple[datetime, datetime] | None = None, dated: tuple[date, date] | None = None
) -> Query:
    """All documents of an entity, inactive entries of lists included, or those of a span."""
    query = select(entity).with_inactive() if entity in NAME_LISTS else select(entity)
    if created is not None:
        query = query.where("MetaData.CreateTime", ">=", created[0]).where("MetaData.CreateTime", "<", created[1])
    if dated is not None:
        query = query.where("TxnDate", ">=", dated[0]).where("TxnDate", "<=", dated[1])
    return query


def _tax_mode(country: str, taxes: JsonObject) -> TaxMode:
    """How the books tax. Intuit writes the country with two letters, and with three since the end of 2025."""
    collects = taxes.get("UsingSalesTax") is True
    if country.upper() not in {"", "US", "USA"}:
        return "abroad" if collects else "abroad_none"
    if taxes.get("PartnerTaxEnabled") is True:
        return "automated"
    return "codes" if collects else "none"


def unreadable(failed: ReadFailed) -> BooksUnreadableError:
    """The port's error for a read that failed."""
    reconnect = failed.fault is not None and failed.fault.kind.value == "reconnect"
    reason = failed.reason.strip().rstrip(".")
    passing = "" if "tried again" in reason else "It is tried again later."
    return BooksUnreadableError(
        f"Reading from QuickBooks failed: {reason}.",
        remedy=failed.fault.fix if failed.fault else passing,
        retry_after=failed.retry_after_seconds,
        reconnect=reconnect,
        divisible=failed.fault is not None and failed.fault.code in _DIVISIBLE,
    )


def _batch_item(item: Item) -> JsonObject:
    head: JsonObject = {"bId": item.batch_id, "operation": "update" if item.operation == "void" else item.operation}
    if item.operation == "void":
        head["optionsData"] = "void"
    return {**head, item.entity: item.body}


def _operation(item: Item) -> Operation:
    match item.operation:
        case "create" | "update" | "delete" | "void":
            return item.operation
        case other:
            raise ValueError(f"{other} is nothing that is done to books")


def _has_number(item: Item) -> bool:
    return item.entity in _QUERYABLE_NUMBER and isinstance(item.body.get("DocNumber"), str)


def _near(item: Item) -> Query:
    """Where a document without a number of ours is to be found: its party and its date."""
    query = select(item.entity)
    for name in ("CustomerRef", "EmployeeRef"):
        party = item.body.get(name)
        if isinstance(party, dict) and isinstance(party.get("value"), str):
            query = query.where(name, "=", str(party["value"]))
    dated = item.body.get("TxnDate")
    return query.where("TxnDate", "=", dated) if isinstance(dated, str) else query


def _by_marker(wanted: Sequence[Wanted], rows: Sequence[JsonObject], entity: str) -> dict[str, Shown]:
    return {
        one.item.intent_id: _shown(entity, row)
        for one in wanted
        for row in rows
        if one.marker in str(row.get(note_field(entity), ""))
    }


def _name(entity: str, body: JsonObject) -> str:
    name = body.get(_NAME_FIELD.get(entity, "Name"))
    if isinstance(name, str):
        return name
    parts = (body.get("GivenName"), body.get("FamilyName"))
    return " ".join(part for part in parts if isinstance(part, str))


def _shown(entity: str, document: JsonObject) -> Shown:
    status: Literal["live", "deleted", "voided"] = "live"
    if document.get("status") == "Deleted":
        status = "deleted"
    elif "Voided" in str(document.get("PrivateNote", "")) and not document.get("TotalAmt"):
        status = "voided"
    return Shown(entity=entity, document_id=str(document.get("Id", "")), status=status, document=document)


def _document(outcome: object) -> JsonObject:
    if isinstance(outcome, Found):
        return outcome.document
    if isinstance(outcome, ReadFailed):
        raise unreadable(outcome)
    raise BooksUnreadableError("QuickBooks does not show its company information.", remedy="It is tried again later.")


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256(exact_json.canonical([*texts])).hexdigest()[:32]


def _part(document: JsonObject, name: str) -> JsonObject:
    part = document.get(name)
    return part if isinstance(part, dict) else {}
