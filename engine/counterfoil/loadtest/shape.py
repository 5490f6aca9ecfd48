"""A deployment's own volume: what its log recorded, as changes an hour. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from counterfoil.dispatch.limiter import LimiterSettings
from counterfoil.dispatch.limiter.forecast import backlog_seconds

LINES_BY_HAND = 3
"""Of a document where nothing is recorded."""

WEEK = timedelta(days=7)
_HOUR = timedelta(hours=1)
_SCALE = 1_000_000
"""Volumes are taken so many times for the forecast, so that its rounding up to whole batches does not show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What one kind of one connection brought in one hour, and the documents that it called for.

    Attributes:
        hour: its beginning, UTC.
        quiet: changes that called for no document.
        singles_new, singles_changed: writes of name lists, each a call of its own.
        batched_new, batched_changed: writes of transactions, which go in batches.
        lines: of the `lined` documents together.
    """

    hour: datetime
    connection: str
    kind: str
    changes: int
    quiet: int
    singles_new: int
    singles_changed: int
    batched_new: int
    batched_changed: int
    lines: int
    lined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A volume: so many an hour of each, and the lines of a document."""

    quiet: float = 0.0
    singles_new: float = 0.0
    singles_changed: float = 0.0
    batched_new: float = 0.0
    batched_changed: float = 0.0
    lines: int = LINES_BY_HAND

    @property
    def singles(self) -> float:
        """Writes that take a call each."""
        return self.singles_new + self.singles_changed

    @property
    def batched(self) -> float:
        """Writes that go in batches."""
        return self.batched_new + self.batched_changed

    @property
    def changes(self) -> float:
        """All of them: each document counts as a change of its own."""
        return self.quiet + self.singles + self.batched


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """What is multiplied, and where it comes from.

    Attributes:
        peak: the busiest hour of the week, on the average of the weeks seen.
        slot: which one that is ("Tue 14:00 UTC"); empty where the volume was stated by hand.
        mean: changes in an hour, over all hours seen.
        busiest: changes in the busiest single hour.
        changes: all that were seen.
        kinds: of them by connection and kind ("shop:order").
    """

    peak: Rate
    slot: str = ""
    mean: float = 0.0
    busiest: int = 0
    changes: int = 0
    kinds: tuple[tuple[str, int], ...] = ()


def by_hand(orders_per_hour: float) -> Volume:
    """A volume that a person states: so many new orders an hour."""
    return Volume(peak=Rate(batched_new=orders_per_hour), mean=orders_per_hour)


def volume_of(hours: Sequence[Hour], since: datetime, now: datetime) -> Volume | None:
    """The volume of what was recorded from `since` to `now`; None if nothing was.

    A log that is younger counts from its first hour. An hour of the week counts once for each week begun.
    """
    if not hours:
        return None
    start = max(since, min(one.hour for one in hours))
    weeks = max(1, ceil((now - start) / WEEK))
    slots: dict[tuple[int, int], list[Hour]] = defaultdict(list)
    single: dict[datetime, int] = defaultdict(int)
    kinds: dict[str, int] = defaultdict(int)
    for one in hours:
        slots[one.hour.weekday(), one.hour.hour].append(one)
        single[one.hour] += one.changes
        kinds[f"{one.connection}:{one.kind}"] += one.changes
    # Of equal ones the first of the week, so that the same log gives the same load.
    (_, rows) = max(sorted(slots.items(), key=lambda item: item[0]), key=lambda item: _total(item[1]))
    changes = sum(single.values())
    return Volume(
        peak=_rate(rows, hours, weeks),
        slot=f"{rows[0].hour:%a %H:00} UTC",
        mean=changes / max(1.0, (now - start) / _HOUR),
        busiest=max(single.values()),
        changes=changes,
        kinds=tuple(sorted(kinds.items())),
    )


def _total(rows: Iterable[Hour]) -> int:
    return sum(
        one.quiet + one.singles_new + one.singles_changed + one.batched_new + one.batched_changed for one in rows
    )


def _rate(rows: Sequence[Hour], hours: Sequence[Hour], weeks: int) -> Rate:
    lines, lined = sum(one.lines for one in hours), sum(one.lined for one in hours)
    return Rate(
        quiet=sum(one.quiet for one in rows) / weeks,
        singles_new=sum(one.singles_new for one in rows) / weeks,
        singles_changed=sum(one.singles_changed for one in rows) / weeks,
        batched_new=sum(one.batched_new for one in rows) / weeks,
        batched_changed=sum(one.batched_changed for one in rows) / weeks,
        lines=max(1, round(lines / lined)) if lined else LINES_BY_HAND,
    )


def multiple_max(rate: Rate, settings: LimiterSettings, items_max: int, ceiling: float) -> float | None:
    """How many times the volume Intuit's limits would bear, with full batches; None where nothing is written.

    Args:
        ceiling: share of the limits that may be used.
    """
    if not rate.singles and not rate.batched:
        return None
    seconds = backlog_seconds(
        round(rate.singles * _SCALE),
        round(rate.batched * _SCALE),
        settings=settings,
        items_max=items_max,
        ceiling=ceiling,
    )
    return _HOUR.total_seconds() * _SCALE / seconds
