"""Who else posts the same: documents of the last weeks that look as if another app made them out of the same source.

Evidence, and no proof: QuickBooks does not tell through its API which app made a document. Pure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from counterfoil.onboarding.facts import Facts
from counterfoil.planning.ownership import note_field
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import split_key

REPEATED_MIN = 3
EXAMPLES_MAX = 3
APPS = (
    *("hubspot", "salesforce", "pipedrive", "zoho", "zapier", "make.com", "workato", "celigo", "tray.io", "boomi"),
    *("breadwinner", "commercient", "synder", "a2x", "commerce sync", "webgility", "connex", "dbsync", "syncq"),
    *("invoice sync", "stripe", "shopify", "square", "paypal", "bill.com", "chargebee", "recurly", "gusto", "bamboohr"),
)
"""Names of systems and connectors that write themselves into the notes of what they post."""

_DIGITS = re.compile(r"\d+")
_LONG_ID = re.compile(r"\b(?=\w*\d)[0-9a-z]{12,}\b", re.IGNORECASE)
_NOTE_SHOWN = 60
_SALES = frozenset({"Invoice", "SalesReceipt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A document that nobody of ours made."""

    entity: str
    document_id: str
    created: date | None
    number: str
    note: str
    facts: Facts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """Documents that bear one hand.

    Attributes:
        app: its name, where the documents say so.
        evidence: what they have in common, in words; names of people are not in it.
        like_ours: how many of them are like records of the source: same number, or same sum and day.
        last: when the youngest was made: whether it still happens.
    """

    level: Literal["certain", "likely", "possible"]
    entity: str
    app: str
    evidence: tuple[str, ...]
    documents: int
    like_ours: int
    last: date | None
    examples: tuple[str, ...]
    what_to_do: str


def posted_of(entity: str, document: JsonObject, facts: Facts | None) -> Posted:
    """What a document shows of whoever made it."""
    created: date | None = None
    metadata = document.get("MetaData")
    stamp = metadata.get("CreateTime") if isinstance(metadata, dict) else None
    if isinstance(stamp, str):
        created = datetime.fromisoformat(stamp).date()
    return Posted(
        entity=entity,
        document_id=str(document.get("Id", "")),
        created=created,
        number=str(document.get("DocNumber") or "").strip(),
        note=" ".join(str(document.get(note_field(entity)) or "").split()),
        facts=facts,
    )


def suspects(posted: Iterable[Posted], ours: Sequence[Facts]) -> list[Suspect]:
    """Groups of documents of one hand that look like the source's, the plainest first.

    Args:
        posted: documents made lately, without any that bear a marker of ours.
        ours: the source's records that could be such documents.
    """
    numbers = {number.casefold() for one in ours for number in one.numbers}
    sums = {(amount, one.dated) for one in ours for amount in one.amounts if one.dated is not None}
    ids = {split_key(one.key)[2] for one in ours if len(split_key(one.key)[2]) >= REPEATED_MIN}
    groups: dict[tuple[str, str, str], list[Posted]] = {}
    for one in posted:
        groups.setdefault((one.entity, _app_of(one), _hand(one)), []).append(one)
    found: list[Suspect] = []
    for (entity, app, _), members in groups.items():
        like = sum(_is_like(one, numbers, sums) for one in members)
        naming = sum(any(word in ids for word in re.split(r"\W+", one.note)) for one in members)
        suspect = _judged(entity, app, members, like, naming)
        if suspect is not None:
            found.append(suspect)
    order = ("certain", "likely", "possible")
    return sorted(found, key=lambda one: (order.index(one.level), -one.documents, one.entity, one.examples))


def _judged(entity: str, app: str, members: Sequence[Posted], like: int, naming: int) -> Suspect | None:
    numbers, notes = _shape(members[0].number), _note_shape(members[0].note)
    has_pattern = bool(notes) or bool(re.search(r"[A-Za-z]", numbers))
    evidence: list[str] = []
    if app:
        evidence.append(f"their notes name {app}")
    if naming:
        evidence.append(f"{naming} of their notes hold the id of a record of the source")
    if notes and len(members) >= REPEATED_MIN and not app:
        evidence.append(f'their notes have one form, "{notes[:_NOTE_SHOWN]}"')
    if numbers and re.search(r"[A-Za-z]", numbers) and len(members) >= REPEATED_MIN:
        evidence.append(f"their numbers have one form, {numbers}")
    if like:
        evidence.append(f"{like} have the number, or sum and day, of a record of the source")
    level: Literal["certain", "likely", "possible"]
    if naming or (app and like):
        level = "certain"
    elif (app or (has_pattern and len(members) >= REPEATED_MIN)) and like:
        level = "likely"
    elif app or like >= REPEATED_MIN:
        level = "possible"
    else:
        return None
    days = [one.created for one in members if one.created is not None]
    return Suspect(
        level=level,
        entity=entity,
        app=app or "not named",
        evidence=tuple(evidence),
        documents=len(members),
        like_ours=like,
        last=max(days, default=None),
        examples=tuple(one.document_id for one in members[-EXAMPLES_MAX:]),
        what_to_do=_what_to_do(entity, app, level),
    )


def _what_to_do(entity: str, app: str, level: str) -> str:
    who = app or "whatever makes them"
    if level == "possible":
        return f"Ask who enters these {entity} documents; if an app does, switch it off before the approval."
    return (
        f"Switch off in {who} that it posts {entity} documents, before the first run is approved; adopt those that are "
        "there, or begin with a start date after the last of them. Both at once would post everything twice."
    )


def _is_like(one: Posted, numbers: set[str], sums: set[tuple[Decimal, date]]) -> bool:
    if one.entity not in _SALES:
        return False
    if one.number and one.number.casefold() in numbers:
        return True
    facts = one.facts
    if facts is None or facts.dated is None:
        return False
    return any((amount, facts.dated) in sums for amount in facts.amounts)


def _app_of(one: Posted) -> str:
    text = one.note.casefold()
    return next((app for app in APPS if re.search(rf"(?<!\w){re.escape(app)}(?!\w)", text)), "")


def _hand(one: Posted) -> str:
    """What documents of one hand have in common."""
    return f"{_note_shape(one.note)}|{_shape(one.number)}"


def _shape(text: str) -> str:
    return _DIGITS.sub("#", text)


def _note_shape(note: str) -> str:
    return _DIGITS.sub("#", _LONG_ID.sub("#", note))


def counted(found: Sequence[Suspect]) -> Mapping[str, int]:
    """How many of each level."""
    return {level: sum(one.level == level for one in found) for level in ("certain", "likely", "possible")}
