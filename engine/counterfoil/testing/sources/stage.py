"""What an author says about a source: where it is, what it holds, and how people change it."""

import unittest
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, TypeVar

import aiohttp

from counterfoil.sources import SourceAdapter, WebhookRequest
from counterfoil.testing.sources.bench import Bench, HastyClock, MemoryKeeper
from counterfoil.testing.sources.proxy import FaultProxy

T = TypeVar("T")
Named = tuple[str, str]
"""Kind and id of a record."""

_FORGED = WebhookRequest(method="POST", url="https://example.test/webhooks/none", headers={}, body=b"{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A source filled with known records.

    Give `at` and `address` for a source that is reached by HTTP: then the kit puts its proxy between, and all of its
    tests run. Give `open` for any other. What is None is not tested, and the test says so.

    Args:
        at: opens a new adapter on a bench: its `url` in place of `address`, its `context(settings)`.
        address: where the source really is.
        open: opens a new adapter on the same source each time, as after a crash.
        readable: ids of the records that can be read, by kind.
        unreadable: ids under which what cannot be normalised is kept, by kind.
        texts: texts that must come through unharmed in some record: accents, emoji, quotes, line ends.
        amounts: amounts that must come through exactly in some record, for example 1265793.0395000001.
        forged: a delivery whose signature is wrong, on a stage whose source has webhooks or not.
        edit: changes one record in the source, another way each time; gives its kind and id.
        edit_at_same_instant: changes another record, at the very instant of the last `edit`.
        hide: takes one record out of what the source shows, without its saying that it was deleted.
        add: a new record; gives its kind and id.
        delete: deletes a record, as the source says itself; its kind and id.
        merge: makes one record of two; kind, id of the one that went, id of the one that stays.
        deliver: a delivery about a record, rightly signed.
        writable: a record, and values that can be written back to it.
        held: what the source holds of such values now, asked past the adapter.
        keeper: holds the tokens that the source grants, from one opening to the next.
        foreign: makes the source show a record of another tenant, as if by mistake; its kind and id.
    """

    at: Callable[[Bench], AbstractAsyncContextManager[SourceAdapter]] | None = None
    address: str | None = None
    open: Callable[[], AbstractAsyncContextManager[SourceAdapter]] | None = None
    readable: Mapping[str, Sequence[str]]
    unreadable: Mapping[str, Sequence[str]] = field(default_factory=dict)
    texts: Sequence[str] = ()
    amounts: Sequence[str] = ()
    forged: WebhookRequest = _FORGED
    edit: Callable[[], Awaitable[Named]] | None = None
    edit_at_same_instant: Callable[[], Awaitable[Named]] | None = None
    hide: Callable[[], Awaitable[Named]] | None = None
    add: Callable[[], Awaitable[Named]] | None = None
    delete: Callable[[], Awaitable[Named]] | None = None
    merge: Callable[[], Awaitable[tuple[str, str, str]]] | None = None
    deliver: Callable[[str, str], WebhookRequest] | None = None
    writable: tuple[str, str, Mapping[str, str]] | None = None
    held: Callable[[str, str], Mapping[str, str]] | None = None
    foreign: Callable[[], Awaitable[Named]] | None = None
    keeper: MemoryKeeper = field(default_factory=MemoryKeeper)

    @asynccontextmanager
    async def opened(self, url: str | None = None, clock: HastyClock | None = None) -> AsyncIterator[SourceAdapter]:
        """A new adapter, at the source itself or at another address."""
        if self.at is None or self.address is None:
            if self.open is None:
                raise TypeError("a stage needs `at` and `address`, or `open`")
            async with self.open() as adapter:
                yield adapter
            return
        async with aiohttp.ClientSession() as http:
            bench = Bench(url=url or self.address, http=http, clock=clock or HastyClock(), keeper=self.keeper)
            async with self.at(bench) as adapter:
                yield adapter

    def any_id(self) -> Named:
        """A record that can be read."""
        kind, ids = next((kind, ids) for kind, ids in self.readable.items() if ids)
        return kind, ids[0]


class Staged:
    """What all parts of the contract stand on. Capabilities are the author's word; a missing one skips its tests."""

    has_webhooks: ClassVar[bool] = False
    has_deletes: ClassVar[bool] = False
    has_merges: ClassVar[bool] = False
    has_write_back: ClassVar[bool] = False
    has_token_refresh: ClassVar[bool] = False
    has_delivery_ages: ClassVar[bool] = False
    signs_bodies: ClassVar[bool] = True
    token_paths: ClassVar[tuple[str, ...]] = ("/oauth", "/token")
    """Parts of paths at which tokens are fetched: never struck by a fault."""

    id_fields: ClassVar[tuple[str, ...]] = ("id", "uuid", "Id")
    """Where a record's JSON holds its id: so the kit knows records in answers."""

    fixed_fields: ClassVar[tuple[str, ...]] = ()
    """Fields without which no record can be told or put in order, beside the id: not changed by the kit."""

    def stage(self, folder: Path) -> AbstractAsyncContextManager[Stage]:
        """A source filled with known records; `folder` is an empty one, for sources that need files."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to set its stage for {folder}")

    @asynccontextmanager
    async def proxied(self, folder: Path) -> AsyncIterator[tuple[Stage, FaultProxy]]:
        """The stage with the proxy in front of its source."""
        async with self.stage(folder) as stage:
            if stage.at is None or stage.address is None:
                skip("the source is not reached by HTTP: the stage has no `at` and `address`")
                return
            async with FaultProxy(stage.address, self.token_paths).open() as proxy:
                yield stage, proxy


def fresh(folder: Path, name: object) -> Path:
    """An empty folder in a folder, for a stage of its own."""
    made = folder / str(name)
    made.mkdir(parents=True, exist_ok=True)
    return made


def skip(reason: str) -> None:
    """Leave a test out, with the reason."""
    raise unittest.SkipTest(reason)


def needed(value: T | None, name: str) -> T:
    """What the stage offers, or the test is left out."""
    if value is None:
        raise unittest.SkipTest(f"the stage offers no `{name}`")
    return value


def capable(has: bool, name: str) -> None:
    """Leave a test out where the author says that the source cannot do it."""
    if not has:
        skip(f"the source says {name} = False")


SKEWS = (timedelta(days=-1), timedelta(days=1))
