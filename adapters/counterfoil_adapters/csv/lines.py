"""The lines of an invoice or credit memo: those in a file of their own, and those that are columns of its row. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from pydantic import ValidationError

from counterfoil_adapters.csv.cells import CellError, Cells, amount
from counterfoil_adapters.csv.columns import joined_id
from counterfoil_adapters.csv.mapping import Charge
from counterfoil_adapters.csv.plans import KindPlan, LinePlan, RowOf
from counterfoil_adapters.csv.reading import BrokenRow
from counterfoil_schema.records import InvoiceLine, PayoutPart

Problems = list[tuple[str, CellError]]
"""Places, such as `orders.csv line 17`, and what is wrong there."""


def refused(error: ValidationError) -> CellError:
    """A canonical record's refusal in plain words. The value is left out: it may be personal."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return CellError(f"{field}: {first['msg']}.", "Check the row and the mapping.")


def detail_lines(plan: KindPlan, rows: Sequence[RowOf], problems: Problems) -> list[InvoiceLine]:
    """The lines in the file of lines; what is wrong with any of them is added to `problems`."""
    if plan.lines is None:
        return []
    made: list[InvoiceLine] = []
    taken: set[str] = set()
    for number, row in enumerate(rows, start=1):
        if isinstance(row.row, BrokenRow):
            problems.append((row.place(), CellError(row.row.problem, row.row.fix)))
            continue
        line, errors = _line(plan.lines, row, number, taken)
        problems.extend((row.place(), error) for error in errors)
        if line is not None:
            made.append(line)
    return made


def _line(plan: LinePlan, row: RowOf, number: int, taken: set[str]) -> tuple[InvoiceLine | None, Sequence[CellError]]:
    cells = row.cells()
    values, errors = plan.fields.read(cells)
    _put_price(plan, values, errors)
    values["line_id"] = line_id = _line_id(plan, cells, number)
    if not line_id:
        errors.append(CellError("The line has no id.", f"Fill {' and '.join(map(repr, plan.spec.id or ()))}."))
    elif line_id in taken:
        errors.append(CellError(f"There is a second line {line_id!r}.", "Give each line of a document its own id."))
    taken.add(line_id)
    discount = values.get("discount")
    if isinstance(discount, Decimal) and not 0 <= discount <= 1:
        errors.append(
            CellError(
                f"The discount is {discount:f} of the line, not between 0 and 1.",
                'Correct it; or set discount_as = "percent" in the mapping.',
            )
        )
    if errors:
        return None, errors
    try:
        return InvoiceLine.model_validate(values), ()
    except ValidationError as error:
        return None, (refused(error),)


def _put_price(plan: LinePlan, values: dict[str, object], errors: list[CellError]) -> None:
    """The price of the product, where the line states none and the mapping says whose holds."""
    if plan.spec.price_from is None or "unit_price" in values:
        return
    product = values.get("product")
    price = plan.prices.get(product) if isinstance(product, str) else None
    if price is None:
        kind = plan.spec.price_from
        errors.append(
            CellError(
                f"The line states no price, and [csv.{kind}] has none for its product.",
                f"Give the product a price, or the line; or correct which {kind} the line names.",
            )
        )
        return
    values["unit_price"] = price


def _line_id(plan: LinePlan, cells: Cells, number: int) -> str:
    if not plan.spec.id:
        return str(number)
    return joined_id([cells[column] for column in plan.spec.id]) or ""


def payout_parts(plan: KindPlan, rows: Sequence[RowOf], problems: Problems) -> list[PayoutPart]:
    """What a payout passes on, by the file of its parts; what is wrong with any of them is added to `problems`."""
    if plan.lines is None:
        return []
    made: list[PayoutPart] = []
    for row in rows:
        if isinstance(row.row, BrokenRow):
            problems.append((row.place(), CellError(row.row.problem, row.row.fix)))
            continue
        values, errors = plan.lines.fields.read(row.cells())
        named = [values[name] for name in ("payment", "refund") if name in values]
        if len(named) != 1:
            told = "neither a payment nor a refund" if not named else "both a payment and a refund"
            errors.append(CellError(f"The part names {told}.", "Fill one of the two columns."))
        problems.extend((row.place(), error) for error in errors)
        if errors:
            continue
        try:
            made.append(PayoutPart.model_validate({"part_of": named[0], "amount": values["amount"]}))
        except ValidationError as error:
            problems.append((row.place(), refused(error)))
    return made


def charge_lines(plan: KindPlan, row: RowOf, problems: Problems) -> list[InvoiceLine]:
    """The lines that columns of the document's own row make."""
    made: list[InvoiceLine] = []
    for charge in plan.kind.charges:
        try:
            line = _charge(charge, row.cells(), plan)
        except CellError as error:
            problems.append((row.place(), error))
            continue
        if line is not None:
            made.append(line)
    return made


def _charge(charge: Charge, cells: Cells, plan: KindPlan) -> InvoiceLine | None:
    """A line of its own; none where the cell is empty or zero."""
    text = cells.given(charge.column)
    value = amount(charge.column, text, plan.style) if text else Decimal(0)
    if not value:
        return None
    product = plan.charged[charge.column].read(cells) if charge.column in plan.charged else None
    return InvoiceLine(
        line_id=charge.id or charge.column,
        product=product if isinstance(product, str) else None,
        description=charge.description,
        unit_price=value,
        role=charge.role,
    )
