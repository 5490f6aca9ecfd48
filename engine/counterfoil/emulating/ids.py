"""Ids and secrets of an emulator."""

import hashlib
import uuid


class Ids:
    """They look random and follow from a name and a seed, so that two runs with one seed are alike."""

    def __init__(self, name: str, seed: int) -> None:
        self._name = name
        self._seed = seed
        self._count = 0

    def uuid(self) -> str:
        """A new uuid."""
        return str(uuid.UUID(bytes=self._digest()[:16], version=4))

    def secret(self) -> str:
        """43 characters fit for a token of an emulator, and for nothing else."""
        return self._digest().hex()[:43]

    def _digest(self) -> bytes:
        self._count += 1
        return hashlib.sha256(f"{self._name}:{self._seed}:{self._count}".encode()).digest()
