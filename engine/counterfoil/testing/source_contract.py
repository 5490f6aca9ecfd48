"""What every source adapter must do, as a test class. The author says how to open the source; the tests come along.

    class TestMySource(SourceContract):
        has_webhooks = True

        def stage(self, folder):
            return my_stage(folder)      # an async context manager that gives a Stage

Needs pytest with pytest-asyncio in auto mode. A failed check says in one sentence what a user would lose; what the
source cannot do is declared, and skipped with that reason. Faults are the kit's: a proxy between adapter and source.
"""

from counterfoil.testing.sources.bench import Bench, HastyClock, MemoryKeeper, SeededEntropy
from counterfoil.testing.sources.breaking import BreakingContract
from counterfoil.testing.sources.hearing import HearingContract
from counterfoil.testing.sources.moving import MovingContract
from counterfoil.testing.sources.reading import effect_of, expect, flat, pages_of
from counterfoil.testing.sources.shapes import ShapesContract
from counterfoil.testing.sources.stage import Stage
from counterfoil.testing.sources.steady import SteadyContract

__all__ = [
    "Bench",
    "HastyClock",
    "MemoryKeeper",
    "SeededEntropy",
    "SourceContract",
    "Stage",
    "effect_of",
    "expect",
    "flat",
    "pages_of",
]


class SourceContract(SteadyContract, MovingContract, BreakingContract, ShapesContract, HearingContract):
    """Inherit, call the class `Test…`, declare what the source can do, and say what it holds."""
