"""What comes out of a round, worked out from instants in the emulators' journals and in the log. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from support.chaos.fleet import Death
from support.chaos.witness import Sent


@dataclass(frozen=True, slots=True)
class Recovery:
    """From a SIGKILL to the first new effect on a company's books.

    Attributes:
        undisturbed: no other kill fell into it.
    """

    what: str
    company: int
    seconds: float
    undisturbed: bool


def recoveries(
    deaths: Sequence[Death], sent: Mapping[int, Sequence[Sent]], effects: Mapping[int, Sequence[tuple[datetime, str]]]
) -> list[Recovery]:
    """For each kill and each company that the killed one held: when an effect came that was sent after the kill.

    Args:
        sent: by company, the recorded calls; effects: by company, instant and request id of each effect, in order.
    """
    fresh = {company: _with_first_sending(sent[company], found) for company, found in effects.items()}
    found = []
    for death in deaths:
        for company in death.held:
            after = next((at for at, recorded in fresh[company] if at > death.at and recorded > death.at), None)
            if after is None:
                continue
            between = [one for one in deaths if one is not death and death.at < one.at < after and company in one.held]
            what = death.what if death.what in {"postmaster", "backend"} else "engine"
            found.append(Recovery(what, company, (after - death.at).total_seconds(), not between))
    return found


def _with_first_sending(
    sent: Sequence[Sent], effects: Sequence[tuple[datetime, str]]
) -> list[tuple[datetime, datetime]]:
    """Each effect with the instant at which the call that brought it was recorded: the last before the effect."""
    recorded: dict[str, list[datetime]] = {}
    for one in sent:
        recorded.setdefault(one.request_id, []).append(one.at)
    pairs = []
    for at, request_id in effects:
        instants = sorted(recorded.get(request_id, ()))
        place = bisect_right(instants, at)
        if place:
            pairs.append((at, instants[place - 1]))
    return pairs


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else 0.0


def late_writes(sent: Sequence[Sent], writes: Sequence[tuple[datetime, str]], allowed: timedelta) -> Iterator[str]:
    """Requests that reached the books although no recorded call of theirs had time left.

    Args:
        allowed: for how long what has left may be under way.
    """
    recorded: dict[str, list[Sent]] = {}
    for one in sent:
        recorded.setdefault(one.request_id, []).append(one)
    for at, request_id in writes:
        calls = recorded.get(request_id, ())
        if not any(one.at <= at <= one.at + timedelta(seconds=one.deadline_seconds) + allowed for one in calls):
            yield f"the request {request_id} reached the books at {at}, outside of every call's time"


def late_decisions(epochs: Sequence[tuple[int, int | None]], old: int, new: int) -> list[int]:
    """Positions that were decided in an epoch after a newer one had begun.

    Args:
        epochs: position and epoch of each event, in order; None for what needs no lease.
    """
    begun = next((position for position, epoch in epochs if epoch is not None and epoch >= new), None)
    return [] if begun is None else [position for position, epoch in epochs if epoch == old and position > begun]
