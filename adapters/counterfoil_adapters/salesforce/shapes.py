"""What a kind of record is made of: which object and fields, standard ones as we know them, custom ones as mapped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from counterfoil.errors import ConfigurationError

RecordName = Literal["customer", "product", "invoice"]
ORDER: tuple[RecordName, ...] = ("customer", "product", "invoice")
"""Records come after those that they name."""

CURRENCY = "CurrencyIsoCode"
FIELDS: Mapping[RecordName, tuple[str, ...]] = {
    "customer": (
        *("name", "company_name", "given_name", "family_name", "email", "phone", "currency", "active"),
        *("street", "city", "region", "postal_code", "country"),
    ),
    "product": ("name", "sku", "description", "unit_price", "currency", "active"),
    "invoice": (
        *("customer", "number", "status", "won", "happened_at", "dated", "due", "currency", "stated_total", "memo"),
        *("stated_tax", "exchange_rate"),
    ),
}
LINE_FIELDS = (
    *("product", "description", "quantity", "unit_price", "discount_percent", "amount", "position"),
    *("taxed", "tax", "tax_code"),
)
_NEEDED: Mapping[RecordName, tuple[str, ...]] = {"customer": ("name",), "product": ("name",), "invoice": ("customer",)}


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Paths = Annotated[tuple[str, ...], BeforeValidator(_one_or_more)]
"""A field, or several of which the first that holds something counts; a dot follows a relationship."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LinesTable(_Table):
    """The object that holds an invoice's lines; `parent` is its field with the invoice's id."""

    object: str | None = None
    parent: str | None = None
    fields: dict[str, Paths] = Field(default_factory=dict)


class WriteBackTable(_Table):
    """Where values are written, if not to the record itself: a record of another object, found by an external id that
    holds the source record's id; `parent` is its field that looks the source record up."""

    object: str
    external_id: str
    parent: str | None = None


class KindTable(_Table):
    """`[source.kinds.NAME]`: what differs from a standard kind, or the whole of a custom one."""

    enabled: bool = True
    object: str | None = None
    record: RecordName | None = None
    customer_kind: str = "account"
    product_kind: str = "product"
    fields: dict[str, Paths] = Field(default_factory=dict)
    lines: LinesTable = LinesTable()
    write_back: WriteBackTable | None = None


@dataclass(frozen=True, slots=True)
class LinesShape:
    """The lines of a kind of invoice."""

    object: str
    parent: str
    fields: Mapping[str, Paths]


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of record. `priced`: products whose price is that of the standard price book."""

    kind: str
    object: str
    record: RecordName
    fields: Mapping[str, Paths]
    lines: LinesShape | None = None
    customer_kind: str = "account"
    product_kind: str = "product"
    priced: bool = False
    write_back: WriteBackTable | None = None
    written: tuple[str, ...] = field(default=())


_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
_ADDRESS_NAMES = ("street", "city", "region", "postal_code", "country")


def _address(prefix: str) -> dict[str, Paths]:
    return {name: (prefix + part,) for name, part in zip(_ADDRESS_NAMES, _ADDRESS, strict=True)}


_STANDARD: Mapping[str, Shape] = {
    "account": Shape(
        "account",
        "Account",
        "customer",
        {"name": ("Name",), "company_name": ("Name",), "phone": ("Phone",), "currency": (CURRENCY,)}
        | _address("Billing"),
    ),
    "contact": Shape(
        "contact",
        "Contact",
        "customer",
        {
            "name": ("Name",),
            "given_name": ("FirstName",),
            "family_name": ("LastName",),
            "company_name": ("Account.Name",),
            "email": ("Email",),
            "phone": ("Phone",),
            "currency": (CURRENCY,),
        }
        | _address("Mailing"),
    ),
    "product": Shape(
        "product",
        "Product2",
        "product",
        {
            "name": ("Name",),
            "sku": ("ProductCode",),
            "description": ("Description",),
            "active": ("IsActive",),
            "currency": (CURRENCY,),
        },
        priced=True,
    ),
    "opportunity": Shape(
        "opportunity",
        "Opportunity",
        "invoice",
        {
            "customer": ("AccountId",),
            "status": ("StageName",),
            "won": ("IsWon",),
            "dated": ("CloseDate",),
            "stated_total": ("Amount",),
            "memo": ("Name",),
            "currency": (CURRENCY,),
        },
        LinesShape(
            "OpportunityLineItem",
            "OpportunityId",
            {
                "product": ("Product2Id",),
                "description": ("Description", "Product2.Name"),
                "quantity": ("Quantity",),
                "unit_price": ("UnitPrice",),
                "discount_percent": ("Discount",),
                "amount": ("TotalPrice",),
                "position": ("SortOrder",),
            },
        ),
    ),
}
DEFAULT_KINDS = ("account", "product", "opportunity")


def shapes_of(
    connection: str, tables: Mapping[str, KindTable], written: Sequence[str], *, contacts: bool
) -> dict[str, Shape]:
    """The kinds that a connection reads, in reading order.

    Args:
        written: fields that the mapping writes back to invoices' records; they are read too, to tell echoes.

    Raises:
        ConfigurationError: a kind that lacks something, or a field of ours that there is not.
    """
    names = [*DEFAULT_KINDS, *(("contact",) if contacts else ()), *tables]
    found = [
        _shape(connection, name, tables.get(name, KindTable()), written)
        for name in dict.fromkeys(names)
        if tables.get(name, KindTable()).enabled
    ]
    found.sort(key=lambda shape: ORDER.index(shape.record))
    shapes = {shape.kind: shape for shape in found}
    for shape in found:
        _check(connection, shape, shapes)
    return shapes


def _shape(connection: str, name: str, table: KindTable, written: Sequence[str]) -> Shape:
    known = _STANDARD.get(name)
    object_name = table.object or (known.object if known else None)
    record = table.record or (known.record if known else None)
    if object_name is None or record is None:
        raise ConfigurationError(
            f"The kind {name} of connection {connection} does not say which object it is, or which record it becomes.",
            remedy=f"Give `object` and `record` in [source.kinds.{name}]; records are {', '.join(ORDER)}.",
        )
    default = known.lines if known else None
    lines_object = table.lines.object or (default.object if default else None)
    parent = table.lines.parent or (default.parent if default else None)
    lines = None
    if lines_object is not None and parent is not None:
        lines = LinesShape(lines_object, parent, _merged(default.fields if default else {}, table.lines.fields))
    return Shape(
        name,
        object_name,
        record,
        _merged(known.fields if known else {"currency": (CURRENCY,)}, table.fields),
        lines,
        table.customer_kind,
        table.product_kind,
        priced=known.priced if known else False,
        write_back=table.write_back,
        written=tuple(written) if record == "invoice" and table.write_back is None else (),
    )


def _merged(standard: Mapping[str, Paths], own: Mapping[str, Paths]) -> dict[str, Paths]:
    """The mapping's word wins; empty text takes a field out."""
    chosen = {**standard, **{name: tuple(path for path in paths if path) for name, paths in own.items()}}
    return {name: paths for name, paths in chosen.items() if paths}


def _check(connection: str, shape: Shape, shapes: Mapping[str, Shape]) -> None:
    place = f"[source.kinds.{shape.kind}.fields]"
    _known(connection, place, shape.fields, FIELDS[shape.record])
    missing = [name for name in _NEEDED[shape.record] if name not in shape.fields]
    if missing:
        raise ConfigurationError(
            f"{place} of connection {connection} does not say where {missing[0]} is.", remedy="Name a field for it."
        )
    if shape.lines is not None:
        _known(connection, f"[source.kinds.{shape.kind}.lines.fields]", shape.lines.fields, LINE_FIELDS)
    if shape.record == "invoice":
        for key, kind in (("customer_kind", shape.customer_kind), ("product_kind", shape.product_kind)):
            if kind not in shapes:
                near = get_close_matches(kind, shapes, n=1)
                raise ConfigurationError(
                    f"[source.kinds.{shape.kind}] of connection {connection}: {key} {kind} is not read.",
                    remedy=f'Did you mean "{near[0]}"?' if near else f"There are {', '.join(shapes)}.",
                )


def _known(connection: str, place: str, given: Mapping[str, Paths], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise ConfigurationError(
                f'{place} of connection {connection} has a field "{name}", which is not known.',
                remedy=f'Did you mean "{near[0]}"?' if near else f"Known are {', '.join(known)}.",
            )
