"""Which decisions a batch of a backlog waits for."""

from counterfoil.dispatch.decided import fills_batches
from counterfoil_schema.events import decisions as done
from support.stories import planned


def test_plans_for_the_books_may_fill_a_batch_that_waits() -> None:
    assert fills_batches([_echo(1), planned(2, "shop:order:7", "i-7")])


def test_echoes_and_values_for_the_source_hold_no_batch_back() -> None:
    assert not fills_batches([_echo(1), planned(2, "shop:order:7", "w-7", target="shop", entity="order")])
    assert not fills_batches([])


def _echo(change: int) -> done.ChangeUnchanged:
    return done.ChangeUnchanged(change=change, record_key=f"quickbooks:Invoice:{change}", proof="p", reason="An echo.")
