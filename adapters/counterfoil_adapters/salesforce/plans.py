"""How a kind is read: what is selected, checked against what this user may see, and which other rows concern it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from counterfoil.sources.port import SourceError, UnknownNameError
from counterfoil_adapters.salesforce.client import Description, SalesforceClient
from counterfoil_adapters.salesforce.settings import SalesforceSettings
from counterfoil_adapters.salesforce.shapes import CURRENCY, Paths, Shape
from counterfoil_adapters.salesforce.sweep import STAMP, Sweep

MASTER = "MasterRecordId"
PRICES = "PricebookEntry"
STANDARD_PRICES = "Pricebook2.IsStandard = TRUE"
MERGED = f"IsDeleted = TRUE AND {MASTER} != NULL"


@dataclass(frozen=True, slots=True)
class Companion:
    """Rows of another object whose change is a change of ours: the ones whose `owner` is what their `column` names."""

    object: str
    column: str
    owner: str
    sweep: Sweep
    select: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How one kind is read."""

    shape: Shape
    select: str
    sweep: Sweep
    companions: Mapping[str, Companion]
    lines: str = ""
    prices: str = ""


class Planner:
    """Makes plans, once for each kind, by what Salesforce says of its objects."""

    def __init__(self, client: SalesforceClient, settings: SalesforceSettings, shapes: Mapping[str, Shape]) -> None:
        self._client = client
        self._rows_max = settings.page_rows
        self._overlap = timedelta(seconds=settings.overlap_seconds)
        self._shapes = shapes
        self._plans: dict[str, Plan] = {}

    async def plan(self, kind: str) -> Plan:
        """The plan of a kind.

        Raises:
            SourceError: an object or field that is not there, or not for this user.
        """
        if kind not in self._plans:
            try:
                self._plans[kind] = await self._made(self._shapes[kind])
            except SourceError:
                # Somebody may give the permission meanwhile: look again next time.
                self._client.forget_descriptions()
                raise
        return self._plans[kind]

    async def _made(self, shape: Shape) -> Plan:
        described = await self._client.describe(shape.object)
        names = ["Id", STAMP, "IsDeleted", *([MASTER] if MASTER in described.types else [])]
        names += await self._fields(shape, described, shape.fields)
        names += [name for name in shape.written if name in described.types]
        lines = prices = ""
        if shape.lines is not None:
            inner = await self._client.describe(shape.lines.object)
            own = await self._fields(shape, inner, {"parent": (shape.lines.parent,), **shape.lines.fields})
            lines = _listed(["Id", STAMP, *own])
        if shape.priced and "unit_price" not in shape.fields:
            entry = await self._client.describe(PRICES)
            wanted: dict[str, Paths] = {
                "product": ("Product2Id",),
                "unit_price": ("UnitPrice",),
                "currency": (CURRENCY,),
            }
            prices = _listed(["Id", STAMP, *await self._fields(shape, entry, wanted)])
        sweep = self._sweep(shape.object)
        return Plan(shape, _listed(names), sweep, await self._companions(shape, lines, prices), lines, prices)

    async def _companions(self, shape: Shape, lines: str, prices: str) -> dict[str, Companion]:
        found: dict[str, Companion] = {}
        if shape.lines is not None:
            name = shape.lines.object
            found["lines"] = Companion(name, shape.lines.parent, "Id", self._sweep(name), lines)
        if prices:
            found["prices"] = Companion(PRICES, "Product2Id", "Id", self._sweep(PRICES, STANDARD_PRICES), prices)
        if shape.record == "invoice":
            # What hangs on a merged customer goes over to the other without a word of its own.
            customer = self._shapes[shape.customer_kind].object
            reference = shape.fields["customer"][0]
            if MASTER in (await self._client.describe(customer)).types and "." not in reference:
                columns = _listed(["Id", STAMP, MASTER])
                found["merges"] = Companion(customer, MASTER, reference, self._sweep(customer, MERGED), columns)
        return found

    def _sweep(self, name: str, where: str = "") -> Sweep:
        return Sweep(self._client, name, where, self._rows_max, self._overlap)

    async def _fields(self, shape: Shape, described: Description, fields: Mapping[str, Paths]) -> list[str]:
        """The fields to select; an org with a single currency has none on its records."""
        paths = [(ours, path) for ours, several in fields.items() for path in several]
        for ours, path in paths:
            if path != CURRENCY:
                await self._check(shape, described, ours, path)
        return [path for _, path in paths if path != CURRENCY or CURRENCY in described.types]

    async def _check(self, shape: Shape, described: Description, ours: str, path: str) -> None:
        *relations, name = path.split(".")
        for relation in relations:
            target = described.relations.get(relation)
            if target is None:
                raise _unseen(shape, described.object, ours, f"relationship {relation}", described.relations)
            described = await self._client.describe(target)
        if name not in described.types:
            raise _unseen(shape, described.object, ours, f"field {name}", described.types)


def _unseen(shape: Shape, name: str, ours: str, what: str, known: Mapping[str, str]) -> SourceError:
    missing = what.rsplit(maxsplit=1)[-1]
    near = Description(name, known).nearest(missing)
    return UnknownNameError(
        f"Salesforce shows this user no {what} on {name}, which {ours} of {shape.kind} is read from.",
        name=missing,
        remedy=f"{near}Correct [source.kinds.{shape.kind}] in the mapping, or give the user's permission set"
        " read access to it.",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))
