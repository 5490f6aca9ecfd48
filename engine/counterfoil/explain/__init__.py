"""Why a document is in the books: from any document or record to the whole chain behind it, and back."""

from counterfoil.explain.chain import Happened, Stage, Step, steps_of
from counterfoil.explain.finding import Finder, Target, UnknownKeyError
from counterfoil.explain.gathering import Explained, Summary, gather

__all__ = [
    "Explained",
    "Finder",
    "Happened",
    "Stage",
    "Step",
    "Summary",
    "Target",
    "UnknownKeyError",
    "gather",
    "steps_of",
]
