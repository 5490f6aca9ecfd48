"""Which fields of a record a mapping may derive by expressions, and which names these may use."""

from collections.abc import Mapping as AbstractMapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from counterfoil.planning.expressions import unknown
from counterfoil.planning.mapping_errors import unknown_name
from counterfoil_schema.records import (
    ContractorPayment,
    CreditMemo,
    Customer,
    Employee,
    Estimate,
    Invoice,
    InvoiceLine,
    Payment,
    Payout,
    PayRun,
    Product,
    Refund,
    TimeEntry,
    Vendor,
)

DERIVABLE: Final[AbstractMapping[str, type[BaseModel]]] = {
    "customer": Customer,
    "product": Product,
    "vendor": Vendor,
    "employee": Employee,
    "invoice": Invoice,
    "estimate": Estimate,
    "credit_memo": CreditMemo,
    "payment": Payment,
    "refund": Refund,
    "payout": Payout,
    "time_entry": TimeEntry,
    "contractor_payment": ContractorPayment,
    "line": InvoiceLine,
}
"""Records of which a mapping may derive fields, as it calls them; `line` is one of a sale, credit or refund."""

ALWAYS: Final = ("connection", "source_kind", "id")
_FIXED: Final = frozenset(
    {
        *("kind", "line_id", "customer", "product", "employee", "contractor", "won", "active", "approved"),
        "received",
        "offered",
        "accepted",
    }
)
"""What a record is, whom it concerns and whether it counts: for the source to say, and for other rules."""

_PLAIN: Final = (str, Decimal, bool, date, datetime, NoneType)


def fields_of(document: str) -> list[str]:
    """The fields that can be derived: plain values."""
    model = DERIVABLE[document]
    return sorted(name for name in plain_fields(model) if name not in _FIXED)


def names_of(document: str) -> list[str]:
    """The names that an expression may use: plain values of the record, of a line those of its sale as well."""
    names = {*ALWAYS, *plain_fields(DERIVABLE[document])} - {"kind"}
    if document == "line":
        names |= (plain_fields(Invoice) | plain_fields(CreditMemo)) - {"kind"}
    return sorted(names)


@cache
def plain_fields(model: type[BaseModel]) -> frozenset[str]:
    """Fields whose values are texts, numbers, dates, instants or truths, or nothing."""
    return frozenset(name for name, field in model.model_fields.items() if _is_plain(field.annotation))


def _is_plain(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_plain(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return all(_is_plain(part) for part in get_args(annotation))
    if origin is Literal:
        return True
    return annotation in _PLAIN


def filter_names(document: str) -> list[str]:
    """The names that a filter of this kind of record may use: of sales also `amount`, of invoices `stage`."""
    if document == "pay_run":
        return sorted({*ALWAYS, *plain_fields(PayRun)} - {"kind"})
    more = {
        "invoice": ("amount", "stage"),
        "estimate": ("amount", "stage"),
        "credit_memo": ("amount",),
        "refund": ("amount",),
    }
    return sorted({*names_of(document), *more.get(document, ())})


def filter_problem(section: str, document: str, expression: str) -> str | None:
    """What is wrong with a filter that has the form of an expression: names that there are not."""
    says = unknown(expression, filter_names(document))
    return f"[{section}] filter: {says}" if says is not None else None


def problem_of(document: str, field: str, expression: str) -> str | None:
    """What is wrong with a rule that has the form of one: names that there are not."""
    known = fields_of(document)
    if field not in known:
        return unknown_name(f'[derived.{document}] has no field "{field}" to derive', field, known)
    says = unknown(expression, names_of(document))
    return f"[derived.{document}] {field}: {says}" if says is not None else None
