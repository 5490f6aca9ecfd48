"""The csv adapter under the contract that every source must keep."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from counterfoil.sources import SourceAdapter
from counterfoil.testing.source_contract import SourceContract, Stage
from counterfoil_adapters.csv.adapter import CsvSource
from support.csv_folders import SHOP_MAPPING, context_for

ODD_NAME = 'Zoë "Zed" O\'Neill, Søn & Cie 🚚\n2nd line'
MANY = 1203  # three pages


def fill(folder: Path) -> None:
    customers = [
        "id,name,mail",
        'C1,"' + ODD_NAME.replace('"', '""') + '",z@example.test',
        "C2,,",
        "C3,Émile,e@x.test,",
    ]
    customers += [f"N{number},Customer {number}," for number in range(MANY)]
    (folder / "customers.csv").write_text("\r\n".join(customers) + "\r\n", encoding="utf-8", newline="")
    (folder / "orders.csv").write_text(
        "id,customer,date,freight\nO1,C1,2024-01-31,1.50\nO2,C1,2024-02-30,\nO3,C1,2024-03-01,\nO1,C1,2024-01-31,\n",
        encoding="utf-8",
    )
    (folder / "lines.csv").write_text(
        "order,line,qty,price,discount\nO1,1,2,9.99,0\nO2,1,1,5.00,0\nO9,1,1,5.00,0\n", encoding="utf-8"
    )


@asynccontextmanager
async def csv_stage(folder: Path) -> AsyncIterator[Stage]:
    fill(folder)

    def opened() -> AbstractAsyncContextManager[SourceAdapter]:
        return CsvSource(context_for(folder, SHOP_MAPPING))

    async def edit() -> tuple[str, str]:
        orders = folder / "orders.csv"
        orders.write_text(orders.read_text(encoding="utf-8").replace("1.50", "1.60", 1), encoding="utf-8")
        return "order", "O1"

    async def hide() -> tuple[str, str]:
        customers = folder / "customers.csv"
        text = customers.read_text(encoding="utf-8")
        customers.write_text(text.replace("N7,Customer 7,\n", ""), encoding="utf-8")
        return "customer", "N7"

    yield Stage(
        open=opened,
        readable={"customer": ["C1", *(f"N{number}" for number in range(MANY))], "order": ["O1"]},
        unreadable={"customer": ["C2", "C3"], "order": ["O2", "O3", "O1 again", "O9"]},
        texts=[ODD_NAME],
        edit=edit,
        hide=hide,
    )


class TestCsvSource(SourceContract):
    def stage(self, folder: Path) -> AbstractAsyncContextManager[Stage]:
        return csv_stage(folder)
