"""Judges what QuickBooks shows: our own write seen again, or somebody's edit. Field by field, never by token alone.

A payment bumps the token of the invoice that it settles, and one reading may hold both our write and an edit made
after it; so the document is compared with the image after our own last write.
"""

from dataclasses import dataclass
from typing import Literal

from counterfoil.planning.money import plain
from counterfoil.planning.ownership import Owner, Ownership, is_computed
from counterfoil.planning.settlements import PaymentEffect, SettledPart, payment_effect, settlement_of
from counterfoil.planning.types import Link
from counterfoil.planning.values import line_id, number, real_lines, same, same_line, words
from counterfoil.planning.write_back import problem_values, write_back_values
from counterfoil_schema.exact_json import JsonObject, JsonValue

__all__ = [
    "Echo",
    "FieldChange",
    "Foreign",
    "PaymentEffect",
    "SettledPart",
    "Status",
    "Untracked",
    "Verdict",
    "judge",
    "payment_effect",
    "problem_values",
    "settlement_of",
    "write_back_values",
]

Status = Literal["live", "deleted", "voided"]
TAX = "TxnTaxDetail"
"""What a document is taxed; the lines in it are QuickBooks' own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field before and after somebody's edit; lines by id, such as `Line[3].Amount`."""

    field: str
    owner: Owner
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """Nothing of ours was changed by anybody else.

    `other` names changed fields that nobody here cares about; `older` says that the reading is one from before our
    own last write, as QuickBooks' queries sometimes give.
    """

    other: tuple[str, ...] = ()
    older: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """Somebody else changed fields of ours; `details` says how, `other` names the rest."""

    changed: tuple[str, ...]
    details: tuple[FieldChange, ...] = ()
    other: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Untracked:
    """A document that stands for no source record."""


Verdict = Echo | Foreign | Untracked


def judge(observed: JsonObject, status: Status, link: Link | None, ownership: Ownership | None = None) -> Verdict:
    """What a reading of a document means.

    Args:
        observed: the document as read.
        status: whether it is live, voided or deleted.
        link: what is known of it; None where it stands for no source record.
        ownership: who owns its fields; the defaults where None.
    """
    if link is None:
        return Untracked()
    rules = ownership or Ownership(entity=link.entity)
    if status != link.status:
        change = FieldChange(field="status", owner="source", before=link.status, after=status)
        return Foreign(changed=("status",), details=(change,))
    # What is left of a deleted document says nothing about its fields.
    if status == "deleted":
        return Echo()
    if _is_older(observed, link.image):
        return Echo(older=True)
    details, other = _field_changes(link, observed, rules)
    lines = _line_changes(link.image, observed, rules.owner("Line"), link.entity)
    # Of other lines there is other tax: that is no edit of its own.
    details = [*(one for one in details if not (lines and one.field == TAX)), *lines]
    if not details:
        return Echo(other=tuple(other))
    changed = tuple(dict.fromkeys(detail.field.partition("[")[0] for detail in details))
    return Foreign(changed=changed, details=tuple(details), other=tuple(other))


def _field_changes(link: Link, observed: JsonObject, rules: Ownership) -> tuple[list[FieldChange], list[str]]:
    """Changed fields of ours, and the names of changed fields that nobody here cares about; lines apart."""
    details: list[FieldChange] = []
    other: list[str] = []
    for name in sorted({*observed, *link.image} - {"Line"}):
        before, after = link.image.get(name), observed.get(name)
        if same(before, after) or (name == TAX and same(_without_tax_lines(before), _without_tax_lines(after))):
            continue
        if rules.tracks(name):
            details.append(_change(name, rules.owner(name), before, after))
        elif not is_computed(link.entity, name):
            other.append(name)
    return details, other


def _without_tax_lines(tax: JsonValue) -> JsonValue:
    return {name: value for name, value in tax.items() if name != "TaxLine"} if isinstance(tax, dict) else tax


def _is_older(observed: JsonObject, image: JsonObject) -> bool:
    seen, ours = observed.get("SyncToken"), image.get("SyncToken")
    if not isinstance(seen, str) or not isinstance(ours, str) or not (seen.isdecimal() and ours.isdecimal()):
        return False
    return int(seen) < int(ours)


def _line_changes(image: JsonObject, observed: JsonObject, owner: Owner, entity: str) -> list[FieldChange]:
    before, after = real_lines(image), real_lines(observed)
    if entity == "Payment":
        return _applications(before, after, owner)
    old = {_identity(line, place): line for place, line in enumerate(before)}
    new = {_identity(line, place): line for place, line in enumerate(after)}
    changes: list[FieldChange] = []
    for identity in sorted({*old, *new}):
        was, now = old.get(identity), new.get(identity)
        if was is None or now is None:
            changes.append(_change(f"Line[{identity}]", owner, was, now))
        elif not same_line(was, now):
            names = [name for name in sorted({*was, *now}) if name not in ("LineNum", "LinkedTxn")]
            changes.extend(
                _change(f"Line[{identity}].{name}", owner, was.get(name), now.get(name))
                for name in names
                if not same(was.get(name), now.get(name))
            )
    return changes


def _identity(line: JsonObject, place: int) -> str:
    return line_id(line) or f"at {place}"


def _change(field: str, owner: Owner, before: JsonValue, after: JsonValue) -> FieldChange:
    return FieldChange(field=field, owner=owner, before=words(before), after=words(after))


def _applications(before: list[JsonObject], after: list[JsonObject], owner: Owner) -> list[FieldChange]:
    """A payment's lines have no ids: what counts is how much goes to which document."""
    old = sorted(_application(line) for line in before)
    new = sorted(_application(line) for line in after)
    return [] if old == new else [_change("Line", owner, "; ".join(old), "; ".join(new))]


def _application(line: JsonObject) -> str:
    linked = line.get("LinkedTxn")
    links = [
        f"{link.get('TxnType')} {link.get('TxnId')}"
        for link in (linked if isinstance(linked, list) else [])
        if isinstance(link, dict)
    ]
    return f"{'+'.join(links)}: {plain(number(line.get('Amount'))):f}"
