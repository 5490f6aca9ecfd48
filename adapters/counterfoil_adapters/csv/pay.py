"""What the rows of a payroll come to, for each department and part: one person's pay appears in none of them. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from counterfoil_adapters.csv.cells import CellError, Cells, Style, amount
from counterfoil_adapters.csv.lines import Problems
from counterfoil_adapters.csv.mapping import Pay
from counterfoil_adapters.csv.plans import RowOf
from counterfoil_adapters.csv.reading import BrokenRow
from counterfoil_schema.records import PayPart, PayRunLine


def pay_lines(pay: Pay, style: Style, rows: Sequence[RowOf], problems: Problems) -> tuple[PayRunLine, ...]:
    """The lines; what is wrong with any row is added to `problems`."""
    sums: dict[tuple[str, PayPart], Decimal] = {}
    people: dict[tuple[str, PayPart], set[str]] = {}
    for row in rows:
        if isinstance(row.row, BrokenRow):
            problems.append((row.place(), CellError(row.row.problem, row.row.fix)))
            continue
        cells = row.cells()
        department = cells[pay.department] if pay.department else ""
        person = " ".join(cells[column] for column in pay.person or ()).strip() or row.place()
        for part, columns in pay.parts().items():
            value = _sum(columns, cells, style, row, problems)
            if value:
                group = (department, part)
                sums[group] = sums.get(group, Decimal(0)) + value
                people.setdefault(group, set()).add(person)
    return tuple(
        PayRunLine(department=department, part=part, amount=value, people=len(people[department, part]))
        for (department, part), value in sums.items()
    )


def _sum(columns: Sequence[str], cells: Cells, style: Style, row: RowOf, problems: Problems) -> Decimal:
    total = Decimal(0)
    for column in columns:
        text = cells.given(column)
        try:
            total += amount(column, text, style) if text else Decimal(0)
        except CellError as error:
            problems.append((row.place(), error))
    return total
