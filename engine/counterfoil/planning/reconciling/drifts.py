"""Differences between source, log and books, document by document: what differs, by how much, and what to do."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, get_args

from counterfoil.planning.inbound import Echo, FieldChange, Foreign, Status, judge
from counterfoil.planning.lines import line_name
from counterfoil.planning.ownership import Ownership
from counterfoil.planning.reconciling.figures import Posted
from counterfoil.planning.tie_out import still_off
from counterfoil.planning.types import Chosen, Link
from counterfoil_schema import exact_json
from counterfoil_schema.documents import Document
from counterfoil_schema.events.decisions import Figures
from counterfoil_schema.events.receipts import DriftKind
from counterfoil_schema.exact_json import JsonObject

Kind = DriftKind


def kind_of(text: str) -> Kind:
    """A kind by its name.

    Raises:
        ValueError: there is none of that name.
    """
    for kind in KINDS:
        if kind == text:
            return kind
    raise ValueError(f"{text} is no kind of difference")


KINDS: tuple[Kind, ...] = get_args(Kind)

IN_WORDS: dict[Kind, str] = {
    "missing_in_books": "missing in the books",
    "voided_in_books": "voided in the books",
    "changed_in_books": "changed in the books",
    "does_not_tie_out": "does not tie out",
    "doubled_in_books": "doubled in the books",
    "extra_in_books": "extra in the books, with our marker",
    "missing_in_log": "never seen by the log",
    "changed_at_source": "the source shows it otherwise",
    "not_shown_by_source": "no longer shown by the source",
}

Repair = Literal["create", "update", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDrift:
    """One field: what it must be, and what the books hold. `restored`: a repair would set it."""

    field: str
    ours: str
    books: str
    restored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One document, or record, on which the sides do not agree.

    Attributes:
        record_key: of the source record; None for a document that stands for none.
        number: the document's, where it has one.
        fields: those that are the source's, or that somebody must decide on.
        apart: names of fields that differ and are the books' own affair.
        amount: by how much the books come to more than the source, tax included.
        repair: what a repair would do; None where it can do nothing, for which `why_not` says why.
        what_to_do: for people.
    """

    kind: Kind
    entity: str
    record_key: str | None = None
    document_id: str | None = None
    number: str = ""
    fields: tuple[FieldDrift, ...] = ()
    apart: tuple[str, ...] = ()
    amount: Decimal | None = None
    currency: str | None = None
    repair: Repair | None = None
    why_not: str = ""
    what_to_do: str = ""

    @property
    def about(self) -> str:
        """What it is about: the record, or the document where there is none."""
        return self.record_key or f"quickbooks:{self.entity}:{self.document_id}"

    @property
    def digest(self) -> str:
        """The same for the same difference; plain, so never kept outside a seal or a keyed hash."""
        told = [self.kind, self.document_id, [[one.field, one.ours, one.books] for one in self.fields]]
        return hashlib.sha256(exact_json.canonical([*told, str(self.amount)])).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A document against what was last written: its drift, or the names of what others changed of their own."""

    drift: Drift | None = None
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is known of a document of ours: its link, the source's figures, and what the source wants in amounts.

    `erased`: its person was erased, so that of its personal fields nothing is known any more.
    """

    link: Link
    figures: Figures | None = None
    wanted: Posted | None = None
    record_key: str = ""
    rules: Ownership | None = None
    erased: bool = False


def compare_document(expected: Expected, observed: JsonObject, status: Status, books: Posted) -> Compared:
    """A document of ours as the books show it, field by field.

    Args:
        expected: with the image after our last write.
        observed: as read; what is left of it where it was deleted.
        status: as read.
        books: the same in amounts.
    """
    link = expected.link
    if status == "deleted":
        return Compared(drift=missing(expected))
    if expected.erased:
        observed = Document.of(link.entity, observed).without_personal()
    verdict = judge(observed, status, link, expected.rules or Ownership(entity=link.entity))
    head = _head(expected, observed, books)
    match verdict:
        case Foreign():
            owned = [one for one in verdict.details if not _is_theirs(one, link)]
            apart = (*(one.field for one in verdict.details if _is_theirs(one, link)), *verdict.other)
            if status == "voided" and link.status != "voided":
                return Compared(drift=_voided(head))
            return Compared(drift=_changed(head, owned, apart, link) if owned else None, apart=apart)
        case Echo(older=True):
            return Compared()
        case Echo():
            return Compared(drift=_off(head, expected), apart=verdict.other)
        case _:
            return Compared()


def _is_theirs(change: FieldChange, link: Link) -> bool:
    """Whether the books' word counts: by the mapping, as theirs who wrote last, or by a person's answer."""
    if change.owner in ("books", "last_writer"):
        return True
    keys = {identity: key for key, identity in link.lines.items()}
    identity = change.field.removeprefix("Line[").partition("]")[0] if change.field.startswith("Line[") else None
    base = link.bases.get(change.field if identity is None else line_name(keys.get(identity, "")))
    if not isinstance(base, Chosen) or base.keep != "books":
        return False
    return identity is not None or base.books == change.after


def _head(expected: Expected, observed: JsonObject, books: Posted) -> Drift:
    """What every drift of a document says; its kind is still to be told."""
    link, wanted = expected.link, expected.wanted
    number = observed.get("DocNumber")
    has_amount = wanted is not None and (wanted.total or books.total)
    return Drift(
        kind="changed_in_books",
        entity=link.entity,
        record_key=expected.record_key or link.record_key,
        document_id=link.document_id,
        number=number if isinstance(number, str) else "",
        amount=books.total - wanted.total if wanted is not None and has_amount else None,
        currency=books.currency if has_amount else None,
    )


def missing(expected: Expected) -> Drift:
    """The document that stands for a record was deleted, by QuickBooks' own word."""
    nothing = Posted(entity=expected.link.entity, currency=expected.wanted.currency if expected.wanted else "")
    return replace(
        _head(expected, expected.link.image, nothing),
        kind="missing_in_books",
        repair="create",
        what_to_do="`counterfoil reconcile --repair` enters it anew; or take the record back at its source.",
    )


def _voided(head: Drift) -> Drift:
    return replace(
        head,
        kind="voided_in_books",
        why_not="QuickBooks takes no void back.",
        what_to_do="If it is wanted after all, delete the voided document in QuickBooks, then repair; else take the "
        "record back at its source.",
    )


def _changed(head: Drift, owned: Sequence[FieldChange], apart: tuple[str, ...], link: Link) -> Drift:
    lines = set(link.lines.values())
    fields = tuple(
        FieldDrift(field=one.field, ours=one.before, books=one.after, restored=_is_restored(one, lines))
        for one in owned
    )
    restored = any(one.restored for one in fields)
    return replace(
        head,
        fields=fields,
        apart=apart,
        repair="update" if restored else None,
        why_not=""
        if restored
        else "What somebody added is theirs; what the source leaves empty, or the mapping asks about, is not written.",
        what_to_do="`counterfoil reconcile --repair` restores what is the source's; or make the record agree at its "
        "source; or let the mapping say that the field is the books'.",
    )


def _is_restored(change: FieldChange, lines: set[str]) -> bool:
    """Whether an update of ours sets a field: those of the source that it fills, and of lines those that are ours."""
    if change.owner != "source" or change.before == "null":
        return False
    if not change.field.startswith("Line[") or not lines:
        return True
    return change.field.removeprefix("Line[").partition("]")[0] in lines


def _off(head: Drift, expected: Expected) -> Drift | None:
    """What QuickBooks made of it differs from the source's figures, though nobody has touched it since."""
    link = expected.link
    if expected.figures is None or link.adopted:
        return None
    off = still_off(expected.figures, link)
    if not off and not head.amount:
        return None
    return replace(
        head,
        kind="does_not_tie_out",
        fields=tuple(FieldDrift(field="figures", ours="", books=one, restored=False) for one in off),
        why_not="To write the same again would come to the same.",
        what_to_do="Correct the document in QuickBooks or the record at its source (`counterfoil parked` says more).",
    )


def stranger(
    entity: str, document_id: str, number: str, books: Posted, *, owner: str | None, other: str | None
) -> Drift:
    """A document that bears our marker and stands for no record.

    Args:
        owner: the record whose marker it is; None where no record of this log has it.
        other: the document that stands for that record.
    """
    doubled = owner is not None
    return Drift(
        kind="doubled_in_books" if doubled else "extra_in_books",
        entity=entity,
        record_key=None,
        document_id=document_id,
        number=number,
        fields=(FieldDrift(field="marker", ours=f"{owner} is {entity} {other}", books=document_id, restored=False),)
        if doubled
        else (),
        amount=books.total,
        currency=books.currency,
        why_not="Nothing is deleted that a person may have copied by hand, marker and all.",
        what_to_do=f"Look at both; delete the one that is too many in QuickBooks (the other is {entity} {other})."
        if doubled
        else "Made by us for a log that is not this one, or copied by hand from a document that is gone: delete it in "
        "QuickBooks, or take its marker out of the note.",
    )


def at_source(
    kind: Literal["missing_in_log", "changed_at_source", "not_shown_by_source"],
    record_key: str,
    entity: str,
    amount: Decimal | None,
    currency: str | None,
) -> Drift:
    """A record that the source shows otherwise than the log knows it; `amount` is what it states of itself."""
    match kind:
        case "missing_in_log":
            todo = "`counterfoil reconcile --repair` reads it; then it is planned like any other."
        case "changed_at_source":
            todo = "`counterfoil reconcile --repair` reads it; then it is planned like any other change."
        case "not_shown_by_source":
            todo = (
                "A full reading does not show it, and the source never said that it is gone: look there. Nothing is "
                "removed without its word."
            )
    return Drift(
        kind=kind,
        entity=entity,
        record_key=record_key,
        amount=amount,
        currency=currency,
        repair="read" if kind != "not_shown_by_source" else None,
        why_not="Absence is not deletion." if kind == "not_shown_by_source" else "",
        what_to_do=todo,
    )
