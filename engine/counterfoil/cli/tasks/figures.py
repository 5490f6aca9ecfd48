"""How a company stands: the five outcomes, what is parked, what waits for approval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from counterfoil.dispatch.approval import needs_approval
from counterfoil.log import LogReader
from counterfoil.settings import CompanySettings
from counterfoil.state.rows import CompanyRow, IntentRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.receipts import CompanyApproved

OUTCOMES: tuple[str, ...] = ("applied", "unchanged", "skipped", "waiting", "parked")
PAGE_ROWS = 500
REVIEW_ROWS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Reason:
    """So many changes are in one state for one reason."""

    state: str
    code: str
    changes: int


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All observed changes of a company, each in exactly one state."""

    reasons: tuple[Reason, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(one.changes for one in self.reasons)

    @property
    def counts(self) -> Mapping[str, int]:
        """The five, in their order."""
        return {state: sum(one.changes for one in self.reasons if one.state == state) for state in OUTCOMES}

    @property
    def undecided(self) -> int:
        """Changes that nothing was decided about yet."""
        return sum(one.changes for one in self.reasons if (one.state, one.code) == ("waiting", "decision"))

    def as_words(self, state: str) -> str:
        """The reasons within one state: `12 superseded, 3 not-ours`."""
        parts = [one for one in self.reasons if one.state == state and one.code not in {"", state}]
        return ", ".join(f"{one.changes} {one.code}" for one in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedNote:
    """What a source would not take down on its own record: why that is parked, or that it no longer is.

    `position` is that of the change which it tells of, and which stands as it stands all the same.
    """

    company: int
    record_key: str
    target: str
    position: int
    code: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A change that waits for approval; `planned` is the position of its plan, `remark` what to know beforehand.

    `breaker`: it waits because so many documents of its kind would be voided or deleted.
    """

    company: int
    record_key: str
    intent_id: str
    entity: str
    operation: str
    doc_number: str | None
    amount: Decimal | None
    currency: str | None
    planned: int = 0
    remark: str = ""
    breaker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFor:
    """So many documents of a kind that are planned for the books and have not gone out; `amount` is their sum."""

    operation: str
    entity: str
    currency: str | None
    documents: int
    amount: Decimal | None


async def planned_for_books(store: StateStore, company: int) -> list[PlannedFor]:
    """What would go out, those that wait for approval one by one included."""
    return [
        PlannedFor(
            operation=row["operation"],
            entity=row["entity"],
            currency=row["currency"],
            documents=row["documents"],
            amount=row["amount"],
        )
        for row in await store.records("planned_for_books", company)
    ]


async def only_previews(store: StateStore, reader: LogReader, settings: CompanySettings) -> bool:
    """Whether nothing of a company goes out until somebody approves its first run."""
    return needs_approval(settings) and not await is_approved(store, reader, settings.company)


async def is_approved(store: StateStore, reader: LogReader, company: int) -> bool:
    """Whether somebody approved a company, by its row, or by what is recorded and not folded yet."""
    row = await store.one(CompanyRow, company)
    if row is not None and row.approved is not None:
        return True
    folded = await store.checkpoint(company)
    async for recorded in reader.stream(company, folded.position):
        if recorded.event_type == CompanyApproved.event_type:
            return True
    return False


async def outcomes(store: StateStore, company: int) -> Outcomes:
    """The outcomes as the projections have them now."""
    found = await store.records("outcomes", company)
    return Outcomes(tuple(Reason(row["state"], row["code"], row["changes"]) for row in found))


async def refused_notes(store: StateStore, company: int) -> list[RefusedNote]:
    """Every note that its source refused and that nothing newer replaced, oldest first."""
    found: list[RefusedNote] = []
    after = 0
    while True:
        page = await store.some(IntentRow, "refused_notes", company, None, after, PAGE_ROWS)
        found += [
            RefusedNote(
                company=company,
                record_key=row.record_key,
                target=row.target,
                position=row.change,
                code=row.code,
                reason=row.reason,
                fix=row.fix,
            )
            for row in page
        ]
        if len(page) < PAGE_ROWS:
            return found
        after = page[-1].planned


async def held(store: StateStore, company: int) -> list[Held]:
    """Everything that waits for approval, in the order in which it was planned."""
    rows = await store.some(IntentRow, "intents_in", company, ["held"], REVIEW_ROWS_MAX)
    return [
        Held(
            company=company,
            record_key=row.record_key,
            intent_id=row.intent_id,
            entity=row.entity,
            operation=row.operation,
            doc_number=row.doc_number,
            amount=row.amount,
            currency=row.currency,
            planned=row.planned,
        )
        for row in rows
    ]


async def with_remarks(reader: LogReader, company: int, found: Sequence[Held]) -> list[Held]:
    """The same with what their plans remark, and whether the breaker holds them."""
    plans = {event.position: event.light() for event in await reader.get_many(company, [one.planned for one in found])}
    return [
        replace(
            one,
            remark=str(plans.get(one.planned, {}).get("remark", "")),
            breaker=plans.get(one.planned, {}).get("breaker") is True,
        )
        for one in found
    ]
