"""Fields of a record that the mapping derives by expressions, before anything is planned from it."""

from collections.abc import Mapping as AbstractMapping
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from counterfoil.planning.derivable import plain_fields
from counterfoil.planning.expression_functions import Value
from counterfoil.planning.expressions import ExpressionError, evaluate
from counterfoil.planning.outcome import named
from counterfoil.planning.sections import DerivedSection
from counterfoil.planning.types import Park
from counterfoil_schema.records import CreditMemo, Estimate, Invoice, InvoiceLine, Refund, split_key

R = TypeVar("R", bound=BaseModel)


def derived(record: R, key: str, rules: DerivedSection, zone: str) -> R | Park:
    """The record with its derived fields; unchanged where the mapping derives none of its kind.

    Each expression sees the record as the source showed it.
    """
    kind = str(getattr(record, "kind", ""))
    own: AbstractMapping[str, str] = getattr(rules, kind, {})
    lines = rules.line if isinstance(record, Invoice | Estimate | CreditMemo | Refund) else {}
    if not own and not lines:
        return record
    connection, source_kind, source_id = split_key(key)
    values = {**values_of(record, zone), "connection": connection, "source_kind": source_kind, "id": source_id}
    field = ""
    try:
        changed: dict[str, Any] = {}
        for field, expression in own.items():
            changed[field] = evaluate(expression, values)
        if isinstance(record, Invoice | Estimate | CreditMemo | Refund) and lines:
            changed["lines"] = tuple(_line(line, lines, values, zone) for line in record.lines)
        return type(record).model_validate({**dict(record), **changed})
    except _LineError as wrong:
        return _park(key, "line", wrong.field, str(wrong), f" (line {wrong.line_id})")
    except ExpressionError as wrong:
        return _park(key, kind, field, str(wrong))
    except ValidationError as wrong:
        return _park(key, kind, *_unfit(wrong))


class _LineError(Exception):
    def __init__(self, line_id: str, field: str, says: str) -> None:
        super().__init__(says)
        self.line_id = line_id
        self.field = field


def _line(
    line: InvoiceLine, rules: AbstractMapping[str, str], sale: AbstractMapping[str, Value], zone: str
) -> InvoiceLine:
    values = {**sale, **values_of(line, zone)}
    field = ""
    try:
        changed: dict[str, Any] = {}
        for field, expression in rules.items():
            changed[field] = evaluate(expression, values)
        return InvoiceLine.model_validate({**dict(line), **changed})
    except ExpressionError as wrong:
        raise _LineError(line.line_id, field, str(wrong)) from None
    except ValidationError as wrong:
        raise _LineError(line.line_id, *_unfit(wrong)) from None


def _unfit(wrong: ValidationError) -> tuple[str, str]:
    """Which field does not take what came of its expression; never the value, which may be personal."""
    fault = wrong.errors(include_input=False, include_url=False, include_context=False)[0]
    return str(fault["loc"][0]) if fault["loc"] else "", f"the field does not take it ({fault['msg']})"


def values_of(record: BaseModel, zone: str) -> dict[str, Value]:
    """A record's plain values by name; an instant as it is on clocks of the mapping's zone."""
    found: dict[str, Value] = {}
    for name in plain_fields(type(record)):
        value = getattr(record, name)
        found[name] = value.astimezone(ZoneInfo(zone)).date() if isinstance(value, datetime) else value
    return found


def _park(key: str, document: str, field: str, says: str, where: str = "") -> Park:
    return Park(
        code="not_derivable",
        reason=f"[derived.{document}] {field} of {named(key)}{where} cannot be worked out: {says}.",
        fix="Correct the expression in the mapping (first(…, …) stands in for what may be missing), or the record at "
        "the source; then retry it.",
    )
