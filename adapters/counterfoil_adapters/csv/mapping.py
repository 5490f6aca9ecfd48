"""The `[csv]` table of a mapping: its shape, and clear words about what is wrong with it. Pure."""

import codecs
import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from counterfoil.errors import ConfigurationError
from counterfoil_schema.exact_json import canonical
from counterfoil_schema.records import PayPart

RecordName = Literal[
    "customer", "product", "employee", "vendor", "invoice", "payment", "credit_memo", "refund", "payout", "pay_run"
]
READING_ORDER: tuple[RecordName, ...] = (
    "customer",
    "product",
    "employee",
    "vendor",
    "invoice",
    "credit_memo",
    "payment",
    "refund",
    "payout",
    "pay_run",
)
"""Records come after those that they name."""


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Columns = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
Summed = Annotated[tuple[str, ...], BeforeValidator(_one_or_more)]
Constant = str | bool | int | Decimal
ColumnPlan = str | dict[str, Any]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Defaults(_Table):
    """How files are written; each may also stand in a kind's own table.

    `encoding` and `delimiter` may be `auto`; `dates` are `iso` or forms as for `strptime`; `zone` is that of times
    without an offset; a cell that holds one of `nulls` is empty.
    """

    encoding: str = "auto"
    delimiter: Literal["auto", ",", ";", "\t", "|"] = "auto"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    dates: Columns = ("iso",)
    zone: str | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    nulls: tuple[str, ...] = ("NULL", "\\N", "#N/A", "NaN", "nan")


class Charge(_Table):
    """A column of the invoice's own row that becomes a line: freight, a fee, or the amount of a deal without lines.

    `product`: what was sold for it, from another column.
    """

    column: str
    product: ColumnPlan | None = None
    role: Literal["goods", "freight", "fee"] = "freight"
    id: str | None = None
    description: str | None = None


class Lines(_Table):
    """Where the lines of a sale, or the parts of a payout, stand; `key` is the column with that one's id.

    Without `file`, or with that of the kind itself, each row is a line, and the rows of one id are one sale.
    `price_from`: the kind of products whose own price holds for lines that state none.
    """

    file: str | None = None
    header: tuple[str, ...] = ()
    key: Columns = ()
    id: Columns | None = None
    columns: dict[str, ColumnPlan]
    constants: dict[str, Constant] = {}
    discount_as: Literal["fraction", "percent"] = "fraction"
    price_from: str | None = None
    required: bool = True


class Pay(_Table):
    """What the rows of a pay run say: one person's pay each. A part is the sum of its columns.

    `person` tells people apart; without it each row is somebody else.
    """

    person: Columns | None = None
    department: str | None = None
    wages: Summed = ()
    reimbursement: Summed = ()
    employer_tax: Summed = ()
    employer_benefit: Summed = ()
    net_pay: Summed = ()
    tax_payment: Summed = ()
    employee_benefit: Summed = ()
    other_deduction: Summed = ()

    def parts(self) -> Mapping[PayPart, tuple[str, ...]]:
        """The columns of each part that has any."""
        return {part: columns for part in get_args(PayPart) if (columns := getattr(self, part))}


class Applied(_Table):
    """The invoice that a payment settles; `amount` is a column, the whole payment where left out."""

    invoice: ColumnPlan
    amount: str | None = None


class Kind(Defaults):
    """One kind of record: where it stands, what it is, and which column is what.

    `file` may hold `*` and `?`: then all files of such names are read, in the order of their names. `header`: the names
    of the columns, where the file has none. `repeated`: what a further row with a known id is.
    """

    file: str | None = None
    header: tuple[str, ...] = ()
    repeated: Literal["report", "first"] = "report"
    record: RecordName
    id: Columns
    columns: dict[str, ColumnPlan]
    constants: dict[str, Constant] = {}
    lines: Lines | None = None
    charges: tuple[Charge, ...] = ()
    applied: Applied | None = None
    pay: Pay | None = None
    keep: Literal["all", "mapped"] | None = None

    def one_row_each(self) -> bool:
        """Whether a record is one row; else all rows with its id are it."""
        return self.pay is None and (self.lines is None or self.lines.file is not None)

    def digest(self) -> str:
        """Changes whenever this part of the mapping does, so that the files are read again."""
        return hashlib.sha256(canonical(self.model_dump(mode="json"))).hexdigest()[:16]


M_ = TypeVar("M_", bound=_Table)


def parse_mapping(table: object, *, connection: object = None) -> Mapping[str, Kind]:
    """The kinds of a mapping in the order in which they must be read.

    Args:
        table: the `[csv]` table as TOML gives it.
        connection: the mapping's `[connection]` table, whose zone and currency hold where these name none.

    Raises:
        ConfigurationError: something is missing, unknown or of a wrong kind.
    """
    if not isinstance(table, Mapping) or not any(isinstance(value, Mapping) for value in table.values()):
        raise ConfigurationError(
            "The mapping has no [csv.<kind>] table.",
            remedy="Add one for each file, as the examples beside the csv adapter show.",
        )
    shared = {name: value for name, value in table.items() if not isinstance(value, Mapping)}
    _validated(Defaults, shared, "csv")
    if isinstance(connection, Mapping):
        for name in ("zone", "currency"):
            if isinstance(connection.get(name), str):
                shared.setdefault(name, connection[name])
    kinds = {
        str(name): _with_lines(str(name), _validated(Kind, {**shared, **value}, f"csv.{name}"))
        for name, value in table.items()
        if isinstance(value, Mapping)
    }
    for name, kind in kinds.items():
        _check(name, kind)
        _check_prices(name, kind, kinds)
    return dict(sorted(kinds.items(), key=lambda item: READING_ORDER.index(item[1].record)))


def _with_lines(name: str, kind: Kind) -> Kind:
    """Lines in the rows of the sale itself are told by its id and have no file of their own."""
    lines = kind.lines
    if lines is None:
        return kind
    if lines.file is None or lines.file == kind.file:
        own = lines.model_copy(update={"file": None, "key": kind.id})
        return kind.model_copy(update={"lines": own})
    if not lines.key:
        raise ConfigurationError(
            f"[csv.{name}.lines]: key is missing.",
            remedy="Add key = …, the column with the id that a line belongs to; or leave out file, where each row of "
            f"the {kind.record}s' own file is a line.",
        )
    return kind


def _check(name: str, kind: Kind) -> None:
    if ":" in name:
        raise ConfigurationError(
            f"[csv.{name}]: a kind's name must not hold a colon.", remedy="Rename the table, for example to order."
        )
    if kind.encoding != "auto":
        try:
            codecs.lookup(kind.encoding)
        except LookupError:
            raise ConfigurationError(
                f"[csv.{name}]: there is no encoding called {kind.encoding!r}.",
                remedy='Use "auto", "utf-8", "cp1252", "latin-1", "utf-16" or another that Python knows.',
            ) from None
    if kind.thousands == kind.decimal:
        raise ConfigurationError(
            f"[csv.{name}]: thousands and decimal are the same character.", remedy="Set each to what the file writes."
        )
    for file in (kind.file, kind.lines.file if kind.lines else None):
        if file is not None and (not file or "/" in file or "\\" in file or file.startswith(".")):
            raise ConfigurationError(
                f"[csv.{name}]: {file!r} is not the name of a file in the connection's folder.",
                remedy="Give the name alone, without a path.",
            )
    _check_lines(name, kind)


def _check_prices(name: str, kind: Kind, kinds: Mapping[str, Kind]) -> None:
    source = kind.lines.price_from if kind.lines else None
    if source is None:
        return
    products = [one for one, other in kinds.items() if other.record == "product" and "unit_price" in other.columns]
    if source not in products:
        raise ConfigurationError(
            f"[csv.{name}.lines]: price_from names {source!r}, which is no kind of products with a unit_price."
            f"{suggestion(source, products)}",
            remedy=f"It may be one of {', '.join(products) or 'none: give the products a unit_price'}.",
        )


def _check_lines(name: str, kind: Kind) -> None:
    with_lines = kind.record in {"invoice", "credit_memo", "refund"}
    if kind.charges and kind.record == "payout":
        raise ConfigurationError(
            f"[csv.{name}]: a payout has no charges.", remedy="Give the fee as a column: fee = … in its columns."
        )
    if (kind.lines or kind.charges) and not with_lines and kind.record != "payout":
        raise ConfigurationError(
            f"[csv.{name}]: a {kind.record} has no lines.", remedy="Remove lines and charges from this table."
        )
    if with_lines and not (kind.lines or kind.charges):
        raise ConfigurationError(
            f"[csv.{name}]: nothing says what the lines of this {kind.record} are.",
            remedy=f"Add [csv.{name}.lines] for a file of lines, or [[csv.{name}.charges]] for an amount in the row.",
        )
    if kind.record == "pay_run" and (kind.pay is None or not kind.pay.parts()):
        raise ConfigurationError(
            f"[csv.{name}]: nothing says what the columns of this payroll are.",
            remedy=f"Add [csv.{name}.pay] with wages = […], net_pay = […] and the other parts.",
        )
    if kind.pay and kind.record != "pay_run":
        raise ConfigurationError(f"[csv.{name}]: a {kind.record} pays nobody.", remedy="Remove pay from this table.")
    if kind.repeated == "first" and not kind.one_row_each():
        raise ConfigurationError(
            f"[csv.{name}]: rows with one id are the lines of one {kind.record} here.", remedy="Remove repeated."
        )
    if kind.applied and kind.record != "payment":
        raise ConfigurationError(
            f"[csv.{name}]: only a payment is applied to an invoice.", remedy="Remove applied from this table."
        )


_ALTERNATIVES = frozenset({"str", "bool", "int", "decimal", "dict[str,any]"})
"""What pydantic adds to the place of an error where several types are allowed."""


def _validated(model: type[M_], value: Mapping[str, Any], where: str) -> M_:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        # A name that is not known explains one that is missing, so it is told first.
        first = min(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
        path = [str(part) for part in first["loc"] if str(part) not in _ALTERNATIVES]
        place = ".".join([where, *path[:-1]])
        name = path[-1] if path else where
        if first["type"] == "extra_forbidden":
            raise ConfigurationError(
                f"[{place}]: there is no setting called {name!r}.{suggestion(name, _known(model, path[:-1]))}",
                remedy=f"It may be one of {', '.join(_known(model, path[:-1]))}.",
            ) from None
        if first["type"] == "missing":
            raise ConfigurationError(f"[{place}]: {name} is missing.", remedy=f"Add {name} = … to it.") from None
        raise ConfigurationError(
            f"[{place}]: {name} cannot be {first['input']!r}.", remedy=f"{first['msg']}."
        ) from None


def _known(model: type[BaseModel], path: Sequence[str]) -> Sequence[str]:
    nested: Mapping[str, type[BaseModel]] = {"lines": Lines, "charges": Charge, "applied": Applied, "pay": Pay}
    for part in path:
        model = nested.get(part, model)
    return sorted(model.model_fields)


def suggestion(name: str, known: Sequence[str]) -> str:
    """` Did you mean 'x'?`, or nothing."""
    near = get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
