"""What is under way counts as such until the rows say so themselves."""

from counterfoil.dispatch.in_flight import InFlight


def test_a_call_counts_from_its_start_to_the_fold_that_sees_its_end() -> None:
    flying = InFlight()
    flying.start(["a", "b"])
    flying.land(["a"])
    assert ("a" in flying, "b" in flying, len(flying)) == (True, True, 1)
    flying.fold_ended(flying.fold_begins())
    assert ("a" in flying, "b" in flying) == (False, True)


def test_what_lands_while_a_fold_runs_waits_for_the_next_one() -> None:
    flying = InFlight()
    flying.start(["a"])
    seen = flying.fold_begins()
    flying.land(["a"])
    flying.fold_ended(seen)
    assert "a" in flying
    flying.fold_ended(flying.fold_begins())
    assert "a" not in flying
