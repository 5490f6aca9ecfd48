"""Filters: which records of a kind a mapping takes. What one passes over is an outcome with a reason, never silence."""

from collections.abc import Mapping as AbstractMapping
from typing import Final

from counterfoil.planning.derived import values_of
from counterfoil.planning.expression_functions import Value
from counterfoil.planning.expressions import ExpressionError, evaluate, names_in
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.outcome import label, named
from counterfoil.planning.sale_lines import come_to
from counterfoil.planning.sections import FromKinds, section_of
from counterfoil.planning.types import Park, Plan, Skip, StateView
from counterfoil_schema.records import CreditMemo, Estimate, Invoice, Record, Refund, split_key

FILTERED: Final = "filtered"
LISTS: Final = ("Customer", "Vendor", "Employee", "Item")
"""What stays in the books whatever becomes of the record: others may name it."""

_NAMEABLE: Final = (
    "customer",
    "product",
    "vendor",
    "employee",
    "invoice",
    "estimate",
    "credit_memo",
    "payment",
    "refund",
)


def passed_over(record: Record, key: str, mapping: Mapping, view: StateView) -> Skip | Park | None:
    """Why the mapping's filter does not let this record pass; None where it does, or where there is none."""
    section, expression = _filter_of(record.kind, mapping)
    if expression is None:
        return None
    passes = _holds(record, key, expression, mapping.connection.zone, section)
    if isinstance(passes, Park):
        return passes
    if passes:
        return None
    link = view.link(key)
    if link is not None and link.status == "live" and link.entity not in LISTS:
        return Park(
            code=FILTERED,
            reason=f"{named(key)} no longer passes the filter of [{section}] in the mapping ({expression}), but "
            f"{label(link)} stands for it in QuickBooks.",
            fix="Void the document in QuickBooks, correct the record at the source, or change the filter; then retry.",
        )
    return Skip(code=FILTERED, reason=f"The filter of [{section}] in the mapping passes it over: {expression}")


def passes(record: Record, key: str, mapping: Mapping) -> bool:
    """Whether a record may become anything at all: no filter keeps it out, and its filter can be worked out."""
    section, expression = _filter_of(record.kind, mapping)
    return expression is None or _holds(record, key, expression, mapping.connection.zone, section) is True


def needs_what_is_passed_over(planned: Plan, key: str, mapping: Mapping, view: StateView) -> Park | None:
    """Why a document cannot be had: it names a record that a filter keeps out, so that it would wait for ever."""
    if not isinstance(planned, tuple):
        return None
    if all(_filter_of(kind, mapping)[1] is None for kind in _NAMEABLE):
        return None
    connection = split_key(key)[0]
    for need in dict.fromkeys(need for intent in planned for need in intent.needs):
        if need == key or split_key(need)[0] != connection or view.link(need) is not None:
            continue
        record = view.record(need)
        if record is not None and passed_over(record, need, mapping, view) is not None:
            section, expression = _filter_of(record.kind, mapping)
            return Park(
                code="names_filtered",
                reason=f"{named(key)} names {named(need)}, which the filter of [{section}] in the mapping keeps out of "
                f"QuickBooks ({expression}).",
                fix=f"Filter such records out as well, or let {named(need)} pass; then retry it.",
            )
    return None


def _filter_of(kind: str, mapping: Mapping) -> tuple[str, str | None]:
    name = section_of(kind)
    section: object = getattr(mapping, name, None)
    return name, section.filter if isinstance(section, FromKinds) else None


def _holds(record: Record, key: str, expression: str, zone: str, section: str) -> bool | Park:
    try:
        found = evaluate(expression, _values(record, key, zone, names_in(expression)))
    except ExpressionError as wrong:
        return _undecided(key, section, str(wrong))
    if not isinstance(found, bool):
        return _undecided(key, section, "it comes to a value that is neither true nor false; compare it with something")
    return found


def _undecided(key: str, section: str, says: str) -> Park:
    return Park(
        code="not_filterable",
        reason=f"The filter of [{section}] in the mapping cannot be worked out for {named(key)}: {says}.",
        fix="Correct the filter (first(…, …) stands in for what may be missing), or the record at the source; "
        "then retry it.",
    )


def _values(record: Record, key: str, zone: str, wanted: frozenset[str]) -> AbstractMapping[str, Value]:
    connection, source_kind, source_id = split_key(key)
    found: dict[str, Value] = {
        **values_of(record, zone),
        "connection": connection,
        "source_kind": source_kind,
        "id": source_id,
    }
    if isinstance(record, Invoice | Estimate | CreditMemo | Refund) and "amount" in wanted:
        stated = record.stated_total if isinstance(record, Invoice | Estimate) else None
        found["amount"] = stated if stated is not None else come_to(record.lines)
    if isinstance(record, Invoice | Estimate):
        found["stage"] = record.status
    return found
