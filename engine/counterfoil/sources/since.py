"""Reading what changed since: an overlap, nothing skipped, nothing handed over twice without need.

Instants are the source's own: they are never compared with our clock, so that neither side's being wrong can lose a
change. What bears one instant with the last record seen may come later; therefore each reading begins a little before
the newest instant of the last one, and what was handed over already is told by its version.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from counterfoil.sources.port import SourceError
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object

OVERLAP = timedelta(seconds=30)
KEPT_MAX = 100_000
PAGES_MAX = 1_000_000
"""More pages than this from one reading mean that it turns in a circle."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows in the order of their instants, and where the next ones begin (None: these were the last)."""

    rows: Sequence[JsonObject]
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """A cursor: `newest` is the newest instant seen, `since` where the reading under way began, `after` its place.

    `after` is the source's own word: a page token, or the last (instant, id) of a keyset.
    """

    since: datetime | None = None
    newest: datetime | None = None
    after: str | None = None

    def text(self) -> str:
        return dumps({"since": _text(self.since), "newest": _text(self.newest), "after": self.after}).decode()

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Undo `text`; the beginning where there is none.

        Raises:
            SourceError: not such a cursor.
        """
        if text is None:
            return cls()
        try:
            stored = loads_object(text)
            after = stored.get("after")
            return cls(
                since=_instant(stored.get("since")),
                newest=_instant(stored.get("newest")),
                after=None if after is None else str(after),
            )
        except (KeyError, ValueError) as error:
            raise SourceError(
                f"The cursor {text[:80]!r} cannot be read.",
                remedy="Read the source afresh (`counterfoil sync --full`).",
            ) from error


@dataclass(frozen=True, slots=True)
class Found:
    """Rows that are news, and the cursor behind them; `done` where nothing more was there."""

    rows: Sequence[JsonObject]
    cursor: Since
    done: bool


class Handed:
    """What was handed over lately, by key and version; bounded, and in memory: after a restart all comes once more."""

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._versions: dict[str, str] = {}
        self._kept_max = kept_max

    def is_news(self, key: str, version: str) -> bool:
        return self._versions.get(key) != version

    def note(self, key: str, version: str) -> None:
        """Once its page was taken."""
        self._versions.pop(key, None)
        self._versions[key] = version
        while len(self._versions) > self._kept_max:
            del self._versions[next(iter(self._versions))]


class ChangesSince:
    """Reads rows of one kind by ascending instants of change.

    Args:
        fetch: rows changed at or after an instant (None: all), from a place on. They must come in the order of their
            instants of change; then a row that changes meanwhile moves behind, and comes again.
        instant: a row's instant of change, as the source says it.
        key: a row's id.
        version: what differs whenever the row does; its content, since two edits may bear one instant.
    """

    def __init__(
        self,
        fetch: Callable[[datetime | None, str | None], Awaitable[Rows]],
        instant: Callable[[JsonObject], datetime],
        key: Callable[[JsonObject], str],
        *,
        version: Callable[[JsonObject], str] | None = None,
        overlap: timedelta = OVERLAP,
    ) -> None:
        self._fetch = fetch
        self._instant = instant
        self._key = key
        self._version = version or _content
        self._overlap = overlap
        self._handed = Handed()

    async def pages(self, cursor: str | None) -> AsyncIterator[Found]:
        """Pages from a cursor on, until nothing more is there; without one everything is news again."""
        if cursor is None:
            self._handed = Handed()
        place = Since.parse(cursor)
        if place.after is None and place.newest is not None:
            place = replace(place, since=place.newest - self._overlap)
        for _ in range(PAGES_MAX):
            got = await self._fetch(place.since, place.after)
            if got.after is not None and got.after == place.after:
                raise SourceError(f"The source's pages turn in a circle at {got.after[:80]!r}.", retry_after=60.0)
            newest = self._newest(got.rows, place.newest)
            place = replace(place, newest=newest, after=got.after)
            news = [row for row in got.rows if self._handed.is_news(self._key(row), self._version(row))]
            yield Found(news, place, done=got.after is None)
            for row in news:
                self._handed.note(self._key(row), self._version(row))
            if got.after is None:
                return
        raise SourceError(f"A reading did not end after {PAGES_MAX} pages.", retry_after=60.0)

    def _newest(self, rows: Sequence[JsonObject], known: datetime | None) -> datetime | None:
        try:
            return max([*map(self._instant, rows), *([] if known is None else [known])], default=None)
        except ValueError as error:
            # Without it nobody could say where reading goes on: better to stop than to lose what comes after.
            raise SourceError(
                f"A row cannot be put in its order: {error}.", remedy="Correct it at the source."
            ) from None


def _content(row: JsonObject) -> str:
    return hashlib.sha256(dumps(row)).hexdigest()


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat()


def _instant(value: object) -> datetime | None:
    if value is None:
        return None
    instant = datetime.fromisoformat(str(value))
    if instant.tzinfo is None:
        raise ValueError("an instant without its zone")
    return instant
