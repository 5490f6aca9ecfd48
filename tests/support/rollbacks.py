"""Rollbacks in tests: previewed and applied as the command does it; and what the books' own report says of them."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

import requests

from counterfoil import Engine
from counterfoil.dispatch.rollback.loading import RollbackLoader
from counterfoil.dispatch.rollback.preview import Preview, preview_of
from counterfoil.log import Append, NewEvent
from counterfoil.state.rows import OPEN_INTENTS, IntentRow, RunRow
from counterfoil.state.runs import ROLLBACK, run_name
from counterfoil_schema.events.rollbacks import RollbackPolicy, RollbackRequested, RollbackScope
from support.quickbooks_emulator import EmulatorProcess

BOUND_SECONDS = 120.0


@dataclass(frozen=True)
class Rollbacks:
    """What operators do, for one engine's company 1."""

    engine: Engine

    async def preview(
        self,
        scope: RollbackScope,
        *,
        sales: Literal["void", "credit"] = "void",
        dated: date | None = None,
        later: Literal["park", "follow"] = "park",
    ) -> tuple[Preview, RollbackPolicy]:
        loader = RollbackLoader(company=1, store=self.engine.store, reader=self.engine.reader)
        policy = RollbackPolicy(sales=sales, dated=dated, later=later)
        return preview_of(await loader.load(scope, policy)), policy

    async def apply(self, scope: RollbackScope, preview: Preview, policy: RollbackPolicy) -> str:
        """Ask for what was shown, and wait until it has ended; the name of the run."""
        run = await self.request(scope, preview, policy)
        self.engine.runners[1].wake()
        await self.ended(run)
        return run

    async def request(self, scope: RollbackScope, preview: Preview, policy: RollbackPolicy) -> str:
        """Ask for what was shown; the name of the run."""
        asked = RollbackRequested(
            scope=scope,
            policy=policy,
            author="Ann",
            reason="wrong mapping",
            previewed=preview.position,
            preview=preview.hash,
            steps=tuple(sorted(preview.digests)),
        )
        appended = await self.engine.log.append(Append(1, [NewEvent(asked)]))
        return run_name(ROLLBACK, appended.first_position)

    async def ended(self, run: str) -> list[IntentRow]:
        """Until a run is planned and nothing of it moves any more; its intents."""
        async with asyncio.timeout(BOUND_SECONDS):
            while True:
                row = await self.engine.store.one(RunRow, 1, run)
                if row is not None and row.taken is not None:
                    intents = await self.engine.store.some(IntentRow, "intents_of_run", 1, run)
                    if not any(one.state in OPEN_INTENTS for one in intents):
                        return intents
                await asyncio.sleep(0.1)


def told(preview: Preview) -> dict[str, str]:
    """What becomes of each record's document: the action, or why it stays."""
    steps: dict[str, str] = {one.of_key: one.action for one in preview.plan.steps}
    return {**steps, **{one.record_key: one.code for one in preview.plan.refusals}}


def moved(preview: Preview) -> dict[str, Decimal]:
    """By how much a preview says that accounts would move."""
    sums = {one.account: one.after - one.before for one in preview.plan.totals}
    return {account: amount for account, amount in sums.items() if amount}


def trial_balance(books: EmulatorProcess, end: str = "2026-12-31") -> dict[str, Decimal]:
    """Debits less credits by account, by the books' own report."""
    answer = requests.get(
        f"{books.company_url}/reports/TrialBalance",
        params={"start_date": "2026-01-01", "end_date": end},
        headers={"Authorization": f"Bearer {books['access_token']}", "Accept": "application/json"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Decimal] = {}
    for row in answer.json()["Rows"].get("Row", []):
        cells = [cell["value"] for cell in row.get("ColData", [])]
        if cells:
            found[cells[0]] = Decimal(cells[1] or 0) - Decimal(cells[2] or 0)
    return found


def difference(after: dict[str, Decimal], before: dict[str, Decimal]) -> dict[str, Decimal]:
    """By how much accounts moved between two reports."""
    names: Iterable[str] = {*after, *before}
    moves = {name: after.get(name, Decimal(0)) - before.get(name, Decimal(0)) for name in names}
    return {name: amount for name, amount in moves.items() if amount}


def send_invoice(books: EmulatorProcess, document_id: str) -> None:
    """A person has QuickBooks mail an invoice to its customer."""
    answer = requests.post(
        f"{books.company_url}/invoice/{document_id}/send",
        params={"sendTo": "ann@shop.example"},
        headers={
            "Authorization": f"Bearer {books['access_token']}",
            "Accept": "application/json",
            "Content-Type": "application/octet-stream",
        },
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
