"""Pages of changes and single records: the sweeps, put together to whole records."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from counterfoil.sources.port import Page, Removed, SourceChange, SourceError
from counterfoil.sources.since import ChangesSince, Rows
from counterfoil_adapters.pipedrive.api import PipedriveApi
from counterfoil_adapters.pipedrive.deals import (
    DealParts,
    DealRules,
    deal_change,
    installment_change,
    installment_changes,
)
from counterfoil_adapters.pipedrive.fields import FieldCatalogue
from counterfoil_adapters.pipedrive.normalise import (
    DELETED,
    INSTALLMENT,
    LISTS,
    PartyRules,
    is_deleted,
    organization_change,
    person_change,
    product_change,
    removed,
)
from counterfoil_adapters.pipedrive.settings import PipedriveSettings, Wishes
from counterfoil_adapters.pipedrive.values import Row, updated
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject

NOT_YET_SECONDS = 5.0
NOT_YET_TRIES = 3
REMEMBERED_MAX = 20_000
PARTS_MAX = 2_000
SINGLES_MAX = 8
"""Up to so many products one by one cost less than a list of them."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the reading of one kind stands; `removed` is about the list of deleted deals."""

    main: str | None = None
    removed: str | None = None

    def text(self) -> str:
        """As kept by the engine."""
        return exact_json.dumps({"main": self.main, "removed": self.removed}).decode()


def parse_cursor(text: str | None) -> Cursor:
    """Undo `Cursor.text`.

    Raises:
        SourceError: not a cursor of this adapter.
    """
    if text is None:
        return Cursor()
    try:
        value = exact_json.loads_object(text)
        main, gone = value.get("main"), value.get("removed")
        if isinstance(main, str | None) and isinstance(gone, str | None):
            return Cursor(main, gone)
    except ValueError:
        pass
    raise SourceError(
        f"The Pipedrive cursor {text[:80]!r} cannot be read.", remedy="Start a full reading of this connection."
    )


class Reader:
    """Reads whole records: a deal with its products and instalments, in as few tokens as can be."""

    def __init__(
        self, api: PipedriveApi, catalogue: FieldCatalogue, connection: str, settings: PipedriveSettings, wishes: Wishes
    ) -> None:
        self._api = api
        self._catalogue = catalogue
        self._connection = connection
        self._settings = settings
        self._wishes = wishes
        self._stages: dict[str, str] = {}
        self._is_checked = False
        self._parts: dict[tuple[str, str], DealParts] = {}
        self._absent: dict[tuple[str, str], int] = {}
        self._lists: dict[str, ChangesSince] = {}

    def kinds(self) -> Sequence[str]:
        """Customers and products before the deals that name them."""
        return (*LISTS, INSTALLMENT) if self._settings.installments == "invoices" else tuple(LISTS)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        """Pages of one kind since a cursor."""
        await self._check_company()
        held = parse_cursor(cursor)
        watched = kind == "deal" and self._settings.poll_deletions
        async for found in self._since(kind, kind, anew=held.main is None).pages(held.main):
            held = replace(held, main=found.cursor.text())
            changes = await self._changes_of(kind, found.rows, urgent=False)
            yield Page(changes=changes, cursor=held.text(), done=found.done and not watched)
        if watched:
            async for found in self._since(DELETED, kind, anew=held.removed is None).pages(held.removed):
                held = replace(held, removed=found.cursor.text())
                yield Page(changes=[removed(kind, row) for row in found.rows], cursor=held.text(), done=found.done)

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        """One record as it is now, preceded by those that it names.

        Raises:
            SourceError: Pipedrive does not show it, or cannot be read now.
        """
        await self._check_company()
        deal_id, _, installment_id = source_id.partition("-")
        row = await self._api.get("deals" if kind == INSTALLMENT else LISTS[kind], deal_id)
        if row is None:
            raise self._not_shown(kind, source_id)
        self._absent.pop((kind, source_id), None)
        if is_deleted(row):
            whole = removed("deal" if kind == INSTALLMENT else kind, row)
            return [replace(whole, kind=kind, source_id=source_id)]
        if kind not in {"deal", INSTALLMENT}:
            return await self._changes_of(kind, [row], urgent=True)
        (parts,) = await self._whole([row], urgent=True)
        rules = await self._rules([row])
        named = await self._named_by(parts, rules)
        if kind == "deal":
            return [*named, deal_change(parts, rules)]
        for one in parts.installments:
            if str(one.get("id")) == installment_id:
                return [*named, installment_change(parts, one, rules)]
        # The deal is there and was asked for all its instalments: this answer is Pipedrive's own word.
        evidence = f"Pipedrive lists the installments of deal {deal_id}, and {installment_id} is not among them."
        return [Removed(kind=kind, source_id=source_id, evidence=evidence)]

    def _since(self, name: str, kind: str, *, anew: bool) -> ChangesSince:
        """The list of a kind, or of what was deleted; `anew` forgets what was handed over."""
        if anew or name not in self._lists:
            listed = LISTS.get(kind, "deals")

            async def fetch(since: datetime | None, after: str | None) -> Rows:
                page = await self._api.changed(listed, since, after, deleted=name == DELETED)
                return Rows(page.rows, page.cursor)

            overlap = timedelta(seconds=self._settings.overlap_seconds)
            self._lists[name] = ChangesSince(fetch, updated, lambda row: str(row.get("id")), overlap=overlap)
        return self._lists[name]

    def _not_shown(self, kind: str, source_id: str) -> SourceError:
        key = (kind, source_id)
        self._absent[key] = self._absent.get(key, 0) + 1
        _trim(self._absent, REMEMBERED_MAX)
        # A webhook may be ahead of the API; what stays away is asked for at the pace of polls, for each try costs.
        soon = NOT_YET_SECONDS if self._absent[key] <= NOT_YET_TRIES else None
        return SourceError(f"Pipedrive does not show {kind} {source_id}.", retry_after=soon)

    async def _changes_of(self, kind: str, rows: Sequence[JsonObject], *, urgent: bool) -> Sequence[SourceChange]:
        gone = [] if kind == INSTALLMENT else [removed(kind, row) for row in rows if is_deleted(row)]
        live = [row for row in rows if not is_deleted(row)]
        match kind:
            case "deal" | "installment":
                rules = await self._rules(live)
                parts = await self._whole(live, urgent=urgent, read_before=kind == INSTALLMENT)
                if kind == "deal":
                    return [*gone, *(deal_change(one, rules) for one in parts)]
                return [change for one in parts for change in installment_changes(one, rules)]
            case "organization":
                party = await self._party_rules(kind)
                return [*gone, *(organization_change(row, party) for row in live)]
            case "person":
                return [*gone, *map(person_change, live)]
            case _:
                party = await self._party_rules(kind)
                return [*gone, *(product_change(row, party) for row in live)]

    async def _whole(
        self, deals: Sequence[JsonObject], *, urgent: bool, read_before: bool = False
    ) -> Sequence[DealParts]:
        """Deals with products and instalments; those that become no invoice stay without, since each call costs.

        Args:
            read_before: use what the reading of the deals themselves has just brought, once.
        """
        rules = await self._rules(deals)
        known = {_key_of(row): parts for row in deals if (parts := self._parts.pop(_key_of(row), None))}
        held = known if read_before else {}
        wanted = [row for row in deals if self._is_due(row, rules) and _key_of(row) not in held]
        ids = [str(row.get("id")) for row in wanted]
        with_parts = self._settings.installments == "invoices" and ids
        installments = await self._api.of_deals("installments", ids, urgent=urgent) if with_parts else {}
        sold = [deal_id for deal_id in ids if not read_before or deal_id in installments]
        products = await self._api.of_deals("products", sold, urgent=urgent) if sold else {}
        fetched = {
            _key_of(row): DealParts(row, products.get(deal_id, ()), installments.get(deal_id, ()))
            for row, deal_id in zip(wanted, ids, strict=True)
        }
        if with_parts and not read_before:
            self._parts.update(fetched)
            _trim(self._parts, PARTS_MAX)
        found = {**held, **fetched}
        return [found.get(_key_of(row)) or DealParts(row) for row in deals]

    def _is_due(self, deal: JsonObject, rules: DealRules) -> bool:
        if deal.get("status") in (None, "won"):
            return True  # without a status nobody can tell: then its instalments are read, and say so
        return rules.status_of(deal).casefold() in self._wishes.statuses

    async def _named_by(self, parts: DealParts, rules: DealRules) -> Sequence[SourceChange]:
        found: list[SourceChange] = []
        customer = rules.customer_of(parts.deal)
        if customer is not None:
            kind, source_id = customer
            row = await self._api.get(LISTS[kind], source_id)
            found.extend(await self._changes_of(kind, [row], urgent=True) if row is not None else ())
        ids = {product for one in parts.products if (product := Row("deal product", one).link("product_id"))}
        rows = await self._products(sorted(ids))
        return [*found, *await self._changes_of("product", rows, urgent=True)]

    async def _products(self, ids: Sequence[str]) -> Sequence[JsonObject]:
        if len(ids) > SINGLES_MAX:
            return await self._api.several("products", ids)
        rows = [await self._api.get("products", product_id) for product_id in ids]
        return [row for row in rows if row is not None]

    async def _rules(self, deals: Sequence[JsonObject] = ()) -> DealRules:
        held = self._settings
        stages = {str(deal.get("stage_id")) for deal in deals} if held.status == "stage" else set[str]()
        if not stages <= self._stages.keys():
            self._stages = dict(await self._api.stages())
        return DealRules(
            connection=self._connection,
            settings=held,
            stages=self._stages,
            number=await self._catalogue.named("deal", held.number_field),
            due=await self._catalogue.named("deal", held.due_field),
            rate=await self._catalogue.named("deal", held.rate_field),
        )

    async def _party_rules(self, kind: str) -> PartyRules:
        name = self._settings.organization_email_field if kind == "organization" else None
        return PartyRules(email=await self._catalogue.named("organization", name), currency=self._wishes.currency)

    async def _check_company(self) -> None:
        """Once: that the token is for the company that the settings pin."""
        held = self._settings
        if self._is_checked or (held.company_id is None and held.company_domain is None):
            return
        me = await self._api.me()
        pinned: Iterable[tuple[str, str | None]] = (
            ("company_id", held.company_id),
            ("company_domain", held.company_domain),
        )
        for name, wanted in pinned:
            found = me.get(name)
            if wanted is not None and found is not None and str(found) != wanted:
                raise SourceError(
                    f"The token of the Pipedrive connection {self._connection} is for the company {found}, "
                    f"and {name} says {wanted}: nothing is read.",
                    remedy=f"Give a token of the right company, or correct {name}.",
                )
        self._is_checked = True


def _key_of(row: JsonObject) -> tuple[str, str]:
    return str(row.get("id")), str(updated(row))


def _trim(remembered: dict[K, V], most: int) -> None:
    while len(remembered) > most:
        del remembered[next(iter(remembered))]
