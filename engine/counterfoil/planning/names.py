"""Names under which the books know customers, vendors, employees and items."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.planning.outcome import named
from counterfoil.planning.types import Link, Park, StateView
from counterfoil_schema.records import split_key

_NUMBER_MAX = 21
ITEM_NAME_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRules:
    """How a name is fitted. `entities` share one name space: a name is unique across all of them."""

    entities: tuple[str, ...]
    longest: int
    colon: str
    same_name: str
    too_long: str = "park"


def clean(name: str, colon: str) -> str:
    """Without the colon, tab and newline that QuickBooks refuses, and without doubled blanks."""
    return " ".join(name.replace(":", colon).split())


def held_name(link: Link | None, field: str) -> str | None:
    """The name that a record's document bears already."""
    name = link.image.get(field) if link is not None else None
    return name if isinstance(name, str) else None


def choose_name(key: str, raw: str, rules: NameRules, held: str | None, view: StateView) -> str | Park:
    """The name for a record's document, or why there is none.

    A name that once had to be told apart by its id keeps it, even when the plain name is free again.
    """
    name = clean(raw, rules.colon)
    if not name:
        return Park(
            code="no_name",
            reason=f"{named(key)} has no name.",
            fix="Give it a name at the source.",
        )
    if len(name) > rules.longest:
        if rules.too_long == "park":
            return Park(
                code="name_too_long",
                reason=f"The name of {named(key)} has {len(name)} characters; QuickBooks takes {rules.longest}.",
                fix="Shorten the name at the source.",
            )
        name = shorten(name, rules.longest)
    if rules.same_name == "suffix" and held is not None and held == _suffixed(key, name):
        return held
    holder = _holder(key, name, rules.entities, view)
    if holder is None:
        return name
    return _same_name(key, name, holder, rules, view)


def _same_name(key: str, name: str, holder: str, rules: NameRules, view: StateView) -> str | Park:
    if rules.same_name == "suffix":
        suffixed = _suffixed(key, name)
        if len(suffixed) <= rules.longest and _holder(key, suffixed, rules.entities, view) is None:
            return suffixed
    return Park(
        code="same_name",
        reason=_clash(key, named(holder)),
        fix='Rename one of them at the source, merge them, or set same_name = "suffix" in the mapping.',
        outside=_clash(key, _known_to(key, holder)),
    )


def _clash(key: str, holder: str) -> str:
    return f"{named(key)} bears the same name as {holder}, and QuickBooks allows a name only once."


def _known_to(key: str, holder: str) -> str:
    """The holder as the source of `key` may know it: what other sources hold is not its business."""
    return named(holder) if split_key(holder)[0] == split_key(key)[0] else "something from another source"


def _suffixed(key: str, name: str) -> str:
    return f"{name} ({split_key(key)[2]})"


def _holder(key: str, name: str, entities: Sequence[str], view: StateView) -> str | None:
    for entity in entities:
        holder = view.name_taken(entity, name)
        if holder is not None and holder != key and not _is_one(key, holder, view):
            return holder
    return None


def _is_one(key: str, holder: str, view: StateView) -> bool:
    """Whether one document stands for both: then its name is nobody else's."""
    ours, theirs = view.link(key), view.link(holder)
    return ours is not None and theirs is not None and ours.document_id == theirs.document_id


def shorten(value: str, longest: int) -> str:
    """What is too long: its beginning and eight hexadecimal digits of the hash of all: stable, and still told apart."""
    if len(value) <= longest:
        return value
    digest = hashlib.sha256(value.encode()).hexdigest()[:8]
    return f"{value[: longest - 9].rstrip()}-{digest}"


def choose_number(key: str, number: str, rule: str, view: StateView) -> str | Park:
    """The document number, or why there is none."""
    if len(number) > _NUMBER_MAX:
        if rule == "park":
            return Park(
                code="number_too_long",
                reason=f"The document number {number} of {named(key)} is too long: it has {len(number)} characters, "
                f"QuickBooks takes {_NUMBER_MAX}.",
                fix='Shorten it at the source, or set number_too_long = "shorten" in the mapping.',
            )
        number = shorten(number, _NUMBER_MAX)
    holder = view.sent_number(number) if number else None
    if holder is not None and holder != key:
        return Park(
            code="number_taken",
            reason=f"The document number {number} of {named(key)} is already that of {named(holder)}.",
            fix="Change one of the numbers at the source, or the number template in the mapping.",
            outside=f"The document number {number} of {named(key)} is already that of {_known_to(key, holder)}.",
        )
    return number
