"""A document that we voided or deleted is made anew from the image before: QuickBooks brings none back to life."""

from dataclasses import replace
from typing import Final

from counterfoil.planning.ownership import is_computed, note_field
from counterfoil.planning.rollback.common import (
    amount_of,
    is_closed,
    make_step,
    noted,
    numbered,
    refuse,
    without_marker,
)
from counterfoil.planning.rollback.types import Conditions, Refusal, Step, Taken
from counterfoil.planning.types import RECORD_REF
from counterfoil.planning.values import real_lines
from counterfoil_schema.exact_json import JsonObject, JsonValue

_NEVER_SENT: Final = frozenset({"Id", "AttachableRef", "LinkedTxn", "Line", "UnappliedAmt", "HomeTotalAmt"})
_OF_THE_LINE: Final = frozenset({"Id", "LineNum", "LinkedTxn"})
_SETTLING: Final = frozenset({"Payment", "BillPayment"})


def recreate(taken: Taken, conditions: Conditions) -> Step | Refusal:
    """Make a document anew that a removal of ours ended.

    A voided one keeps its number, so that the new one bears a further one. Money that was applied to it is not applied
    again by itself.
    """
    standing, effect = taken.standing, taken.effects[0]
    before = effect.before
    if before is None:
        reason = "The log holds no image of it from before it was removed."
        return refuse(taken, conditions, "no_before_image", reason, "Enter it in QuickBooks by hand.")
    if is_closed(before.get("TxnDate"), conditions):
        reason = (
            f"It stood on {before.get('TxnDate')}, and the books are closed to {conditions.closed_until} inclusive."
        )
        fix = "Open the period in QuickBooks and preview again; or enter it by hand in an open one."
        return refuse(taken, conditions, "period_closed", reason, fix)
    entity = standing.entity
    body: JsonObject = {name: value for name, value in before.items() if _goes_along(entity, name, value)}
    needs: dict[str, None] = {}
    lines: list[JsonValue] = [_line(line, entity, conditions, needs) for line in real_lines(before)]
    if lines:
        body["Line"] = lines
    number = before.get("DocNumber")
    if taken.effects[-1].operation == "void" and isinstance(number, str) and number:
        number = numbered(number, f"-{standing.incarnation + 1}")
        body["DocNumber"] = number
    body.update(noted(entity, without_marker(before.get(note_field(entity)))))
    made = make_step(taken, conditions, "recreate", "create", body)
    applied = "; what was paid on it is not applied again by itself" if before.get("LinkedTxn") else ""
    return replace(
        made,
        becomes=before,
        needs=tuple(needs),
        amount=amount_of(before),
        dated=_text(before.get("TxnDate")),
        number=_text(number),
        detail=f"as {entity} {number}{applied}" if number else f"as a new {entity}{applied}",
    )


def _goes_along(entity: str, name: str, value: JsonValue) -> bool:
    if name in _NEVER_SENT or value in (None, ""):
        return False
    return name == "ExchangeRate" or not is_computed(entity, name)


def _line(line: JsonObject, entity: str, conditions: Conditions, needs: dict[str, None]) -> JsonObject:
    kept: JsonObject = {name: value for name, value in line.items() if name not in _OF_THE_LINE}
    linked = line.get("LinkedTxn")
    if entity not in _SETTLING or not isinstance(linked, list):
        return kept
    turned: list[JsonValue] = []
    for one in linked:
        if not isinstance(one, dict):
            continue
        key = conditions.owners.get((str(one.get("TxnType")), str(one.get("TxnId"))))
        if key is not None:
            needs[key] = None
            turned.append({"TxnId": {RECORD_REF: key}, "TxnType": one.get("TxnType")})
        else:
            turned.append({"TxnId": one.get("TxnId"), "TxnType": one.get("TxnType")})
    return {**kept, "LinkedTxn": turned}


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None
