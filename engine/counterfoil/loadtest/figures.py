"""Figures of a load run: delays, windows, backlog, and whether it kept up. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

SLACK_SHARE = 0.05
SLACK_SECONDS = 3.0
"""The backlog may end higher than it stood at half-time by this share of what came since, or what comes in so long:
the made-up source is looked at every two seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Seconds from a change at the source to its effect in the books."""

    p50: float
    p95: float
    p99: float
    max: float


def delays_of(seconds: Sequence[float]) -> Delays | None:
    """Percentiles by nearest rank; None of nothing."""
    if not seconds:
        return None
    ordered = sorted(seconds)

    def at(share: int) -> float:
        return ordered[ceil(len(ordered) * share / 100) - 1]

    return Delays(p50=at(50), p95=at(95), p99=at(99), max=ordered[-1])


def most_within(instants: Sequence[float], seconds: float) -> int:
    """The most of these instants in any window of so many seconds, its later end excluded."""
    ordered = sorted(instants)
    most, first = 0, 0
    for place, instant in enumerate(ordered):
        while instant - ordered[first] >= seconds:
            first += 1
        most = max(most, place - first + 1)
    return most


@dataclass(frozen=True, slots=True)
class Sample:
    """How a company stood at an instant of the load, in seconds: changes made at the source, and those of them done."""

    at: float
    made: int
    done: int

    @property
    def backlog(self) -> int:
        """Made and not done."""
        return self.made - self.done


def thinned(samples: Sequence[Sample], most: int) -> tuple[Sample, ...]:
    """At most so many of them, evenly spread, the first and the last among them."""
    if len(samples) <= most:
        return tuple(samples)
    return tuple(samples[round(place * (len(samples) - 1) / (most - 1))] for place in range(most))


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How the backlog went.

    Attributes:
        half, end: how large it was on average in the second and in the last quarter of the load.
        peak: at its largest.
        slack: by how much it may have grown in between.
        drained: seconds after the load until nothing was left; None if something was.
    """

    half: float
    end: float
    peak: int
    slack: int
    drained: float | None

    @property
    def keeps_up(self) -> bool:
        """The backlog does not grow while the load lasts, and nothing is left behind."""
        return self.end - self.half <= self.slack and self.drained is not None


def course_of(samples: Sequence[Sample], seconds: float) -> Course:
    """The course of the backlog over a load of so many seconds; samples go on until it is drained or given up."""
    since = _at(samples, seconds).made - _at(samples, seconds / 2).made
    done = next((one.at for one in samples if one.at >= seconds and not one.backlog), None)
    return Course(
        half=_average(samples, seconds / 4, seconds / 2),
        end=_average(samples, seconds * 3 / 4, seconds),
        peak=max((one.backlog for one in samples), default=0),
        slack=max(1, ceil(since * max(SLACK_SHARE, SLACK_SECONDS / (seconds / 2)))),
        drained=None if done is None else max(0.0, done - seconds),
    )


def _average(samples: Sequence[Sample], after: float, until: float) -> float:
    """The backlog on average between two instants; where nobody looked in between, as it stood before."""
    seen = [one.backlog for one in samples if after < one.at <= until] or [_at(samples, until).backlog]
    return sum(seen) / len(seen)


def _at(samples: Sequence[Sample], instant: float) -> Sample:
    """The last sample up to an instant."""
    place = bisect_right([one.at for one in samples], instant)
    return samples[place - 1] if place else Sample(0.0, 0, 0)
