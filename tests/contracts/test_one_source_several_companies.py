"""One HubSpot account whose deals belong to two companies: each takes its own by a filter, and passes over the rest."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import cast

from counterfoil import Engine
from counterfoil.postgres import Pool
from counterfoil.quickbooks.emulator import EmulatorOptions, QuickBooksEmulator
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from support import hubspot
from support.between import documents, settings_between, source_settings
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

BOUND_SECONDS = 90.0
MAPPING = """
[connection]
source = "hubspot"
zone = "UTC"
currency = "USD"

[customer]
from = ["company"]

[invoice]
from = ["deal"]
filter = "amount {} 100"
"""


@asynccontextmanager
async def other_books() -> AsyncIterator[EmulatorProcess]:
    """Books of another realm, in this process."""
    options = EmulatorOptions(realm_id="9130000000000002", seed=8, limits=LimitNumbers(enabled=False))
    async with QuickBooksEmulator(options) as emulator:
        yield EmulatorProcess(cast("subprocess.Popen[str]", None), emulator.ready_line())


async def totals(books: EmulatorProcess) -> list[Decimal]:
    return sorted(Decimal(str(one["TotalAmt"])) for one in (await documents(books)).values())


async def test_each_company_takes_its_own_part_and_passes_over_the_others(
    database: Database, pool: Pool, tmp_path: Path
) -> None:
    with emulator_process("--limits", "off") as small:
        async with other_books() as large, hubspot.account() as account:
            await account.load(
                companies=[hubspot.company(7, "Söhne & Co")],
                products=[hubspot.product(3, "20.00")],
                deals=[hubspot.deal(51), hubspot.deal(52), hubspot.deal(53)],
                line_items=[
                    hubspot.line_item(number, "20.00", quantity=quantity, hs_product_id="3")
                    for number, quantity in ((1, "2"), (2, "25"), (3, "5"))
                ],
                associations=[
                    hubspot.link("deals", deal, kind, end)
                    for deal, line in ((51, 1), (52, 2), (53, 3))
                    for kind, end in (("companies", 7), ("line_items", line))
                ],
            )
            options = account.settings(timeout_seconds=30)
            parts = [
                settings_between(database, tmp_path, books, source_settings("hubspot", MAPPING.format(sign), options))
                for books, sign in ((small, "<="), (large, ">"))
            ]
            (first,), (second,) = (part.companies for part in parts)
            both = (first, second.model_copy(update={"company": 2, "name": "Large"}))
            async with Engine(parts[0].model_copy(update={"companies": both})) as engine:
                engine.start()
                async with asyncio.timeout(BOUND_SECONDS):
                    while (await totals(small), await totals(large)) != ([Decimal(40), Decimal(100)], [Decimal(500)]):
                        await asyncio.sleep(0.2)
    rows = await pool.fetch(
        "select company, count(*) as n from counterfoil_state.changes"
        " where state = 'skipped' and code = 'filtered' group by 1 order by 1"
    )
    # What is another's is passed over, and counted.
    assert [(row["company"], row["n"]) for row in rows] == [(1, 1), (2, 2)]
