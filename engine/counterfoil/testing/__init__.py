"""Kits for tests, ours and those of adapter authors: doubles that are real implementations."""

from counterfoil.testing.source_contract import Bench, HastyClock, MemoryKeeper, SeededEntropy, SourceContract, Stage

__all__ = ["Bench", "HastyClock", "MemoryKeeper", "SeededEntropy", "SourceContract", "Stage"]
