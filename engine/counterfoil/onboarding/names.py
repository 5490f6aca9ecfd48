"""Which names are alike: folded, blocked by their rare three-letter parts, and compared by rapidfuzz. Pure.

Comparing each of 5,000 names with each of 5,000 others is 25 million comparisons. Of two names that are alike many
three-letter parts are equal, so that only names are compared that share one of the rarest parts of the one looked for,
and at most `COMPARED_MAX` of them. A letter more, less or other touches three such parts.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import fuzz

COMPARED_MAX = 500
PARTS_LOOKED_AT = 10
ALIKE_MIN = 80.0
"""Of 100: below that, of pairs of different companies as many are alike as of the same one written otherwise."""

_LEGAL = frozenset(
    {
        *("inc", "incorporated", "llc", "llp", "lp", "ltd", "limited", "corp", "corporation", "co", "company", "plc"),
        *("gmbh", "ag", "kg", "ohg", "ug", "sarl", "sas", "sa", "spa", "srl", "bv", "nv", "ab", "as", "oy", "pty"),
    }
)
_JOINING = frozenset({"and", "und", "et"})
_WORD = re.compile(r"\w+")
_SPELLED = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "\u0131": "i"})


def exact(name: str) -> str:
    """A name as QuickBooks compares it: blind to case and to doubled blanks."""
    return " ".join(name.casefold().split())


class Folded(NamedTuple):
    """A name without case, accents, marks and legal forms: its words as they are said, and in order of the alphabet.

    `Smith, Ann` is `Ann Smith` in the second; a wrong first letter moves a word there, and does no harm in the first.
    """

    said: str
    ordered: str


def folded(name: str) -> Folded:
    """A name as names are compared."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_SPELLED))
    bare = "".join(mark for mark in plain if not unicodedata.combining(mark))
    words = _WORD.findall(bare.replace("'", "").replace("\u2019", "").replace("&", " and "))
    telling = [word for word in words if word not in _LEGAL and word not in _JOINING] or words
    return Folded(" ".join(telling), " ".join(sorted(telling)))


def alike(left: Folded, right: Folded, at_least: float = 0.0) -> float:
    """How alike two names are, 0 to 100: by the fewest letters to insert and delete, per length of both."""
    ordered = fuzz.ratio(left.ordered, right.ordered, score_cutoff=at_least)
    return max(ordered, fuzz.ratio(left.said, right.said, score_cutoff=at_least))


@dataclass(frozen=True, slots=True)
class NameIndex:
    """Folded names by their three-letter parts; each under its place in the list that it was made from."""

    names: Sequence[Folded]
    places: Mapping[str, Sequence[int]]

    def near(self, name: Folded, *, at_least: float = ALIKE_MIN) -> list[tuple[int, float]]:
        """Places and likeness (of 100) of the names that are alike, the likest first."""
        if not name.said:
            return []
        found = [
            (place, score)
            for place in self._comparable(name)
            if (score := alike(name, self.names[place], at_least)) >= at_least
        ]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def _comparable(self, name: Folded) -> Iterable[int]:
        """Those that share rare parts, the ones that share most first."""
        known = sorted((part for part in parts(name) if part in self.places), key=lambda part: len(self.places[part]))
        shared: Counter[int] = Counter()
        for part in known[:PARTS_LOOKED_AT]:
            if len(shared) >= COMPARED_MAX:
                break
            shared.update(self.places[part])
        return [place for place, _ in shared.most_common(COMPARED_MAX)]


def index_of(names: Sequence[Folded]) -> NameIndex:
    """An index of folded names."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        for part in parts(name):
            places.setdefault(part, []).append(place)
    return NameIndex(names=names, places=places)


def parts(name: Folded) -> set[str]:
    """The three-letter parts of a name's words, their beginnings and ends marked."""
    return {
        marked[start : start + 3]
        for word in name.said.split()
        for marked in (f" {word} ",)
        for start in range(len(marked) - 2)
    }
