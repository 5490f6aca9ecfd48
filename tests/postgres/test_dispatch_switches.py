"""Once: over every pair of what Intuit's pages leave open, an answer that is lost doubles nothing and loses nothing.

Each case is one setting of all switches and one trouble; together the cases hold every pair of values.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest

from counterfoil.postgres import Pool
from support.postgres import Database
from support.running import open_shop

SWITCHES: Mapping[str, Sequence[str]] = {
    "--request-ids": ("forever", "0.02", "ignored", "error", "duplicate"),
    "trouble": ("lost", "late", "fault after the effect", "slow"),
    "--replay-faults": ("on", "off"),
    "--batch-items": ("30", "10"),
    "--batch-order": ("serial", "parallel"),
    "--rate": ("both", "second", "at-once"),
    "deletes": ("true", "false"),
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


def pairs_of(case: Case) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    return set(combinations(sorted(case.items()), 2))


def pairwise(values: Mapping[str, Sequence[str]]) -> list[Case]:
    """Cases that hold every pair of values, each the one that holds most of those still missing."""
    every: Iterable[Case] = [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]
    candidates = list(every)
    missing = {pair for case in candidates for pair in pairs_of(case)}
    cases: list[Case] = []
    while missing:
        best = max(candidates, key=lambda case: len(pairs_of(case) & missing))
        missing -= pairs_of(best)
        cases.append(best)
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
