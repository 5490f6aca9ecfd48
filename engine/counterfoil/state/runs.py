"""Runs: work whose effects belong together, by a name that a person can give.

A session of the engine, from taking a company's lease to losing it, is named after the lease's epoch. What a person
asks for as a whole, such as a rollback, is named after the position of the request. Both numbers are the log's own, so
that a name is never used twice in a company, and follows from events alone.
"""

from typing import Final, Literal

RunKind = Literal["session", "rollback", "redrive", "backfill"]
SESSION: Final[RunKind] = "session"
ROLLBACK: Final[RunKind] = "rollback"
REDRIVE: Final[RunKind] = "redrive"


def run_name(kind: RunKind, number: int) -> str:
    """The name of a run: `session-12`, `rollback-4711`.

    Args:
        number: the epoch of a session; of anything else the position of its request.
    """
    return f"{kind}-{number}"


def number_of(run: str) -> int | None:
    """The number in the name of a run; None where it is no such name."""
    kind, _, number = run.partition("-")
    return int(number) if kind and number.isdecimal() else None
