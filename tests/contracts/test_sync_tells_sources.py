"""One `counterfoil sync`, without webhooks: what it writes into the books is told to the source before it ends."""

import asyncio
from pathlib import Path
from typing import Any

from counterfoil import Engine, Settings
from counterfoil.cli.tasks.quiet import until_quiet
from support import hubspot
from support.between import settings_between, source_settings
from support.postgres import Database
from support.quickbooks_emulator import emulator_process

MAPPING = """
[connection]
source = "hubspot"
zone = "America/New_York"
currency = "USD"

[customer]
from = ["company"]

[invoice]
from = ["deal"]
"""
WRITE_BACK = """
[write_back]
status = "qbo_invoice_status"
balance = "qbo_balance"
"""
BOUND_SECONDS = 120.0


async def run(settings: Settings) -> tuple[str | None, int]:
    """Synchronise: how it ended, and at which event."""
    async with Engine(settings) as engine:
        watched = await until_quiet(engine, engine.clock, timeout_seconds=BOUND_SECONDS)
        worker = watched[1].runner.worker
        assert worker is not None
        return watched[1].ending, worker.progress.head


async def test_a_source_is_told_in_the_same_run_and_the_next_run_has_nothing_to_say(
    database: Database, tmp_path: Path
) -> None:
    with emulator_process("--limits", "off") as books:
        async with hubspot.account() as account:
            await account.load(
                companies=[hubspot.company(7)],
                products=[hubspot.product(3, "50.00")],
                deals=[hubspot.deal(512, amount="100.00"), hubspot.deal(513, amount="100.00")],
                line_items=[hubspot.line_item(one, "50.00", quantity="2", hs_product_id="3") for one in (9, 10)],
                associations=[
                    *(hubspot.link("deals", deal, "companies", 7) for deal in (512, 513)),
                    *(hubspot.link("deals", deal, "line_items", line) for deal, line in ((512, 9), (513, 10))),
                ],
            )
            source = source_settings("hubspot", MAPPING + WRITE_BACK, account.settings(timeout_seconds=30))
            between = settings_between(database, tmp_path, books, source)
            # Nothing but the run itself makes it look: the next poll and the next sweep are far away.
            (company,) = between.companies
            seldom = company.model_copy(update={"poll_seconds": 3600.0, "sweep_seconds": 3600.0})
            settings = between.model_copy(update={"companies": (seldom,)})

            ended, head = await run(settings)

            shown = [row.properties for row in account.emulator.portal.tables["deals"].rows.values()]
            assert [(one["qbo_invoice_status"], one["qbo_balance"]) for one in shown] == [("open", "100.00")] * 2
            journal: Any = await account.control("GET", "/journal?by=api")
            assert len(journal["entries"]) == 2

            again, same = await run(settings)

            assert (ended, again) == ("quiet", "quiet")
            assert same == head, "nothing is left for a second run"
        effects: Any = (await asyncio.to_thread(books.control, "/journal"))["effects"]
    assert [one["operation"] for one in effects if one["entity"] == "Invoice"] == ["create", "create"]
