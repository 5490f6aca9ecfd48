"""The contract where nothing breaks: everything comes, once, and the same each time."""

from collections.abc import AsyncGenerator
from pathlib import Path

from counterfoil.sources import BadSignatureError, Page, Removed, Seen, SourceError, Unreadable
from counterfoil.testing.sources.reading import effect_of, expect, flat, pages_of, written
from counterfoil.testing.sources.stage import Stage, Staged, needed
from counterfoil_schema.exact_json import dumps

ALONE_MAX = 20
"""Records of a kind that are also read one by one: the first and the last."""


class SteadyContract(Staged):
    """What a source owes in calm weather."""

    async def test_every_record_comes_and_none_is_invented(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            expect(
                set(adapter.kinds()) >= stage.readable.keys() | stage.unreadable.keys(),
                f"kinds() leaves out some of {[*stage.readable, *stage.unreadable]}",
            )
            for kind in adapter.kinds():
                changes = flat(await pages_of(adapter, kind, None))
                expect(all(change.kind == kind for change in changes), f"reading {kind} gave another kind")
                seen = sorted({change.source_id for change in changes if isinstance(change, Seen)})
                wanted = sorted(stage.readable.get(kind, ()))
                expect(seen == wanted, f"{kind}: expected {wanted}, read {seen}")

    async def test_what_cannot_be_read_is_kept_with_its_place_and_a_remedy(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            for kind in adapter.kinds():
                changes = flat(await pages_of(adapter, kind, None))
                kept = [change for change in changes if isinstance(change, Unreadable)]
                ids = sorted(change.source_id for change in kept)
                wanted = sorted(stage.unreadable.get(kind, ()))
                expect(ids == wanted, f"{kind}: expected {wanted} to be unreadable, found {ids}")
                for change in kept:
                    name = f"{kind} {change.source_id}"
                    expect(change.place and change.problem and change.fix, f"{name} lacks place, problem or fix")
                    expect(change.raw, f"{name}: what came in is lost")

    async def test_reading_resumes_after_every_page(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage:
            async with stage.opened() as adapter:
                pages = {kind: await pages_of(adapter, kind, None) for kind in adapter.kinds()}
            for kind, whole in pages.items():
                for stop in range(1, len(whole) + 1):
                    before = await self._interrupted(stage, kind, stop)
                    async with stage.opened() as adapter:
                        after = await pages_of(adapter, kind, before[-1].cursor)
                    expect(
                        effect_of(flat(whole)) == effect_of(flat([*before, *after])),
                        f"{kind}: a crash after page {stop} of {len(whole)} skips or changes records",
                    )

    async def _interrupted(self, stage: Stage, kind: str, stop: int) -> list[Page]:
        pages: list[Page] = []
        async with stage.opened() as adapter:
            reading = adapter.changes(kind, None)
            async for page in reading:
                pages.append(page)
                if len(pages) == stop:
                    break
            if isinstance(reading, AsyncGenerator):
                await reading.aclose()
        return pages

    async def test_reading_twice_says_the_same(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            for kind in adapter.kinds():
                first = flat(await pages_of(adapter, kind, None))
                async with stage.opened() as another:
                    second = flat(await pages_of(another, kind, None))
                expect(effect_of(first) == effect_of(second), f"{kind}: a second reading has other effects")
                versions = {(change.source_id, change.version) for change in first if isinstance(change, Seen)}
                ids = {source_id for source_id, _ in versions}
                expect(len(versions) == len(ids), f"{kind}: one record comes in two versions, with no change between")

    async def test_the_last_cursor_brings_nothing_new(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            for kind in adapter.kinds():
                pages = await pages_of(adapter, kind, None)
                known = effect_of(flat(pages))
                async with stage.opened() as restarted:
                    for one in (adapter, restarted):
                        again = effect_of(flat(await pages_of(one, kind, pages[-1].cursor)))
                        expect(again.items() <= known.items(), f"{kind}: changes without a change in the source")

    async def test_an_edit_is_seen_from_the_last_cursor(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage:
            edit = needed(stage.edit, "edit")
            async with stage.opened() as adapter:
                before = {kind: await pages_of(adapter, kind, None) for kind in adapter.kinds()}
            kind, source_id = await edit()
            async with stage.opened() as adapter:
                after = effect_of(flat(await pages_of(adapter, kind, before[kind][-1].cursor)))
            old = effect_of(flat(before[kind])).get((kind, source_id))
            expect((kind, source_id) in after, f"the edit of {kind} {source_id} is missed")
            expect(after[kind, source_id] != old, f"{kind} {source_id} changed and its version did not")

    async def test_a_record_that_vanishes_is_not_called_deleted(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage:
            hide = needed(stage.hide, "hide")
            async with stage.opened() as adapter:
                before = {kind: await pages_of(adapter, kind, None) for kind in adapter.kinds()}
            kind, source_id = await hide()
            async with stage.opened() as adapter:
                for cursor in (before[kind][-1].cursor, None):
                    changes = flat(await pages_of(adapter, kind, cursor))
                    gone = [change for change in changes if isinstance(change, Removed)]
                    expect(not gone, f"{kind} {source_id} is only absent, and was called deleted")

    async def test_a_record_read_alone_is_as_in_the_listing(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            for kind in adapter.kinds():
                changes = flat(await pages_of(adapter, kind, None))
                seen = [change for change in changes if isinstance(change, Seen)]
                for change in (*seen[: ALONE_MAX // 2], *seen[-ALONE_MAX // 2 :]):
                    alone = await adapter.read(kind, change.source_id)
                    expect(alone, f"{kind} {change.source_id} is listed, and cannot be read")
                    expect(
                        effect_of([alone[-1]]) == effect_of([change]),
                        f"{kind} {change.source_id} read alone differs from the listing, or is not the last",
                    )

    async def test_reading_what_is_not_there_is_said(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            for kind in adapter.kinds():
                try:
                    found = await adapter.read(kind, "999999999999")
                except SourceError as error:
                    expect(error.message, "the error says nothing")
                else:
                    expect(
                        all(isinstance(change, Removed) for change in found),
                        f"{kind} 999999999999 does not exist, and was read",
                    )

    async def test_text_comes_through_unharmed(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            changes = [change for kind in adapter.kinds() for change in flat(await pages_of(adapter, kind, None))]
            # As JSON, because line ends and quotes must survive that too.
            records = [
                dumps(change.record.model_dump(mode="json")).decode() for change in changes if isinstance(change, Seen)
            ]
            for text in stage.texts:
                inner = dumps(text).decode()[1:-1]
                expect(any(inner in record for record in records), f"no record holds {text!r}")
            for amount in stage.amounts:
                expect(any(f'"{amount}"' in record for record in records), f"no record holds the amount {amount}")

    async def test_a_forged_delivery_is_refused(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            try:
                adapter.receive(stage.forged)
            except BadSignatureError:
                return
            raise AssertionError("a delivery with a wrong signature was accepted")

    async def test_write_back_answers_and_never_raises(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            for kind, ids in stage.readable.items():
                for source_id in list(ids)[:1]:
                    result = await written(adapter, kind, source_id, {})
                    told = result.outcome != "rejected" or (result.reason and result.fix)
                    expect(told, f"{kind} {source_id}: a refusal without reason or fix")
