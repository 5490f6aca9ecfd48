"""Tries a mapping on what source and books hold now: reads both, plans as the engine would, writes nothing."""

from counterfoil.trial.books import BooksSeen, see_books
from counterfoil.trial.findings import Finding, judge
from counterfoil.trial.planned import Trial, Tried, try_mapping
from counterfoil.trial.sample import Sample, read_sample

__all__ = ["BooksSeen", "Finding", "Sample", "Trial", "Tried", "judge", "read_sample", "see_books", "try_mapping"]
