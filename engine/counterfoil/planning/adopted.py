"""What a document that was in the books before says otherwise than its source. Pure.

Only what the source would write is compared, and of it only what is not left to the books. A transaction's lines are
compared by what they come to and what was sold: a bookkeeper words them differently.
"""

from collections.abc import Sequence
from decimal import Decimal

from counterfoil.planning.ownership import FIXED_AT_CREATION, Ownership, note_field
from counterfoil.planning.types import NAME_REF, RATE_REF, RECORD_REF, Link, StateView
from counterfoil.planning.values import holds, number, real_lines, same
from counterfoil_schema.exact_json import JsonObject, JsonValue

LISTS = frozenset({"Customer", "Vendor", "Employee", "Item"})
_DETAILS = ("SalesItemLineDetail",)
_TAXES = frozenset({"GlobalTaxCalculation", "TxnTaxDetail"})
"""Of tax the total is compared, apart from this."""


def differences(body: JsonObject, link: Link, rules: Ownership, view: StateView) -> tuple[str, ...]:
    """The fields, as QuickBooks names them, in which the books say something else.

    Args:
        body: symbolic, as planned.
        link: with the document as last seen.
    """
    passed_over = FIXED_AT_CREATION.get(link.entity, frozenset()) | _TAXES | {note_field(link.entity)}
    return tuple(
        name
        for name, value in body.items()
        if name not in passed_over
        and rules.sends(name)
        and rules.owner(name) != "books"
        and not _stands(name, value, link, view)
    )


def are_ours(names: Sequence[str], rules: Ownership) -> bool:
    """Whether the mapping says of each of these fields that the source's word counts: then nothing is left to ask."""
    return all(rules.owners.get(name) == "source" for name in names)


def _stands(name: str, wanted: JsonValue, link: Link, view: StateView) -> bool:
    held = link.latest.get(name)
    if name == "Line":
        lines = [line for line in wanted if isinstance(line, dict)] if isinstance(wanted, list) else []
        ours = sorted(_sold(line, view) for line in lines)
        return _agree(ours, sorted(_sold(line, view) for line in real_lines(link.latest)))
    if name == "Active" and held is None:
        return wanted is True
    if isinstance(wanted, dict):
        reference = _reference(wanted, held, view)
        return holds(held, wanted) if reference is None else reference
    return same(held, wanted)


def _reference(wanted: JsonObject, held: JsonValue, view: StateView) -> bool | None:
    """Whether a reference leads to what the books name; None for what is no reference.

    What the books name by an id alone cannot be told by its name: it counts as equal.
    """
    there = held if isinstance(held, dict) else {}
    key, name = wanted.get(RECORD_REF), wanted.get(NAME_REF)
    if isinstance(key, str):
        link = view.link(key)
        return link is not None and link.document_id == there.get("value")
    if isinstance(name, list):
        shown = there.get("name")
        return "value" in there and (not isinstance(shown, str) or shown.casefold() == str(name[-1]).casefold())
    return True if RATE_REF in wanted else None


def _sold(line: JsonObject, view: StateView) -> tuple[Decimal, str]:
    """What a line comes to, and the id of its item, or nothing where only its name is known."""
    item = ""
    for detail in _DETAILS:
        part = line.get(detail)
        reference = part.get("ItemRef") if isinstance(part, dict) else None
        if not isinstance(reference, dict):
            continue
        key = reference.get(RECORD_REF)
        link = view.link(key) if isinstance(key, str) else None
        item = link.document_id if link is not None else str(reference.get("value", ""))
    return number(line.get("Amount")), item


def _agree(ours: Sequence[tuple[Decimal, str]], theirs: Sequence[tuple[Decimal, str]]) -> bool:
    if sorted(amount for amount, _ in ours) != sorted(amount for amount, _ in theirs):
        return False
    return any(not item for _, item in (*ours, *theirs)) or list(ours) == list(theirs)
