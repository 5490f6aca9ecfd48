"""The dead-letter box: what is parked, by its cause, with the fault as it came in and what is at stake.

Nothing is kept here: a letter is a change whose state is parked, and leaves by an event like any other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from counterfoil.log import LogReader
from counterfoil.planning.merge import CONFLICT
from counterfoil.planning.sale_lines import come_to
from counterfoil.recovery.conflicts import Version, versions_of
from counterfoil.state.rows import ChangeRow, IntentRow, Row
from counterfoil.state.store import StateStore
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.receipts import SourceObserved
from counterfoil_schema.records import CreditMemo, Estimate, Invoice, Payment, Payout, Refund, split_key

PAGE_ROWS = 500
_ENDED = frozenset({"accepted", "withdrawn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A change that cannot go on until somebody acts.

    Attributes:
        position: of the observed change.
        kind: the source's kind of record (`deal`), or the entity of a document that somebody changed in the books.
        side: where the change was made: `source` or `books`.
        decided: position of the event that parked it.
        first_seen: when the change was observed.
        last_seen: when it was last parked.
        waiting: how many plans wait for a document of this record.
        versions: of what both sides changed, where that is the cause.
    """

    company: int
    record_key: str
    position: int
    kind: str
    side: str
    code: str
    reason: str
    fix: str
    decided: int
    first_seen: datetime
    last_seen: datetime
    amount: Decimal | None = None
    currency: str | None = None
    waiting: int = 0
    versions: tuple[Version, ...] = ()

    @property
    def cause(self) -> str:
        """What it shares with others that one act may mend: `unknown_product:deal`."""
        return f"{self.code}:{self.kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Letters that have one cause.

    Attributes:
        at_stake: what they come to, by currency; `without_amount` of them state none.
        reason: of the newest, as an example.
        fix: of the newest.
        waiting: how many plans wait for a document of one of them.
    """

    cause: str
    code: str
    kind: str
    letters: int
    records: tuple[str, ...]
    companies: tuple[int, ...]
    at_stake: Mapping[str, Decimal]
    without_amount: int
    first_seen: datetime
    last_seen: datetime
    reason: str
    fix: str
    waiting: int


def by_cause(letters: Iterable[Letter]) -> list[Cause]:
    """Causes, those with most letters first."""
    groups: dict[str, list[Letter]] = defaultdict(list)
    for letter in letters:
        groups[letter.cause].append(letter)
    return sorted((_cause(group) for group in groups.values()), key=lambda one: (-one.letters, one.cause))


def _cause(letters: Sequence[Letter]) -> Cause:
    newest = max(letters, key=lambda one: (one.last_seen, one.position))
    return Cause(
        cause=newest.cause,
        code=newest.code,
        kind=newest.kind,
        letters=len(letters),
        records=tuple(one.record_key for one in letters),
        companies=tuple(sorted({one.company for one in letters})),
        at_stake=at_stake(letters),
        without_amount=sum(one.amount is None for one in letters),
        first_seen=min(one.first_seen for one in letters),
        last_seen=newest.last_seen,
        reason=newest.reason,
        fix=newest.fix,
        waiting=sum(one.waiting for one in letters),
    )


def at_stake(letters: Iterable[Letter]) -> dict[str, Decimal]:
    """What letters come to, by currency; "" where the source states an amount without one."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for letter in letters:
        if letter.amount is not None:
            sums[letter.currency or ""] += letter.amount
    return dict(sorted(sums.items()))


def has_cause(letter: Letter, cause: str) -> bool:
    """Whether a letter has a cause, named whole (`unknown_product:deal`) or by its code alone."""
    return cause in {letter.cause, letter.code}


async def letters_of(store: StateStore, reader: LogReader, company: int) -> list[Letter]:
    """Every dead letter of a company, oldest first."""
    found: list[Letter] = []
    after = 0
    while True:
        page = await store.some(ChangeRow, "changes_in", company, "parked", after, PAGE_ROWS)
        found += await _letters(store, reader, company, page)
        if len(page) < PAGE_ROWS:
            return found
        after = page[-1].position


async def _letters(store: StateStore, reader: LogReader, company: int, page: Sequence[ChangeRow]) -> list[Letter]:
    rows = await store.load(company, IntentRow.table, [(one,) for change in page for one in change.intents])
    intents = {change.position: [rows[one,] for one in change.intents if (one,) in rows] for change in page}
    decided = {change.position: _parked_at(change, intents[change.position]) for change in page}
    events = {one.position: one for one in await reader.get_many(company, sorted({*decided, *decided.values()}))}
    waiting = await waiting_for(store, company, [change.record_key for change in page])
    found = []
    for change in page:
        amount, currency = planned_for(intents[change.position]) or stated_by(events[change.position].closed())
        at = decided[change.position]
        is_conflict = change.code == CONFLICT
        found.append(
            Letter(
                company=company,
                record_key=change.record_key,
                position=change.position,
                kind=kind_of(change.record_key),
                side=change.side,
                code=change.code,
                reason=change.reason,
                fix=change.fix,
                decided=at,
                first_seen=events[change.position].recorded_at,
                last_seen=events[at].recorded_at,
                amount=amount,
                currency=currency,
                waiting=waiting.get(change.record_key, 0),
                versions=await versions_of(store, reader, company, at, personal=False) if is_conflict else (),
            )
        )
    return found


def planned_for(intents: Iterable[Row]) -> tuple[Decimal, str | None] | None:
    """What the documents come to that were planned and are not written; a pay run may call for several."""
    plans = [(row, row.amount) for row in intents if isinstance(row, IntentRow) and row.amount is not None]
    if not plans:
        return None
    last, of_last = plans[-1]
    left = {row.record_key: amount for row, amount in plans if row.state not in _ENDED}
    return sum(left.values(), Decimal(0)) if left else of_last, last.currency


def _parked_at(change: ChangeRow, intents: Iterable[Row]) -> int:
    """The position of the event that parked it: of its decision, or of an intent's last refusal."""
    refused = [row.settled or 0 for row in intents if isinstance(row, IntentRow) and row.state == "parked"]
    return max([change.decided or change.position, *refused])


async def waiting_for(store: StateStore, company: int, record_keys: Sequence[str]) -> Mapping[str, int]:
    """How many plans wait for a document of each of these records."""
    rows = await store.records("waiting_for", company, list(record_keys))
    return {row["record_key"]: row["plans"] for row in rows}


def kind_of(record_key: str) -> str:
    """The source's kind of a record."""
    return split_key(record_key)[1]


def stated_by(event: Event) -> tuple[Decimal | None, str | None]:
    """What a source record comes to: its stated total, else what its lines do; nothing where it says neither."""
    record = event.record if isinstance(event, SourceObserved) else None
    match record:
        case Invoice() | Estimate() if record.stated_total is not None:
            return record.stated_total, record.currency
        case Invoice() | Estimate() | CreditMemo() | Refund() if record.lines:
            return come_to(record.lines), record.currency
        case Payment() | Payout():
            return record.amount, record.currency
        case _:
            return None, None
