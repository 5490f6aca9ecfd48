"""What is at stake with a dead letter."""

from decimal import Decimal

import pytest

from counterfoil.recovery.dead_letters import planned_for
from counterfoil.state.rows import IntentRow, IntentState


def plan(record_key: str, state: IntentState, amount: str | None) -> IntentRow:
    return IntentRow(
        company=1,
        intent_id=f"{record_key} {state}",
        change=5,
        record_key=record_key,
        target="quickbooks",
        entity="JournalEntry",
        operation="create",
        state=state,
        lane="live",
        needs=(),
        content_hash="",
        planned=6,
        amount=Decimal(amount) if amount is not None else None,
        currency="USD",
    )


@pytest.mark.parametrize(
    ("rows", "amount"),
    [
        ([], None),
        ([plan("run", "parked", None)], None),
        # A pay run of two departments, of which one is written.
        (
            [plan("run:a", "parked", "100.10"), plan("run:b", "parked", "20.00"), plan("run:c", "accepted", "7")],
            "120.10",
        ),
        # Decided afresh: what was withdrawn does not count again.
        ([plan("deal", "withdrawn", "90"), plan("deal", "parked", "95")], "95"),
        # The deal was written; nothing of it is left but what its last plan came to.
        ([plan("deal", "accepted", "95")], "95"),
    ],
)
def test_what_was_planned_and_is_not_written_is_at_stake(rows: list[IntentRow], amount: str | None) -> None:
    expected = None if amount is None else (Decimal(amount), "USD")
    assert planned_for(rows) == expected
