"""What Intuit's pages leave open, as switches of the emulator, in as few cases as hold every pair of their values."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

Case = dict[str, str]
Choice = tuple[str, str]

SWITCHES: Final[Mapping[str, Sequence[str]]] = {
    "--request-ids": ("forever", "0.02", "ignored", "error", "duplicate"),
    "--replay-faults": ("on", "off"),
    "--batch-items": ("30", "10"),
    "--batch-order": ("serial", "parallel"),
    "--rate": ("both", "second", "at-once"),
    "--old-changes": ("clipped", "refused"),
    "--cdc-time-activity": ("told", "refused"),
    "--batch-objects": ("any", "bounded"),
    "--old-refresh": ("refused", "revokes"),
    "--used-code": ("refused", "revokes"),
    "--consents": ("each", "one"),
    "--closed-period": ("6210", "6200"),
    "--text": ("latin1", "unicode"),
    "--webhook-format": ("cloudevents", "legacy"),
}
"""The emulator's switches as its command line takes them."""


def pairs_of(case: Case) -> list[tuple[Choice, Choice]]:
    """The pairs of values that a case holds."""
    return list(combinations(sorted(case.items()), 2))


def every_pair(values: Mapping[str, Sequence[str]]) -> set[tuple[Choice, Choice]]:
    """Every pair of values of two switches."""
    return {
        pair
        for one, other in combinations(values, 2)
        for value in values[one]
        for against in values[other]
        for pair in pairs_of({one: value, other: against})
    }


def pairwise(values: Mapping[str, Sequence[str]]) -> list[Case]:
    """Cases that hold every pair of values: each begins with one that is missing, and adds what holds most others."""
    missing = every_pair(values)
    cases: list[Case] = []
    while missing:
        case: Case = dict(min(missing))
        for name in values:
            if name not in case:
                # Of equals the first, but not always the same one.
                turn = len(cases) % len(values[name])
                ways: list[Case] = [{**case, name: value} for value in (*values[name][turn:], *values[name][:turn])]
                case = max(ways, key=lambda way: len(missing.intersection(pairs_of(way))))
        missing -= set(pairs_of(case))
        cases.append(case)
    return cases
