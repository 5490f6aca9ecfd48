"""What takes back that which was written into the books: pure, as all planning.

From effects with their images before and after, and from the documents as they stand now, to steps that compensate
them, and to what cannot be taken back, with the reason.
"""

from counterfoil.planning.rollback.plan import plan_rollback
from counterfoil.planning.rollback.types import (
    AccountTotal,
    Applied,
    Chart,
    Conditions,
    Effect,
    Refusal,
    RollbackPlan,
    Standing,
    Step,
    Taken,
    User,
)

__all__ = [
    "AccountTotal",
    "Applied",
    "Chart",
    "Conditions",
    "Effect",
    "Refusal",
    "RollbackPlan",
    "Standing",
    "Step",
    "Taken",
    "User",
    "plan_rollback",
]
