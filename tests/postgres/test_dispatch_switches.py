"""Once: over every pair of what Intuit's pages leave open, an answer that is lost doubles nothing and loses nothing.

Each case is one setting of all switches and one trouble; together the cases hold every pair of values.
"""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from counterfoil.postgres import Pool
from support.postgres import Database
from support.running import Shop, open_shop

SWITCHES: Mapping[str, Sequence[str]] = {
    "--request-ids": ("forever", "0.02", "ignored", "error", "duplicate"),
    "trouble": ("lost", "late", "fault after the effect", "slow"),
    "--replay-faults": ("on", "off"),
    "--batch-items": ("30", "10"),
    "--batch-order": ("serial", "parallel"),
    "--rate": ("both", "second", "at-once"),
    "deletes": ("true", "false"),
    # What decides how evidence is read, and how a connection lives on.
    "--old-changes": ("clipped", "refused"),
    "--cdc-time-activity": ("told", "refused"),
    "--batch-objects": ("any", "bounded"),
    "--old-refresh": ("refused", "revokes"),
    "--closed-period": ("6210", "6200"),
    "--text": ("latin1", "unicode"),
}
TROUBLES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "lost": (
        {"kind": "lost_answer", "entity": "Customer", "operation": "create", "count": 1},
        {"kind": "lost_answer", "batch": True, "count": 2},
    ),
    "late": ({"kind": "late_effect", "batch": True, "seconds": Decimal("0.5"), "count": 1},),
    "fault after the effect": (
        {"kind": "server_error", "entity": "Item", "operation": "create", "effect": True, "count": 1},
        {"kind": "html_error", "batch": True, "effect": True, "count": 1},
    ),
    "slow": ({"kind": "slow", "batch": True, "seconds": Decimal("2.5"), "count": 1},),
}
# More than one batch of thirty holds: there are two batches to be lost, however the orders come in.
ORDERS = 34
Case = dict[str, str]


Choice = tuple[str, str]


def pairs_of(case: Case) -> set[tuple[Choice, Choice]]:
    return set(combinations(sorted(case.items()), 2))


def every_pair(values: Mapping[str, Sequence[str]]) -> set[tuple[Choice, Choice]]:
    return set().union(
        *(
            pairs_of({one: value, other: against})
            for one, other in combinations(values, 2)
            for value in values[one]
            for against in values[other]
        )
    )


def pairwise(values: Mapping[str, Sequence[str]]) -> list[Case]:
    """Cases that hold every pair of values: each begins with one that is missing, and adds what holds most others."""
    missing = every_pair(values)
    cases: list[Case] = []
    while missing:
        case: Case = dict(min(missing))
        for name in values:
            if name not in case:
                # Of equals the first, but not always the same one.
                turn = len(cases) % len(values[name])
                ways: list[Case] = [{**case, name: value} for value in (*values[name][turn:], *values[name][:turn])]
                case = max(ways, key=lambda way: len(pairs_of(way) & missing))
        missing -= pairs_of(case)
        cases.append(case)
    return cases


CASES = pairwise(SWITCHES)


def test_the_cases_hold_every_pair() -> None:
    held = set().union(*(pairs_of(case) for case in CASES))
    wanted = {
        tuple(sorted(((one, value), (other, against))))
        for one, other in combinations(SWITCHES, 2)
        for value in SWITCHES[one]
        for against in SWITCHES[other]
    }
    assert held == wanted
    # Five values against four need twenty; a run is no longer than it must be.
    assert len(CASES) <= 26


@pytest.mark.parametrize("case", CASES, ids=lambda case: ",".join(case.values()))
async def test_nothing_is_doubled_or_lost(
    case: Case, database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = [text for name, value in case.items() if name.startswith("--") for text in (name, value)]
    async with open_shop(database, pool, tmp_path, monkeypatch, *line) as shop:
        shop.sales.open(customers=2, products=2, orders=ORDERS)
        faults = TROUBLES[case["trouble"]]
        await shop.control("/faults", [*faults])
        if case["deletes"] == "true":
            # Change data capture calls a live invoice deleted for as long as it runs.
            await shop.control("/faults", {"kind": "cdc_false_delete", "entity": "Invoice", "id": "1", "count": None})
        async with shop.engine():
            await shop.until_done()
        fired = {rule["number"]: rule["fired"] for rule in (await shop.control("/faults"))["faults"]}
        assert list(fired.values())[: len(faults)] == [fault["count"] for fault in faults]
        await shop.check()


@pytest.mark.parametrize(
    ("request_ids", "number_is_free", "written"),
    [("forever", True, 1), ("ignored", False, 1), ("ignored", True, 2)],
)
async def test_where_nobody_can_an_effect_that_lands_after_everything_has_ended(
    request_ids: str,
    number_is_free: bool,
    written: int,
    database: Database,
    pool: Pool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The cell that the emulator's page names: where neither its id is remembered nor its number taken, it doubles."""
    async with open_shop(database, pool, tmp_path, monkeypatch, "--request-ids", request_ids) as shop:
        shop.sales.open(customers=1, products=1, orders=1)
        late = {"kind": "late_effect", "entity": "Invoice", "operation": "create", "seconds": 3600, "count": 1}
        await shop.control("/faults", [late])
        async with shop.engine():
            await shop.until_done()
        # Its absence was proven, and it was written again: so far it is there once.
        await shop.check()
        if number_is_free:
            [invoice] = (await shop.control("/state?entity=Invoice"))["Invoice"]
            renumbered = {"operation": "update", "id": invoice["Id"], "body": {"DocNumber": "by hand"}}
            await shop.control("/books/Invoice", renumbered)
        await shop.control("/clock", {"advance_seconds": 3600})
        await landed(shop)
        assert len((await shop.control("/state?entity=Invoice"))["Invoice"]) == written


async def landed(shop: Shop) -> None:
    """Wait until the late effect has come, or was refused."""
    for _ in range(200):
        calls = (await shop.control("/calls?limit=1000"))["calls"]
        if any(call["outcome"] == "late_effect landed" for call in calls):
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("the late effect never came")
