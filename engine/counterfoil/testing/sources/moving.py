"""The contract while people work at the source: edits, additions, deletions and merges between two pages."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from counterfoil.sources import Page, Removed, Seen, SourceChange, SourceError
from counterfoil.testing.sources.bench import HastyClock
from counterfoil.testing.sources.reading import (
    compare,
    effect_of,
    expect,
    flat,
    last_of,
    pages_of,
    patiently,
    whole,
    word_of,
)
from counterfoil.testing.sources.stage import SKEWS, Named, Stage, Staged, capable, fresh, needed

PAGES_MAX = 6
"""People change something behind each of so many pages at most."""


class MovingContract(Staged):
    """What a source owes while it changes."""

    async def test_nothing_is_skipped_when_rows_change_under_paging(self, tmp_path: Path) -> None:
        for number in range(1, PAGES_MAX + 1):
            async with self.stage(fresh(tmp_path, f"edit-{number}")) as stage:
                edit = needed(stage.edit, "edit")
                if not await self._between_pages(stage, edit, number, "an edit"):
                    break

    async def test_nothing_is_skipped_when_rows_come_under_paging(self, tmp_path: Path) -> None:
        for number in range(1, PAGES_MAX + 1):
            async with self.stage(fresh(tmp_path, f"add-{number}")) as stage:
                add = needed(stage.add, "add")
                if not await self._between_pages(stage, add, number, "a new record"):
                    break

    async def test_nothing_is_skipped_when_rows_vanish_under_paging(self, tmp_path: Path) -> None:
        for number in range(1, PAGES_MAX + 1):
            async with self.stage(fresh(tmp_path, f"hide-{number}")) as stage:
                hide = needed(stage.hide, "hide")
                if not await self._between_pages(stage, hide, number, "a record's vanishing"):
                    break

    async def _between_pages(
        self, stage: Stage, happens: Callable[[], Awaitable[Named]], number: int, what: str
    ) -> bool:
        """Let something happen behind the n-th page of each kind; False where no kind has so many."""
        changed: set[Named] = set()
        changes: list[SourceChange] = []
        errors: list[SourceError] = []
        cursors: dict[str, str] = {}
        async with stage.opened() as adapter:
            for kind in adapter.kinds():
                count = 0

                async def behind(page: Page, kind: str = kind) -> None:
                    nonlocal count
                    count += 1
                    cursors[kind] = page.cursor
                    if count == number and not page.done and not changed:
                        changed.add(await happens())

                changes.extend(await patiently(adapter, kind, errors, None, behind))
            for kind, cursor in cursors.items():
                changes.extend(await patiently(adapter, kind, errors, cursor))
        if not changed:
            return False
        async with stage.opened() as adapter:
            truth = {key: word_of(change) for key, change in (await whole(adapter)).items()}
        found = effect_of(changes)
        # What vanished stays known: absence is not deletion.
        kept = {key: word for key, word in found.items() if key in truth or key not in changed}
        compare(truth, kept, f"{what} behind page {number}")
        return True

    async def test_a_change_at_the_instant_of_the_last_one_is_seen(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage:
            edit, again = needed(stage.edit, "edit"), needed(stage.edit_at_same_instant, "edit_at_same_instant")
            await edit()
            async with stage.opened() as adapter:
                cursors = {kind: (await pages_of(adapter, kind, None))[-1].cursor for kind in adapter.kinds()}
            kind, source_id = await again()
            async with stage.opened() as adapter:
                after = flat(await pages_of(adapter, kind, cursors[kind]))
            expect(
                (kind, source_id) in effect_of(after),
                f"{kind} {source_id} changed at the very instant of the last change known, and is missed",
            )

    async def test_a_clock_that_is_wrong_loses_nothing(self, tmp_path: Path) -> None:
        for number, skew in enumerate(SKEWS):
            async with self.stage(fresh(tmp_path, number)) as stage:
                needed(stage.at, "at")
                edit = needed(stage.edit, "edit")
                async with stage.opened(clock=HastyClock(skew)) as adapter:
                    cursors = {kind: (await pages_of(adapter, kind, None))[-1].cursor for kind in adapter.kinds()}
                kind, source_id = await edit()
                async with stage.opened(clock=HastyClock(skew)) as adapter:
                    after = effect_of(flat(await pages_of(adapter, kind, cursors[kind])))
                wrong = f"a clock {abs(skew.days)} day {'slow' if skew.days < 0 else 'fast'}"
                expect((kind, source_id) in after, f"with {wrong} the edit of {kind} {source_id} is missed")

    async def test_a_deletion_is_said_with_its_evidence(self, tmp_path: Path) -> None:
        capable(self.has_deletes, "has_deletes")
        async with self.stage(tmp_path) as stage:
            delete = needed(stage.delete, "delete")
            async with stage.opened() as adapter:
                cursors = {kind: (await pages_of(adapter, kind, None))[-1].cursor for kind in adapter.kinds()}
            kind, source_id = await delete()
            changes = await self._after(stage, kind, source_id, cursors[kind])
            last = last_of(changes).get((kind, source_id))
            expect(isinstance(last, Removed), f"{kind} {source_id} was deleted, and nothing says so")
            expect(isinstance(last, Removed) and last.evidence, f"{kind} {source_id} is gone without evidence")
            others = [change for change in changes if isinstance(change, Removed) and change.source_id != source_id]
            expect(not others, f"with {kind} {source_id} others were called deleted")

    async def test_a_merge_names_the_record_that_stays(self, tmp_path: Path) -> None:
        capable(self.has_merges, "has_merges")
        async with self.stage(tmp_path) as stage:
            merge = needed(stage.merge, "merge")
            async with stage.opened() as adapter:
                cursors = {kind: (await pages_of(adapter, kind, None))[-1].cursor for kind in adapter.kinds()}
            kind, loser, winner = await merge()
            changes = await self._after(stage, kind, loser, cursors[kind])
            gone = [c for c in changes if isinstance(c, Removed) and (c.kind, c.source_id) == (kind, loser)]
            expect(gone, f"{kind} {loser} was merged into {winner}, and nothing says so")
            expect(
                any(change.merged_into == winner for change in gone),
                f"{kind} {loser} went into {gone[-1].merged_into}, not into {winner}",
            )
            expect(
                isinstance(last_of(changes).get((kind, winner)), Seen) or await self._shows(stage, kind, winner),
                f"{kind} {winner} stays after the merge, and is not shown",
            )

    async def _after(self, stage: Stage, kind: str, source_id: str, cursor: str) -> list[SourceChange]:
        """What polling from the last cursor and asking for the record bring."""
        async with stage.opened() as adapter:
            changes = flat(await pages_of(adapter, kind, cursor))
            try:
                asked = await adapter.read(kind, source_id)
            except SourceError:
                asked = []
        expect(
            not any(isinstance(change, Seen) and change.source_id == source_id for change in asked),
            f"{kind} {source_id} is gone, and is read as if it lived",
        )
        return [*changes, *asked]

    async def _shows(self, stage: Stage, kind: str, source_id: str) -> bool:
        async with stage.opened() as adapter:
            return any(isinstance(change, Seen) for change in await adapter.read(kind, source_id))

    async def test_another_tenants_record_is_never_taken_for_ours(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage:
            kind, source_id = await needed(stage.foreign, "foreign")()
            async with stage.opened() as adapter:
                try:
                    changes = flat(await pages_of(adapter, kind, None))
                except SourceError as error:
                    expect(error.message and error.remedy, "a record of another tenant is refused without a remedy")
                    return
            taken = [change for change in changes if change.source_id == source_id and not hasattr(change, "problem")]
            expect(not taken, f"{kind} {source_id} belongs to another tenant, and was taken for ours")
