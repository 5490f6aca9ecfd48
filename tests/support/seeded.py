"""Randomness from a seed."""

import random


class SeededEntropy:
    """Repeatable; never for secrets."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)

    def token_bytes(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def random(self) -> float:
        return self._random.random()
