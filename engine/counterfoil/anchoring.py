"""Anchors on a schedule and at shutdown: the signed heads of the log, kept outside Postgres."""

import asyncio
import logging
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
        self._covered: dict[int, int] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(self._settings.every_seconds)
            await self._write()

    async def cover(self, company: int, position: int) -> None:
        """Anchor a company's log at least at a position; those who wait at the same time are served by one writing.

        Nothing at all where `before_sending` is switched off.

        Raises:
            AnchorError: the anchor cannot be written, or the log does not fit it.
        """
        if not self._settings.before_sending:
            return
        async with self._alone:
            if self._covered.get(company, 0) < position:
                anchor = await raise_anchor(self._reader, self._settings.file, self._key, self._clock, company)
                self._covered[company] = anchor.heads[company][0]

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
