"""Updates are taken back by the image before our write: the fields that we wrote, and lines by their Ids.

What somebody else changed elsewhere in the document is kept; where the same field or line was changed, the document is
left alone, with the three versions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from counterfoil.planning.ownership import is_computed
from counterfoil.planning.rollback.common import (
    NAME_LISTS,
    closed,
    is_closed,
    make_step,
    refuse,
)
from counterfoil.planning.rollback.types import Conditions, Refusal, Standing, Step, Taken
from counterfoil.planning.types import LINE_KEY
from counterfoil.planning.values import line_id, number, real_lines, same, same_line, words
from counterfoil_schema.documents import is_personal, without_names
from counterfoil_schema.exact_json import JsonObject, JsonValue

_NOT_RESTORED: Final = frozenset({"Id", "SyncToken", "sparse", "Line", "MetaData", "domain"})
_OF_THE_PLACE: Final = frozenset({"LineNum", "LinkedTxn"})


@dataclass(slots=True)
class _Found:
    """What is to be written, and what stands against it."""

    body: JsonObject = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)


def restore(taken: Taken, conditions: Conditions) -> Step | Refusal:
    """Give a document that we changed the content that it had before."""
    standing, first = taken.standing, taken.effects[0]
    if first.before is None:
        reason = "The log holds no image of it from before the write, so that nobody can say what it was."
        return refuse(taken, conditions, "no_before_image", reason, "Correct it in QuickBooks by hand.")
    wrote = {name for effect in taken.effects for name in effect.sent}
    found = _Found()
    for name in sorted(wrote - _NOT_RESTORED):
        if not is_computed(standing.entity, name):
            _field(name, first.before, standing, found)
    if "Line" in wrote:
        _lines(first.before, standing, found)
    if found.conflicts:
        reason = f"Somebody changed it in QuickBooks since: {'; '.join(found.conflicts[:3])}."
        fix = "Undo the edit in QuickBooks and preview again, or correct the document there by hand."
        return refuse(taken, conditions, "edited", reason, fix)
    if not found.restored:
        return refuse(taken, conditions, "already", "It holds again what it held before.", "Nothing needs doing.")
    return _checked(taken, conditions, first.before, found)


def _checked(taken: Taken, conditions: Conditions, before: JsonObject, found: _Found) -> Step | Refusal:
    standing = taken.standing
    if standing.entity not in NAME_LISTS:
        days = (standing.latest.get("TxnDate"), found.body.get("TxnDate"))
        if any(is_closed(day, conditions) for day in days):
            return closed(taken, conditions, "Open the period in QuickBooks and preview again.")
        paid = number(standing.latest.get("TotalAmt")) - number(standing.latest.get("Balance"))
        lowered = "Balance" in standing.latest and number(before.get("TotalAmt")) < paid
        if "Line" in found.body and lowered:
            reason = f"{paid} has been paid on it, which is more than it came to before."
            return refuse(taken, conditions, "payment_applied", reason, "Move the payment first, then preview again.")
        # An update without its lines is refused for some kinds: they go along as they stand.
        if "Line" not in found.body and real_lines(standing.latest):
            lines: list[JsonValue] = [_kept(line, standing) for line in real_lines(standing.latest)]
            found.body["Line"] = lines
    made = make_step(taken, conditions, "restore", "update", found.body)
    becomes: JsonObject = {**standing.latest, **found.body}
    return replace(made, becomes=becomes, detail=f"{', '.join(found.restored)} as before")


def _field(name: str, before: JsonObject, standing: Standing, found: _Found) -> None:
    was, ours, now = before.get(name), standing.image.get(name), standing.latest.get(name)
    if same(was, ours) or same(was, now):
        return
    if not same(ours, now):
        if is_personal(standing.entity, name):
            found.conflicts.append(f"{name} (personal)")
        else:
            versions = f"it was {words(was) or 'nothing'}, we wrote {words(ours) or 'nothing'}, now {words(now)}"
            found.conflicts.append(f"{name}: {versions}")
        return
    found.body[name] = was if was is not None else ""
    found.restored.append(name)


def _lines(before: JsonObject, standing: Standing, found: _Found) -> None:
    old, ours = _by_id(before), _by_id(standing.image)
    now = _by_id(standing.latest)
    lines: list[JsonValue] = []
    moved = False
    for identity, line in now.items():
        mine = ours.get(identity)
        if mine is None:
            lines.append(_kept(line, standing))  # somebody added it since: it stays
            continue
        was = old.get(identity)
        if not same_line(mine, line) and (was is None or not same_line(was, line)):
            found.conflicts.append(_versions(identity, was, mine, line))
        elif was is not None:
            lines.append(_kept(was, standing))
            moved |= not same_line(was, line)
        else:
            moved = True  # our write added it
    for identity in ours.keys() - now.keys():
        if identity in old:
            found.conflicts.append(_versions(identity, old[identity], ours[identity], None))
    gone = [old[identity] for identity in old if identity not in ours and identity not in now]
    lines.extend(_kept({name: value for name, value in line.items() if name != "Id"}, standing) for line in gone)
    if moved or gone:
        found.body["Line"] = lines
        found.restored.append("Line")


def _by_id(document: JsonObject) -> dict[str, JsonObject]:
    return {line_id(line) or f"at {place}": line for place, line in enumerate(real_lines(document))}


def _kept(line: JsonObject, standing: Standing) -> JsonObject:
    """The line as it is to stand, with the source line that it stands for."""
    kept: JsonObject = {name: value for name, value in line.items() if name not in _OF_THE_PLACE}
    identity = line_id(line)
    keys: Sequence[str] = [key for key, held in standing.lines.items() if held == identity] if identity else ()
    return {LINE_KEY: keys[0], **kept} if keys else kept


def _versions(identity: str, was: JsonObject | None, ours: JsonObject, now: JsonObject | None) -> str:
    def told(line: JsonObject | None) -> str:
        return "not there" if line is None else words(without_names(line))

    return f"Line[{identity}]: it was {told(was)}, we wrote {told(ours)}, now {told(now)}"
