"""A preview of a rollback for people, for programs, and as a file."""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rich.text import Text

from counterfoil.cli.output import add_row, as_json, console, money, table
from counterfoil.dispatch.rollback.preview import Preview
from counterfoil.planning.rollback import AccountTotal, Refusal, Step
from counterfoil.planning.rollback.messages import message_for
from counterfoil_schema import exact_json
from counterfoil_schema.events.rollbacks import RollbackPolicy, RollbackScope
from counterfoil_schema.exact_json import JsonObject

ROWS_SHOWN_MAX: Final = 200
TITLES: Final = {
    "void": "Voided",
    "credit": "Credited by a document beside it",
    "reverse": "Reversed by an entry beside it",
    "delete": "Deleted",
    "close": "Closed",
    "inactivate": "Made inactive",
    "restore": "Given its earlier content",
    "recreate": "Made anew",
}
UNSEEN: Final = (
    "QuickBooks' API does not show whether a document was reconciled with a bank statement or matched to a bank feed.",
    "Nor does it show what left by mail or paper instead of by QuickBooks, or whether a tax return covers it.",
    "What was written back to sources (numbers, states, ids) stays there until the source or the books change.",
    "What people changed in QuickBooks and was not read yet is found when a document is touched: then it stays.",
)
"""What a preview cannot know; whoever applies it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """One compensation as it is told; `message` goes to whom the document was sent."""

    action: str
    record_key: str
    entity: str
    document_id: str
    label: str
    amount: Decimal | None
    currency: str
    detail: str
    dated: str | None
    number: str | None
    message: str | None
    recipient: str | None
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewShown:
    """A preview as it is told and kept."""

    company: int
    position: int
    hash: str
    scope: JsonObject
    policy: JsonObject
    steps: Sequence[StepShown]
    refusals: Sequence[Refusal]
    totals: Sequence[AccountTotal]
    unseen: Sequence[str] = UNSEEN


def shown(
    company: int, preview: Preview, scope: RollbackScope, policy: RollbackPolicy, *, personal: bool
) -> PreviewShown:
    """The preview as it is told; recipients only where they are asked for."""
    return PreviewShown(
        company=company,
        position=preview.position,
        hash=preview.hash,
        scope=scope.model_dump(mode="json"),
        policy=policy.model_dump(mode="json"),
        steps=[
            _step(one, digest, personal=personal)
            for one, digest in zip(preview.plan.steps, preview.digests, strict=True)
        ],
        refusals=preview.plan.refusals,
        totals=preview.plan.totals,
    )


def _step(one: Step, digest: str, *, personal: bool) -> StepShown:
    address = (one.becomes or {}).get("BillEmail") or one.body.get("BillEmail")
    recipient = address.get("Address") if isinstance(address, dict) else None
    return StepShown(
        action=one.action,
        record_key=one.of_key,
        entity=one.of_entity,
        document_id=one.document_id,
        label=one.label,
        amount=one.amount,
        currency=one.currency,
        detail=one.detail,
        dated=one.dated,
        number=one.number,
        message=message_for(one),
        recipient=recipient if personal and isinstance(recipient, str) else None,
        digest=digest,
    )


def show(found: PreviewShown) -> None:
    """Print it in words."""
    out = console()
    by_action: defaultdict[str, list[StepShown]] = defaultdict(list)
    for one in found.steps:
        by_action[one.action].append(one)
    for action, title in TITLES.items():
        if by_action[action]:
            _show_steps(title, by_action[action])
    if found.refusals:
        _show_refusals(found.refusals)
    if found.totals:
        _show_totals(found.totals)
    messages = [one for one in found.steps if one.message]
    if messages:
        out.print(Text(f"Sent to customers: {len(messages):,}. What they need to be told:", style="bold"))
        for one in messages[:ROWS_SHOWN_MAX]:
            to = f" to {one.recipient}" if one.recipient else ""
            out.print(Text(f"  {one.label}{to}: {one.message}"), soft_wrap=True)
    for sentence in found.unseen:
        out.print(Text(f"Not known: {sentence}", style="dim"), soft_wrap=True)


def _show_steps(title: str, steps: Sequence[StepShown]) -> None:
    made = table(f"{title}: {len(steps):,}", "document", "record", ">amount", "how")
    for one in steps[:ROWS_SHOWN_MAX]:
        add_row(made, one.label, one.record_key, money(one.amount, one.currency), one.detail)
    console().print(made)
    _more(len(steps))


def _show_refusals(refusals: Sequence[Refusal]) -> None:
    made = table(f"Stays as it is: {len(refusals):,}", "document", "record", ">amount", "why", "what to do")
    for one in refusals[:ROWS_SHOWN_MAX]:
        add_row(made, one.label, one.record_key, money(one.amount, one.currency), one.reason, one.fix)
    console().print(made)
    _more(len(refusals))


def _show_totals(totals: Sequence[AccountTotal]) -> None:
    title = "What these documents come to, debits less credits"
    made = table(title, "", "account", ">now", ">afterwards", ">difference")
    for one in totals:
        add_row(
            made,
            one.currency,
            one.account,
            money(one.before, None),
            money(one.after, None),
            money(one.after - one.before, None),
        )
    console().print(made)


def _more(count: int) -> None:
    if count > ROWS_SHOWN_MAX:
        console().print(Text(f"… and {count - ROWS_SHOWN_MAX:,} more: --out FILE has them all."))


def as_file(found: PreviewShown, *, as_csv: bool) -> bytes:
    """The preview as the bytes of a file: JSON, which can be applied, or CSV, which can be looked through."""
    if not as_csv:
        return exact_json.dumps(as_json(found)) + b"\n"
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["what", "document", "record", "amount", "currency", "how or why", "what to do", "message"])
    for one in found.steps:
        how = one.detail
        writer.writerow(
            _cells(one.action, one.label, one.record_key, one.amount, one.currency, how, "", one.message or "")
        )
    for left in found.refusals:
        writer.writerow(
            _cells("stays", left.label, left.record_key, left.amount, left.currency, left.reason, left.fix, "")
        )
    return text.getvalue().encode()


def _cells(*values: object) -> list[str]:
    """Text that no spreadsheet takes for a formula."""
    texts = ["" if value is None else str(value) for value in values]
    return [f"'{one}" if one[:1] in {"=", "+", "-", "@"} and not _is_number(one) else one for one in texts]


def _is_number(value: str) -> bool:
    return value.lstrip("-").replace(".", "", 1).isdigit()
