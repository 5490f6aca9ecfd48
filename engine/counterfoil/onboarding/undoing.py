"""Which adoptions can be taken back: those after which nothing was written that rests on them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

NAMED_MAX = 3
"""Documents named in one refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One adoption to take back.

    Attributes:
        document_id: what it must stand for; empty where only the record was named.
    """

    record_key: str
    document_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """Another record's document that names what was adopted."""

    record_key: str
    entity: str
    document_id: str
    is_adopted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands for a record.

    Attributes:
        adopted: where its adoption is recorded; None where we have written it since, or from the first.
        merged: it came to stand for the record by a merge in QuickBooks.
        busy: something of the record is under way.
        resting: living documents that name it.
    """

    record_key: str
    entity: str
    document_id: str
    adopted: int | None
    merged: bool = False
    busy: bool = False
    resting: tuple[Resting, ...] = ()

    @property
    def named(self) -> str:
        """As people name it: `Customer 7`."""
        return f"{self.entity} {self.document_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one adoption stays."""

    record_key: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """What is taken back; nothing of it may be done while anything is refused. `before`: stood for nothing already."""

    take_back: tuple[Standing, ...]
    before: int
    refused: tuple[Refusal, ...]


def undoing(asked: Sequence[Asked], standing: Mapping[str, Standing], known: Sequence[str]) -> Undoing:
    """Judge what was asked for.

    Args:
        standing: what stands for each record asked about, where anything does.
        known: all records that something stands for, to name the nearest.
    """
    together = frozenset(one.record_key for one in asked)
    taken: dict[str, Standing] = {}
    refused: list[Refusal] = []
    before = 0
    for one in dict.fromkeys(asked):
        found = standing.get(one.record_key)
        if found is None and one.document_id:
            before += 1
            continue
        says = _unknown(one.record_key, known) if found is None else _problem(one, found, together)
        if says is not None:
            refused.append(Refusal(record_key=one.record_key, says=says))
        elif found is not None:
            taken[one.record_key] = found
    # What names another goes first: at no moment does a document rest on what stands for nothing.
    ordered = sorted(taken.values(), key=lambda one: one.entity != "Invoice")
    return Undoing(take_back=tuple(ordered), before=before, refused=tuple(refused))


def _unknown(key: str, known: Sequence[str]) -> str:
    near = get_close_matches(key, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"nothing in QuickBooks stands for {key}{hint}"


def _problem(asked: Asked, found: Standing, together: frozenset[str]) -> str | None:
    if asked.document_id and asked.document_id != found.document_id:
        return f"{found.named} stands for it, and not {found.entity} {asked.document_id}."
    if found.merged:
        return f"{found.named} stands for it since a merge in QuickBooks, which cannot be taken back."
    if found.busy:
        return "something of it may be on its way; let `counterfoil sync` end it first."
    if found.adopted is None:
        return f"{found.named} was written by Counterfoil; only what was adopted, and not written since, is taken back."
    resting = [one for one in found.resting if not (one.is_adopted and one.record_key in together)]
    if not resting:
        return None
    shown = ", ".join(f"{one.entity} {one.document_id} ({one.record_key})" for one in resting[:NAMED_MAX])
    more = f" and {len(resting) - NAMED_MAX:,} more" if len(resting) > NAMED_MAX else ""
    verb = "rests" if len(resting) == 1 else "rest"
    return f"{shown}{more} {verb} on {found.named}: {_cure(resting)}"


def _cure(resting: Sequence[Resting]) -> str:
    adopted = "undo what was adopted in the same command"
    written = "void or delete in QuickBooks what was written, and sync"
    both = {one.is_adopted for one in resting}
    return f"{' and '.join([adopted] * (True in both) + [written] * (False in both))}."
