"""What every source adapter must do, as a test class. The author says how to open the source; the tests come along.

    class TestMySource(SourceContract):
        def stage(self, folder):
            return my_stage(folder)      # an async context manager that gives a Stage

Needs pytest with pytest-asyncio in auto mode. A failed check says in one sentence what a user would lose.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from counterfoil.sources import (
    BadSignatureError,
    Page,
    Removed,
    Seen,
    SourceAdapter,
    SourceChange,
    SourceError,
    Unreadable,
    WebhookRequest,
    WriteBack,
)
from counterfoil_schema.exact_json import dumps

READINGS_MAX = 10_000
"""More pages than this from one reading mean that it does not end."""


_FORGED = WebhookRequest(method="POST", url="https://example.test/webhooks/none", headers={}, body=b"{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A source filled with known records.

    Args:
        open: opens a new adapter on the same source each time, as after a crash.
        readable: ids of the records that can be read, by kind.
        unreadable: ids under which what cannot be normalised is kept, by kind.
        texts: texts that must come through unharmed in some record: accents, emoji, quotes, line ends.
        forged: a delivery whose signature is wrong, on a stage whose source has webhooks or not.
        edit: changes one record in the source; gives its kind and id.
        hide: takes one record out of what the source shows, without its saying that it was deleted.
    """

    open: Callable[[], AbstractAsyncContextManager[SourceAdapter]]
    readable: Mapping[str, Sequence[str]]
    unreadable: Mapping[str, Sequence[str]] = field(default_factory=dict)
    texts: Sequence[str] = ()
    forged: WebhookRequest = _FORGED
    edit: Callable[[], Awaitable[tuple[str, str]]] | None = None
    hide: Callable[[], Awaitable[tuple[str, str]]] | None = None


ALONE_MAX = 20
"""Records of a kind that are also read one by one: the first and the last."""


def expect(holds: object, otherwise: str) -> None:
    """Fail the test with a sentence, unless something holds."""
    if not holds:
        raise AssertionError(otherwise)


async def pages_of(adapter: SourceAdapter, kind: str, cursor: str | None) -> list[Page]:
    """All pages of a reading; it must end by a page that says `done`."""
    pages: list[Page] = []
    async for page in adapter.changes(kind, cursor):
        pages.append(page)
        expect(len(pages) < READINGS_MAX, f"reading {kind} does not end")
    expect(pages, f"reading {kind} gave no page, so nobody knows that it ended")
    expect(pages[-1].done, f"the last page of {kind} does not say that it is the last")
    expect(not any(page.done for page in pages[:-1]), f"a page of {kind} says done and others follow")
    expect(all(page.cursor for page in pages), f"a page of {kind} has no cursor: reading could not go on from it")
    return pages


def effect_of(changes: Sequence[SourceChange]) -> dict[tuple[str, str], str]:
    """What remains of changes once they are recorded in order: the last word on each record."""
    words: dict[tuple[str, str], str] = {}
    for change in changes:
        match change:
            case Seen():
                word = f"seen {change.version}"
            case Removed():
                word = f"removed {change.merged_into}"
            case Unreadable():
                word = f"unreadable {change.problem}"
        words[change.kind, change.source_id] = word
    return words


def flat(pages: Sequence[Page]) -> list[SourceChange]:
    """The changes of all pages."""
    return [change for page in pages for change in page.changes]


class SourceContract:
    """Inherit, call the class `Test…`, and say what the source holds."""

    def stage(self, folder: Path) -> AbstractAsyncContextManager[Stage]:
        """A source filled with known records; `folder` is an empty one, for sources that need files."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to set its stage for {folder}")

    async def test_every_record_comes_and_none_is_invented(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.open() as adapter:
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
        async with self.stage(tmp_path) as stage, stage.open() as adapter:
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
            async with stage.open() as adapter:
                whole = {kind: flat(await pages_of(adapter, kind, None)) for kind in adapter.kinds()}
                counts = {kind: len(await pages_of(adapter, kind, None)) for kind in adapter.kinds()}
            for kind, count in counts.items():
                for stop in range(1, count + 1):
                    before = await self._interrupted(stage, kind, stop)
                    async with stage.open() as adapter:
                        after = await pages_of(adapter, kind, before[-1].cursor)
                    expect(
                        effect_of(whole[kind]) == effect_of(flat([*before, *after])),
                        f"{kind}: a crash after page {stop} of {count} skips or changes records",
                    )

    async def _interrupted(self, stage: Stage, kind: str, stop: int) -> list[Page]:
        pages: list[Page] = []
        async with stage.open() as adapter:
            reading = adapter.changes(kind, None)
            async for page in reading:
                pages.append(page)
                if len(pages) == stop:
                    break
            if isinstance(reading, AsyncGenerator):
                await reading.aclose()
        return pages

    async def test_reading_twice_says_the_same(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.open() as adapter:
            for kind in adapter.kinds():
                first = flat(await pages_of(adapter, kind, None))
                second = flat(await pages_of(adapter, kind, None))
                expect(effect_of(first) == effect_of(second), f"{kind}: a second reading has other effects")
                versions = {(change.source_id, change.version) for change in first if isinstance(change, Seen)}
                ids = {source_id for source_id, _ in versions}
                expect(len(versions) == len(ids), f"{kind}: one record comes in two versions, with no change between")

    async def test_the_last_cursor_brings_nothing_new(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.open() as adapter:
            for kind in adapter.kinds():
                pages = await pages_of(adapter, kind, None)
                known = effect_of(flat(pages))
                again = effect_of(flat(await pages_of(adapter, kind, pages[-1].cursor)))
                expect(again.items() <= known.items(), f"{kind}: changes without a change in the source")

    async def test_an_edit_is_seen_from_the_last_cursor(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage:
            if stage.edit is None:
                return
            async with stage.open() as adapter:
                before = {kind: await pages_of(adapter, kind, None) for kind in adapter.kinds()}
            kind, source_id = await stage.edit()
            async with stage.open() as adapter:
                after = effect_of(flat(await pages_of(adapter, kind, before[kind][-1].cursor)))
            old = effect_of(flat(before[kind])).get((kind, source_id))
            expect((kind, source_id) in after, f"the edit of {kind} {source_id} is missed")
            expect(after[kind, source_id] != old, f"{kind} {source_id} changed and its version did not")

    async def test_a_record_that_vanishes_is_not_called_deleted(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage:
            if stage.hide is None:
                return
            async with stage.open() as adapter:
                before = {kind: await pages_of(adapter, kind, None) for kind in adapter.kinds()}
            kind, source_id = await stage.hide()
            async with stage.open() as adapter:
                for cursor in (before[kind][-1].cursor, None):
                    changes = flat(await pages_of(adapter, kind, cursor))
                    gone = [change for change in changes if isinstance(change, Removed)]
                    expect(not gone, f"{kind} {source_id} is only absent, and was called deleted")

    async def test_a_record_read_alone_is_as_in_the_listing(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.open() as adapter:
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
        async with self.stage(tmp_path) as stage, stage.open() as adapter:
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
        async with self.stage(tmp_path) as stage, stage.open() as adapter:
            changes = [change for kind in adapter.kinds() for change in flat(await pages_of(adapter, kind, None))]
            # As JSON, because line ends and quotes must survive that too.
            records = [
                dumps(change.record.model_dump(mode="json")).decode() for change in changes if isinstance(change, Seen)
            ]
            for text in stage.texts:
                inner = dumps(text).decode()[1:-1]
                expect(any(inner in record for record in records), f"no record holds {text!r}")

    async def test_a_forged_delivery_is_refused(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.open() as adapter:
            try:
                adapter.receive(stage.forged)
            except BadSignatureError:
                return
            raise AssertionError("a delivery with a wrong signature was accepted")

    async def test_write_back_answers_and_never_raises(self, tmp_path: Path) -> None:
        async with self.stage(tmp_path) as stage, stage.open() as adapter:
            for kind, ids in stage.readable.items():
                for source_id in list(ids)[:1]:
                    request = WriteBack(kind=kind, source_id=source_id, values={}, request_id="contract-1")
                    result = await adapter.write_back(request)
                    told = result.outcome != "rejected" or (result.reason and result.fix)
                    expect(told, f"{kind} {source_id}: a refusal without reason or fix")
