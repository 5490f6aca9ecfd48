"""Which entries of the books may stand for which records, with a score and its reason, and what is proposed. Pure.

Scores run from 0 to 100 and are no probabilities: they order. From `CERTAIN` on a pair is proposed for adoption, if
neither side has another such pair; from `DOUBTFUL` on a person is asked; below, there is no pair.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from counterfoil.onboarding.facts import TYPES, Facts, by_type
from counterfoil.onboarding.names import alike, exact, folded, index_of

CERTAIN = 93
DOUBTFUL = 70
SHOWN_MAX = 5
"""Pairs kept for one record."""

ID, NUMBER, EMAIL, SAME_NAME, SAME_WORDS = 100, 98, 98, 97, 93
EMAIL_ALONE, PARTY_AND_SUM, NUMBER_ALONE, SUM_NEARBY = 85, 90, 75, 80
NAME_WITH_EMAIL_MIN = 60.0
NEARBY_DAYS = 7

Decision = Literal["adopt", "create", "skip", "ask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry of the books that may stand for a record. `why` names nobody."""

    theirs: Facts
    score: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One record, its candidates (the best first), and what is proposed."""

    ours: Facts
    candidates: tuple[Candidate, ...]
    decision: Decision

    @property
    def best(self) -> Candidate | None:
        """The best candidate."""
        return self.candidates[0] if self.candidates else None


def propose(
    ours: Sequence[Facts],
    theirs: Sequence[Facts],
    *,
    marker_of: Callable[[str], Sequence[str]],
    linked: Mapping[str, str] | None = None,
) -> list[Proposal]:
    """Candidates of every record, type by type: lists first, since invoices are matched by whose they are.

    Args:
        ours: source records that stand for nothing in the books yet.
        theirs: entries of the books that stand for no record yet.
        marker_of: what documents that we wrote for a record would bear.
        linked: record key of each customer that stands for something already, and the Id of that.
    """
    proposals: list[Proposal] = []
    parties: dict[str, set[str]] = {key: {identity} for key, identity in (linked or {}).items()}
    for kind in TYPES:
        left, right = by_type(ours, kind), by_type(theirs, kind)
        found = _invoices(left, right, parties, marker_of) if kind == "invoice" else _entries(left, right)
        made = _decided(left, found)
        if kind == "customer":
            parties |= {one.ours.key: {each.theirs.key for each in one.candidates} for one in made}
        proposals.extend(made)
    return proposals


def _entries(ours: Sequence[Facts], theirs: Sequence[Facts]) -> dict[str, list[Candidate]]:
    """Entries of one list: by id, by code, by e-mail, by name, by names alike."""
    by_id = {one.key: one for one in theirs}
    by_code = _by(theirs, lambda one: [one.code.casefold()] if one.type == "product" and one.code else [])
    by_email = _by(theirs, lambda one: [one.email.casefold()] if one.email else [])
    by_name = _by(theirs, lambda one: [exact(one.name)] if one.name else [])
    words = [folded(one.name) for one in theirs]
    index = index_of(words)
    found: dict[str, list[Candidate]] = {}
    for one in ours:
        kept: dict[str, Candidate] = {}
        own = folded(one.name)
        if one.type == "employee" and one.code in by_id:
            _keep(kept, by_id[one.code], ID, "the source holds its id in QuickBooks")
        for other in by_code.get(one.code.casefold(), ()) if one.type == "product" and one.code else ():
            _keep(kept, other, NUMBER, "same SKU")
        for other in by_name.get(exact(one.name), ()):
            _keep(kept, other, SAME_NAME, "same name")
        for other in by_email.get(one.email.casefold(), ()) if one.email else ():
            agrees = alike(own, folded(other.name)) >= NAME_WITH_EMAIL_MIN
            _keep(kept, other, *((EMAIL, "same e-mail, like name") if agrees else (EMAIL_ALONE, "same e-mail alone")))
        for place, likeness in index.near(own):
            same = words[place].ordered == own.ordered
            why = "same words" if same else f"names {likeness:.0f} % alike"
            _keep(kept, theirs[place], SAME_WORDS if same else near_score(likeness), why)
        found[one.key] = _best(kept.values())
    return found


def near_score(likeness: float) -> int:
    """Names that are not the same never count as certain."""
    return min(SAME_WORDS - 1, int(likeness * 0.9))


def _invoices(
    ours: Sequence[Facts],
    theirs: Sequence[Facts],
    parties: Mapping[str, set[str]],
    marker_of: Callable[[str], Sequence[str]],
) -> dict[str, list[Candidate]]:
    """Invoices: by our own marker, by number, by whose they are and what they come to."""
    by_number = _by(theirs, lambda one: [number.casefold() for number in one.numbers])
    by_party = _by(theirs, lambda one: [one.party] if one.party else [])
    marked = {word: one for one in theirs for word in one.note.split() if word}
    found: dict[str, list[Candidate]] = {}
    for one in ours:
        kept: dict[str, Candidate] = {}
        for word in marker_of(one.key) if marked else ():
            if word in marked:
                _keep(kept, marked[word], ID, "it bears our own marker")
        for number in one.numbers:
            for other in by_number.get(number.casefold(), ()):
                fits = bool(one.amounts & other.amounts) and _same_currency(one, other)
                _keep(kept, other, *((NUMBER, "same number and sum") if fits else (NUMBER_ALONE, "same number alone")))
        for identity in sorted(parties.get(one.party, ())):
            for other in by_party.get(identity, ()):
                _keep_by_sum(kept, one, other)
        found[one.key] = _best(kept.values())
    return found


def _keep_by_sum(kept: dict[str, Candidate], one: Facts, other: Facts) -> None:
    if not one.amounts & other.amounts or not _same_currency(one, other) or one.dated is None or other.dated is None:
        return
    days = abs((one.dated - other.dated).days)
    if days == 0:
        _keep(kept, other, PARTY_AND_SUM, "same customer, sum and date")
    elif days <= NEARBY_DAYS:
        _keep(kept, other, SUM_NEARBY, f"same customer and sum, {days} days apart")


def _same_currency(one: Facts, other: Facts) -> bool:
    return not (one.currency and other.currency) or one.currency == other.currency


def _decided(ours: Sequence[Facts], found: Mapping[str, Sequence[Candidate]]) -> list[Proposal]:
    """Adopt what is certain and the only such pair of both sides; ask where there is anything; else create."""
    wanted: dict[str, int] = {}
    for candidates in found.values():
        for each in candidates:
            if each.score >= CERTAIN:
                wanted[each.theirs.key] = wanted.get(each.theirs.key, 0) + 1
    proposals: list[Proposal] = []
    for one in ours:
        candidates = tuple(found.get(one.key, ()))
        certain = [each for each in candidates if each.score >= CERTAIN]
        decision: Decision = "ask" if candidates else "create"
        if len(certain) == 1 and wanted[certain[0].theirs.key] == 1 and certain[0].theirs.active:
            decision = "adopt"
        proposals.append(Proposal(ours=one, candidates=candidates, decision=decision))
    return proposals


def _keep(kept: dict[str, Candidate], theirs: Facts, score: int, why: str) -> None:
    held = kept.get(theirs.key)
    if score >= DOUBTFUL and (held is None or held.score < score):
        kept[theirs.key] = Candidate(theirs=theirs, score=score, why=why)


def _best(candidates: Iterable[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda one: (-one.score, _place(one.theirs.key)))[:SHOWN_MAX]


def _place(identity: str) -> tuple[int, str]:
    return (len(identity), identity)


def _by(facts: Sequence[Facts], keys: Callable[[Facts], Sequence[str]]) -> Mapping[str, Sequence[Facts]]:
    found: dict[str, list[Facts]] = {}
    for one in facts:
        for key in keys(one):
            found.setdefault(key, []).append(one)
    return found


def sums(facts: Iterable[Facts]) -> Mapping[str, Decimal]:
    """What invoices come to, by currency."""
    found: dict[str, Decimal] = {}
    for one in facts:
        if one.amount is not None:
            found[one.currency] = found.get(one.currency, Decimal(0)) + one.amount
    return found
