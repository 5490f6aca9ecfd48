"""Three-way merge by owner: what we last sent, what stands in the books, what the source says now."""

from collections.abc import Sequence

from counterfoil.planning.ownership import FIXED_AT_CREATION, Ownership
from counterfoil.planning.types import LINE_KEY, Conflict, Link
from counterfoil.planning.values import holds, line_id, real_lines, same, words
from counterfoil_schema.documents import without_names
from counterfoil_schema.exact_json import JsonObject, JsonValue


def merge_fields(ours: JsonObject, link: Link, ownership: Ownership) -> JsonObject | Conflict:
    """The fields, apart from lines, that an update sends.

    The source's fields win; fields left to the books are not sent; of a field that somebody must decide on, the side
    that changed it wins, and a change on both sides is a Conflict.
    """
    fixed = FIXED_AT_CREATION.get(ownership.entity, frozenset())
    fields: JsonObject = {}
    for name, value in ours.items():
        if name == "Line" or name in fixed or not ownership.sends(name):
            continue
        owner = ownership.owner(name)
        if owner == "books":
            continue
        if owner == "ask":
            base, theirs = _base(name, link), link.latest.get(name)
            we_moved, they_moved = not _same(value, base), not _same(theirs, base)
            if they_moved and not we_moved:
                continue
            if they_moved and not _same(value, theirs):
                return Conflict(field=name, ours=words(value), base=words(base), theirs=words(theirs))
        fields[name] = value
    return fields


def _base(name: str, link: Link) -> JsonValue:
    """What both sides started from: our own last word where it is known, else the document after our last write."""
    return link.sent[name] if name in link.sent else link.image.get(name)


def _same(left: JsonValue, right: JsonValue) -> bool:
    """Equal, or one side only richer by what QuickBooks adds to an object (an address gets an id)."""
    return same(left, right) or (isinstance(left, dict) and isinstance(right, dict) and _overlap(left, right))


def _overlap(left: JsonObject, right: JsonObject) -> bool:
    return holds(left, right) or holds(right, left)


def merge_lines(ours: Sequence[JsonObject], link: Link) -> Conflict | None:
    """A conflict where the source and a person changed the same line since our last write."""
    base = {line_id(line): line for line in real_lines(link.image)}
    theirs = {line_id(line): line for line in real_lines(link.latest)}
    for line in ours:
        identity = link.lines.get(str(line.get(LINE_KEY, "")))
        if identity is None or identity not in base:
            continue
        wanted: JsonObject = {name: value for name, value in line.items() if name != LINE_KEY}
        before, now = base[identity], theirs.get(identity)
        we_moved = not holds(before, wanted)
        they_moved = now is None or not _line_kept(wanted, before, now)
        if we_moved and they_moved and not (now is not None and holds(now, wanted)):
            return Conflict(
                field=f"Line[{identity}]", ours=_line_words(wanted), base=_line_words(before), theirs=_line_words(now)
            )
    return None


def _line_words(line: JsonObject | None) -> str:
    return "no longer there" if line is None else words(without_names(line))


def _line_kept(wanted: JsonObject, before: JsonObject, now: JsonObject) -> bool:
    """Whether the parts of a line that we write stand as they did."""
    return all(_part_kept(before.get(name), now.get(name), value) for name, value in wanted.items())


def _part_kept(before: JsonValue, now: JsonValue, wanted: JsonValue) -> bool:
    if isinstance(wanted, dict) and isinstance(before, dict) and isinstance(now, dict):
        return all(same(before.get(name), now.get(name)) for name in wanted)
    return same(before, now)
