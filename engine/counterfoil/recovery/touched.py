"""Which rows a fold has ever changed, in the same little room however many there are: a blocked Bloom filter."""

from array import array

from counterfoil.state.fold import At

TOUCHED_BYTES = 16 * 1024 * 1024
"""Of a hundred thousand rows that never were, five pass for changed after a million that were, forty after three."""

_WORD_BYTES = 8
_PAIRS = tuple(1 << (number >> 6) | 1 << (number & 63) for number in range(4096))
"""Any two bits of a word, by twelve bits of a hash."""


class Touched:
    """What was added is found for ever; of all else nearly nothing is.

    Args:
        size: in bytes, a power of two.
    """

    def __init__(self, size: int = TOUCHED_BYTES) -> None:
        self._words = array("Q", bytes(size))
        self._mask = size // _WORD_BYTES - 1

    def add(self, at: At) -> bool:
        """From here on this row may exist; whether it might have done so before."""
        word, bits = self._place(at)
        before = self._words[word]
        self._words[word] = before | bits
        return before & bits == bits

    def __contains__(self, at: At) -> bool:
        word, bits = self._place(at)
        return self._words[word] & bits == bits

    def _place(self, at: At) -> tuple[int, int]:
        """A word, and four of its bits."""
        mixed = hash(at)
        return mixed & self._mask, _PAIRS[mixed >> 52 & 4095] | _PAIRS[mixed >> 40 & 4095]
