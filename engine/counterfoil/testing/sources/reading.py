"""Reading a source to its end, and what remains of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from counterfoil.sources import (
    Page,
    Removed,
    Seen,
    SourceAdapter,
    SourceChange,
    SourceError,
    Unreadable,
    WriteBack,
    WriteBackResult,
)

READINGS_MAX = 10_000
"""More pages than this from one reading mean that it does not end."""

RETRIES_MAX = 20
Key = tuple[str, str]


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


def word_of(change: SourceChange) -> str:
    """What a change says about its record."""
    match change:
        case Seen():
            return f"seen {change.version}"
        case Removed():
            return f"removed {change.merged_into}"
        case Unreadable():
            return f"unreadable {change.problem}"


def effect_of(changes: Sequence[SourceChange]) -> dict[Key, str]:
    """What remains of changes once they are recorded in order: the last word on each record."""
    return {(change.kind, change.source_id): word_of(change) for change in changes}


def last_of(changes: Sequence[SourceChange]) -> dict[Key, SourceChange]:
    """The last change of each record."""
    return {(change.kind, change.source_id): change for change in changes}


def flat(pages: Sequence[Page]) -> list[SourceChange]:
    """The changes of all pages."""
    return [change for page in pages for change in page.changes]


async def whole(adapter: SourceAdapter) -> dict[Key, SourceChange]:
    """Everything that a source shows, by record."""
    return last_of([change for kind in adapter.kinds() for change in flat(await pages_of(adapter, kind, None))])


async def undisturbed(_page: Page) -> None:
    """Nothing happens behind a page."""


async def patiently(
    adapter: SourceAdapter,
    kind: str,
    errors: list[SourceError],
    cursor: str | None = None,
    behind: Callable[[Page], Awaitable[None]] = undisturbed,
) -> list[SourceChange]:
    """A reading as the engine does it: after an error it goes on from the last cursor that was recorded.

    `behind` is told each page once it is recorded, before the next is asked for.
    """
    changes: list[SourceChange] = []
    for _ in range(RETRIES_MAX):
        try:
            async for page in adapter.changes(kind, cursor):
                changes.extend(page.changes)
                cursor = page.cursor
                await behind(page)
                if page.done:
                    return changes
        except SourceError as error:
            errors.append(error)
            continue
        raise AssertionError(f"reading {kind} ended, and no page said that it is the last")
    raise AssertionError(f"{kind} could not be read in {RETRIES_MAX} tries: {errors[-1]}")


def compare(wanted: dict[Key, str], found: dict[Key, str], after: str) -> None:
    """The same records with the same last words.

    Raises:
        AssertionError: naming what is missing, invented or different.
    """
    missing = [f"{kind} {source_id}" for kind, source_id in wanted.keys() - found.keys()]
    invented = [f"{kind} {source_id}" for kind, source_id in found.keys() - wanted.keys()]
    changed = [f"{key[0]} {key[1]}" for key in wanted.keys() & found.keys() if wanted[key] != found[key]]
    expect(not missing, f"after {after} these are missing: {', '.join(sorted(missing)[:5])}")
    expect(not invented, f"after {after} these are invented: {', '.join(sorted(invented)[:5])}")
    expect(not changed, f"after {after} these are different: {', '.join(sorted(changed)[:5])}")


async def written(adapter: SourceAdapter, kind: str, source_id: str, values: Mapping[str, str]) -> WriteBackResult:
    """A write-back, which must not raise."""
    request = WriteBack(kind=kind, source_id=source_id, values=values, request_id="contract-1")
    try:
        return await adapter.write_back(request)
    except Exception as error:
        raise AssertionError(f"write_back raised {type(error).__name__}: {error}") from error
