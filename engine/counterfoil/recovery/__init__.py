"""Recovery: proving that the state is what the log says, making it so, and looking at it as it was."""

from counterfoil.recovery.as_of import Point, StateAt, parse_point, state_at
from counterfoil.recovery.differences import Difference
from counterfoil.recovery.operators import WorkUnderWayError, operators_work
from counterfoil.recovery.rebuild import Rebuilding, RebuildReport

__all__ = [
    "Difference",
    "Point",
    "RebuildReport",
    "Rebuilding",
    "StateAt",
    "WorkUnderWayError",
    "operators_work",
    "parse_point",
    "state_at",
]
