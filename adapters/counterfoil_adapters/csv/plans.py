"""What a mapping's table comes to once it is checked: how each field is read, and of which columns. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from counterfoil.errors import ConfigurationError
from counterfoil_adapters.csv.cells import Cells, Style
from counterfoil_adapters.csv.columns import FieldPlan, RecordPlan, plan_record, reference_of
from counterfoil_adapters.csv.files import Header
from counterfoil_adapters.csv.mapping import Applied, Constant, Kind, Lines, RecordName
from counterfoil_adapters.csv.reading import BrokenRow, Row

_PEOPLE: frozenset[RecordName] = frozenset({"customer", "employee", "vendor"})
_PRICED: frozenset[RecordName] = frozenset(
    {"product", "invoice", "payment", "credit_memo", "refund", "payout", "pay_run"}
)
_KEPT_IN_PART: frozenset[RecordName] = frozenset({"employee", "pay_run"})


@dataclass(frozen=True, slots=True)
class LinePlan:
    """How the lines of a sale, or the parts of a payout, are read from their file."""

    spec: Lines
    fields: RecordPlan
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    """Of products by their record keys, for lines that state none."""

    def columns(self) -> tuple[str, ...]:
        """The columns that the file of lines must have."""
        return tuple(dict.fromkeys((*self.spec.key, *(self.spec.id or ()), *self.fields.columns())))


@dataclass(frozen=True, slots=True)
class KindPlan:
    """Everything needed to read one kind of record.

    `charged`: the product of a charge, by the charge's column. `told_elsewhere`: its rows are read for another kind as
    well, which tells of those that are broken.
    """

    name: str
    kind: Kind
    style: Style
    fields: RecordPlan
    lines: LinePlan | None
    applied: RecordPlan | None
    charged: Mapping[str, FieldPlan] = field(default_factory=dict)
    told_elsewhere: bool = False

    def columns(self) -> tuple[str, ...]:
        """The columns that the main file must have."""
        charges = [charge.column for charge in self.kind.charges]
        charges += [column for plan in self.charged.values() for column in plan.columns]
        applied = self.applied.columns() if self.applied else ()
        own = (*self.kind.id, *self.fields.columns(), *charges, *applied, *self._pay_columns())
        lines = self.lines.columns() if self.lines and self.lines.spec.file is None else ()
        return tuple(dict.fromkeys((*own, *lines)))

    def _pay_columns(self) -> tuple[str, ...]:
        pay = self.kind.pay
        if pay is None:
            return ()
        department = (pay.department,) if pay.department else ()
        return (*(pay.person or ()), *department, *(column for part in pay.parts().values() for column in part))

    def keeps_all(self) -> bool:
        """Whether columns that the mapping does not name are kept; those about employees are not, unless asked for."""
        return (self.kind.keep or ("mapped" if self.kind.record in _KEPT_IN_PART else "all")) == "all"


@dataclass(frozen=True, slots=True)
class RowOf:
    """A row and the file it stands in."""

    file: str
    header: Header
    row: Row | BrokenRow

    def place(self) -> str:
        """Where a person finds it."""
        return f"{self.file} line {self.row.line}"

    def cells(self) -> Cells:
        """Its cells by column."""
        return Cells(self.header.index, self.row.fields, self.header.nulls)


def plan_kind(name: str, kind: Kind, *, connection: str, kinds: Mapping[str, RecordName]) -> KindPlan:
    """Check a kind's columns and make the functions that read them.

    Raises:
        ConfigurationError: see `plan_record`; or an unknown zone.
    """
    style = Style(
        decimal=kind.decimal,
        thousands=kind.thousands,
        dates=kind.dates,
        zone=_zone(name, kind.zone),
        secret=kind.record in _PEOPLE or kind.record == "pay_run",
    )
    constants: dict[str, Constant] = dict(kind.constants)
    if kind.currency and kind.record in _PRICED and "currency" not in constants:
        constants["currency"] = kind.currency
    where = f"csv.{name}"
    fields = plan_record(where, kind.record, kind.columns, constants, connection=connection, kinds=kinds, style=style)
    lines = (
        None
        if kind.lines is None
        else LinePlan(
            kind.lines,
            plan_record(
                f"{where}.lines",
                "part" if kind.record == "payout" else "line",
                kind.lines.columns,
                kind.lines.constants,
                connection=connection,
                kinds=kinds,
                style=replace(style, percent=kind.lines.discount_as == "percent"),
                given_elsewhere=("unit_price",) if kind.lines.price_from else (),
            ),
        )
    )
    applied = None if kind.applied is None else _plan_applied(f"{where}.applied", kind.applied, connection, kinds)
    charged = {
        charge.column: FieldPlan(
            "product", *reference_of(f"{where}.charges.product", charge.product, connection, kinds)
        )
        for charge in kind.charges
        if charge.product is not None
    }
    return KindPlan(name, kind, style, fields, lines, applied, charged)


def _plan_applied(where: str, spec: Applied, connection: str, kinds: Mapping[str, RecordName]) -> RecordPlan:
    columns, read = reference_of(f"{where}.invoice", spec.invoice, connection, kinds)
    plans = [FieldPlan("invoice", columns, read)]
    if spec.amount:
        column = spec.amount
        plans.append(FieldPlan("amount", (column,), lambda cells: cells[column] or None))
    return RecordPlan(tuple(plans), {})


def _zone(name: str, zone: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            f"[csv.{name}]: there is no time zone called {zone!r}.",
            remedy="Use a name such as Europe/Berlin or America/New_York.",
        ) from None
