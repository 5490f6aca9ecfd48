"""What is taken back stands no longer, says so, and stands again once taking it back is taken back."""

from typing import Any

from counterfoil.state.rows import ChangeRow, LinkRow, Row, RunRow
from counterfoil.testing.memory_state import MemoryStateStore
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.rollbacks import RollbackDecided, RollbackPolicy, RollbackRequested, RollbackScope
from support.stories import Written, accepted, observed, planned, sent

COMPANY = 4
ORDER = "shop:order:1"


class Told:
    """A history and the rows that it gives."""

    def __init__(self) -> None:
        self._written = 0
        self._store = MemoryStateStore()

    async def write(self, *events: Event) -> int:
        first = self._written + 1
        for event in events:
            self._written += 1
            page = await self._store.fold(COMPANY, [Written(self._written, event)])
            assert page.error == ""
        return first

    def rows_of(self, kind: type[Row]) -> list[Row]:
        return [row for row in self._store.rows(COMPANY).values() if isinstance(row, kind)]

    def change(self, position: int) -> tuple[str, str]:
        (found,) = [row for row in self.rows_of(ChangeRow) if isinstance(row, ChangeRow) and row.position == position]
        return found.state, found.code

    def reason(self, position: int) -> str:
        (found,) = [row for row in self.rows_of(ChangeRow) if isinstance(row, ChangeRow) and row.position == position]
        return found.reason

    def link(self) -> LinkRow:
        (found,) = [row for row in self.rows_of(LinkRow) if isinstance(row, LinkRow) and row.record_key == ORDER]
        return found

    async def wrote(self, change: int, intent_id: str, **more: Any) -> None:
        """An intent that was planned, sent and accepted."""
        await self.write(
            planned(change, ORDER, intent_id, **more),
            sent(f"r{intent_id}", (change, ORDER, intent_id)),
            accepted(change, ORDER, intent_id, f"r{intent_id}"),
        )

    async def rollback(self) -> str:
        asked = RollbackRequested(
            scope=RollbackScope(records=(ORDER,)),
            policy=RollbackPolicy(),
            author="Ann",
            reason="wrong mapping",
            previewed=1,
            preview="h",
            steps=(),
        )
        return f"rollback-{await self.write(asked)}"


async def test_what_is_taken_back_says_so_and_stands_again_once_that_is_taken_back() -> None:
    told = Told()
    change = await told.write(observed("1"))
    await told.wrote(change, "e", run="session-3")
    run = await told.rollback()
    back = planned(change, ORDER, "c", operation="void", run=run, undoes=("e",))
    await told.write(back)
    assert told.change(change) == ("waiting", "queued")
    await told.write(sent("rc", (change, ORDER, "c")), accepted(change, ORDER, "c", "rc"))
    assert told.change(change) == ("skipped", "rolled_back")
    assert told.reason(change) == f"Ann rolled it back ({run}): wrong mapping."
    assert (told.link().undone, told.link().renew, told.link().status) == (run, True, "voided")

    again = await told.rollback()
    await told.wrote(change, "c2", run=again, undoes=("c",))
    assert told.change(change) == ("applied", "")
    assert (told.link().undone, told.link().status) == ("", "live")

    third = await told.rollback()
    await told.wrote(change, "c3", operation="void", run=third, undoes=("c2",))
    assert told.change(change) == ("skipped", "rolled_back")


async def test_an_update_taken_back_with_the_create_takes_both_changes_along() -> None:
    told = Told()
    first = await told.write(observed("1", "v1"))
    await told.wrote(first, "e1")
    second = await told.write(observed("1", "v2"))
    await told.wrote(second, "e2", operation="update")
    run = await told.rollback()
    await told.wrote(second, "c", operation="void", run=run, undoes=("e1", "e2"))
    assert [told.change(one) for one in (first, second)] == [("skipped", "rolled_back")] * 2


async def test_of_two_documents_one_taken_back_is_a_part() -> None:
    told = Told()
    change = await told.write(observed("1"))
    await told.wrote(change, "e1")
    await told.wrote(change, "e2")
    run = await told.rollback()
    await told.wrote(change, "c", operation="void", run=run, undoes=("e1",))
    assert told.change(change) == ("applied", "rolled_back_in_part")


async def test_what_cannot_be_taken_back_parks_and_a_person_lets_it_stand() -> None:
    told = Told()
    change = await told.write(observed("1"))
    await told.wrote(change, "e")
    run = await told.rollback()
    about = {"change": change, "record_key": ORDER, "intent_id": "c"}
    words = {"code": "changed_since", "reason": "Edited.", "fix": "Look."}
    await told.write(
        planned(change, ORDER, "c", operation="void", run=run, undoes=("e",)),
        done.IntentParked.model_validate({**about, **words}),
    )
    assert told.change(change) == ("parked", "changed_since")
    # A newer change of the record does not make that vanish.
    newer = await told.write(observed("1", "v2"))
    assert told.change(change) == ("parked", "changed_since")
    assert told.change(newer) == ("waiting", "decision")
    await told.write(
        done.IntentResumed.model_validate({**about, "reason": "Once more."}),
        done.IntentWithdrawn.model_validate({**about, "code": "operator", "reason": "It stays."}),
    )
    assert told.change(change) == ("applied", "")


async def test_a_person_brings_back_what_was_rolled_back() -> None:
    told = Told()
    change = await told.write(observed("1"))
    await told.wrote(change, "e")
    run = await told.rollback()
    await told.wrote(change, "c", operation="void", run=run, undoes=("e",))
    await told.write(done.ChangeReopened(change=change, record_key=ORDER, reason="Ann asked.", again=True))
    assert told.change(change) == ("waiting", "decision")
    assert (told.link().undone, told.link().renew) == ("", True)
    await told.wrote(change, "e2")
    assert told.change(change) == ("applied", "")
    assert told.link().renew is False


async def test_a_run_tells_what_became_of_it() -> None:
    told = Told()
    run = await told.rollback()
    await told.write(RollbackDecided(change=1, record_key=run, planned=2, refused=(), outcome="2 planned"))
    (row,) = told.rows_of(RunRow)
    assert isinstance(row, RunRow)
    assert (row.run, row.kind, row.author, row.taken, row.planned) == (run, "rollback", "Ann", 2, 2)
