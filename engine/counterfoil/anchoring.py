"""Anchors on a schedule and at shutdown: the signed heads of the log, kept outside Postgres."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import asyncpg

from counterfoil.log import AnchorBrokenError, AnchorError
from counterfoil.log.anchor import AnchorKey, raise_anchor, write_anchor
from counterfoil.log.types import LogReader
from counterfoil.ports import Clock
from counterfoil.settings import AnchorSettings, Settings

logger = logging.getLogger("counterfoil")
SHUTDOWN_SECONDS = 10.0


def anchor_of(settings: Settings) -> tuple[Path, AnchorKey] | None:
    """The configured anchor and its key; None if there is none.

    Raises:
        AnchorError: the key is none.
    """
    given = settings.anchor
    return (given.file, AnchorKey(given.key)) if given is not None else None


class Anchoring:
    """Writes the anchor file again and again.

    A file that cannot be written, or a database that is away just then, stops nothing, and is said aloud: the log
    itself is unharmed. A log that does not fit its last anchor is said louder, and that anchor is kept.

    Raises:
        AnchorError: on making it, if the key is none.
    """

    def __init__(self, settings: AnchorSettings, reader: LogReader, clock: Clock) -> None:
        self._settings = settings
        self._reader = reader
        self._clock = clock
        self._key = AnchorKey(settings.key)
        self._alone = asyncio.Lock()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(self._settings.every_seconds)
            await self._write()

    def covering(self, company: int) -> Callable[[int], Awaitable[None]]:
        """What anchors a company's log at least at a position, for as long as its lease is held.

        Those who wait at the same time are served by one writing; nothing at all is done where `before_sending` is
        switched off. How far the log was anchored is remembered for one holding alone: in between, the database may
        have been put back, and positions that were anchored then are to be written anew.

        Raises:
            AnchorError: from what is returned: the anchor cannot be written, or the log does not fit it.
        """
        covered = 0

        async def cover(position: int) -> None:
            nonlocal covered
            if not self._settings.before_sending:
                return
            async with self._alone:
                if covered < position:
                    anchor = await raise_anchor(self._reader, self._settings.file, self._key, self._clock, company)
                    covered = anchor.heads[company][0]

        return cover

    async def last(self) -> None:
        """The anchor of a shutdown, for which nobody waits longer than a few seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                await self._write()

    async def _write(self) -> None:
        try:
            await write_anchor(self._reader, self._settings.file, self._key, self._clock)
        except AnchorBrokenError as problem:
            logger.critical("the log is not anchored any more: %s", problem)
        except (AnchorError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
            logger.warning("the log could not be anchored: %s", problem)
