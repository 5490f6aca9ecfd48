"""What two mappings come to: counted, the first differences in full, and totals by account."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from rich.table import Table
from rich.text import Text

from counterfoil.cli.output import add_row, console, money, table
from counterfoil.cli.tasks.mapping_preview import words_of
from counterfoil.cli.tasks.shadow_lines import document_as_json
from counterfoil.dispatch.shadow.accounts import Accounts
from counterfoil.dispatch.shadow.planning import Planned
from counterfoil.planning.money import text
from counterfoil.planning.outcome import named
from counterfoil.planning.shadow import FieldChange, RecordChange, compare, outcome_of
from counterfoil.planning.types import Plan
from counterfoil_schema.documents import MASK
from counterfoil_schema.exact_json import JsonValue

NOTHING = Decimal(0)


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts over all records; of the differences only the first are kept.

    Attributes:
        show: how many records to keep in full.
        home: the currency of documents that name none.
        totals: by currency and account: debits less credits before and after.
    """

    show: int
    home: str
    records: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    documents: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    changes: list[RecordChange] = field(default_factory=list)
    totals: dict[tuple[str, str], tuple[Decimal, Decimal]] = field(default_factory=dict)

    async def add(self, planned: Planned, present: Accounts, tried: Accounts) -> RecordChange | None:
        """One more record; in what it differs."""
        before, after = planned.plans
        self.records += 1
        self.before[outcome_of(before)] += 1
        self.after[outcome_of(after)] += 1
        await self._post(before, present, place=0)
        await self._post(after, tried, place=1)
        change = compare(planned.row.record_key, before, after)
        if change is not None:
            self.differing += 1
            self.documents.update(one.kind for one in change.documents)
            if len(self.changes) < self.show:
                self.changes.append(change)
        return change

    async def _post(self, plan: Plan, accounts: Accounts, *, place: int) -> None:
        if not isinstance(plan, Sequence):
            return
        for intent in plan:
            for account, amount in (await accounts.posted(intent)).items():
                key = (intent.currency or self.home, account)
                sums = list(self.totals.get(key, (NOTHING, NOTHING)))
                sums[place] += amount
                self.totals[key] = (sums[0], sums[1])


def tally_as_json(tally: Tally, head: dict[str, object], personal: bool) -> dict[str, object]:
    """The same for programs."""
    return {
        **{name: value for name, value in head.items() if name not in {"file", "version"}},
        "records": tally.records,
        "outcomes": {"before": dict(tally.before), "after": dict(tally.after)},
        "differing": tally.differing,
        "documents": {kind: tally.documents[kind] for kind in ("more", "fewer", "changed")},
        "totals": [
            {"currency": currency, "account": account, "before": before, "after": after}
            for (currency, account), (before, after) in sorted(tally.totals.items())
        ],
        "changes": [_change(change, personal) for change in tally.changes],
        "left_out": tally.differing - len(tally.changes),
    }


def _change(change: RecordChange, personal: bool) -> dict[str, object]:
    return {
        "record_key": change.record_key,
        "before": change.before,
        "after": change.after,
        "code": change.code,
        "reason": change.reason,
        "documents": [
            {
                **document_as_json(one),
                "fields": [
                    {
                        "path": each.path,
                        "before": _shown(each, each.before, personal),
                        "after": _shown(each, each.after, personal),
                    }
                    for each in one.fields
                ],
            }
            for one in change.documents
        ],
    }


def _shown(change: FieldChange, value: JsonValue, personal: bool) -> JsonValue:
    return MASK if change.personal and value is not None and not personal else value


def show_tally(tally: Tally, title: str, *, personal: bool) -> None:
    """The same for people."""
    out = console()
    if tally.changes:
        shown = table(title, "record", "document", "", ">before", ">after")
        for change in tally.changes:
            _add(shown, change, personal)
        out.print(shown)
        out.print()
    moved = [(key, sums) for key, sums in sorted(tally.totals.items()) if sums[0] != sums[1]]
    if moved:
        accounts = table("Accounts that would come to something else, debits less credits", "", "", ">before", ">after")
        for (currency, account), (before, after) in moved:
            add_row(accounts, currency, account, text(before), text(after))
        out.print(accounts)
        out.print()
    if tally.differing > len(tally.changes):
        out.print(Text(f"… and {tally.differing - len(tally.changes):,} more records: --show, or --out FILE for all."))
    out.print(Text(_summary(tally)), soft_wrap=True)


def _add(shown: Table, change: RecordChange, personal: bool) -> None:
    if change.before != change.after:
        add_row(shown, named(change.record_key), "", change.reason, change.before, change.after)
    for document in change.documents:
        before, after = document.amounts
        amounts = money(before, document.currency), money(after, document.currency)
        add_row(shown, named(change.record_key), document.entity, document.kind, *amounts)
        for each in document.fields:
            values = (_words(each, each.before, personal), _words(each, each.after, personal))
            add_row(shown, "", "", f"  {each.path}", *values)


def _words(change: FieldChange, value: JsonValue, personal: bool) -> str:
    return "" if value is None else words_of(_shown(change, value, personal))


def _summary(tally: Tally) -> str:
    parts = ", ".join(f"{tally.documents[kind]:,} {kind}" for kind in ("more", "fewer", "changed"))
    outcomes = "; ".join(
        f"{when} {', '.join(f'{count:,} {name}' for name, count in sorted(counts.items())) or 'nothing'}"
        for when, counts in (("before:", tally.before), ("after:", tally.after))
    )
    return (
        f"Of {tally.records:,} records {tally.differing:,} would come to something else; documents: {parts}. "
        f"{outcomes[:1].upper()}{outcomes[1:]}. Nothing was written."
    )
