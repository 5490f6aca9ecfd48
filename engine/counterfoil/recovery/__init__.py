"""Recovery: proving that the state is what the log says, and making it so."""

from counterfoil.recovery.differences import Difference
from counterfoil.recovery.operators import WorkUnderWayError, operators_work
from counterfoil.recovery.rebuild import Rebuilding, RebuildReport

__all__ = ["Difference", "RebuildReport", "Rebuilding", "WorkUnderWayError", "operators_work"]
