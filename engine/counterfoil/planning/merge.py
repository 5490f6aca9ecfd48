"""Three-way merge by owner: what both sides started from, what stands in the books, what the source says now.

Of what is to be asked about, or left to the last writer, the side that changed it wins; what both changed is a
conflict, field by field and line by line. A person's answer holds for the versions that they saw.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from counterfoil.planning.lines import key_of, line_name
from counterfoil.planning.ownership import FIXED_AT_CREATION, Owner, Ownership
from counterfoil.planning.types import LINE_KEY, Chosen, Common, Conflict, Link, Side
from counterfoil.planning.values import holds, line_id, real_lines, same, same_line, words
from counterfoil_schema.documents import without_names
from counterfoil_schema.exact_json import JsonObject, JsonValue

SHARED: frozenset[Owner] = frozenset({"ask", "last_writer"})
"""Owners of what both sides may change."""
CONFLICT = "conflict"
"""The code of an update that waits for somebody to say whose version counts."""
_GONE = "no longer there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What an update sends of a document's fields or lines.

    `fields` leaves lines apart. `kept` names what stays as the books have it though it is shared: fields by their name,
    lines as `Line[KEY]`.
    """

    fields: JsonObject
    kept: tuple[str, ...]
    conflicts: tuple[Conflict, ...]


def merge_fields(ours: JsonObject, link: Link, ownership: Ownership, later: Mapping[str, Side]) -> Merged:
    """The fields, apart from lines, that an update sends.

    Args:
        ours: what the source wants, resolved.
        link: with the document as last seen, and what both sides started from.
        ownership: whose word counts.
        later: of fields that both changed, who did so last, as far as that has been found out.
    """
    fixed = FIXED_AT_CREATION.get(ownership.entity, frozenset())
    fields: JsonObject = {}
    kept: list[str] = []
    conflicts: list[Conflict] = []
    for name, value in ours.items():
        if name == "Line" or name in fixed or not ownership.sends(name):
            continue
        owner = ownership.owner(name)
        if owner == "books":
            continue
        found = _field(name, value, owner, link, later) if owner in SHARED else "source"
        if isinstance(found, Conflict):
            conflicts.append(found)
        elif found == "books":
            kept.append(name)
        else:
            fields[name] = value
    return Merged(fields=fields, kept=tuple(kept), conflicts=tuple(conflicts))


def _field(name: str, value: JsonValue, owner: Owner, link: Link, later: Mapping[str, Side]) -> Side | Conflict:
    theirs, base = link.latest.get(name), link.bases.get(name)
    if isinstance(base, Chosen):
        moved = (words(value) != base.source, words(theirs) != base.books)
        return _winner(base, moved) or later.get(name) or _conflict(name, owner, value, base.shown, theirs)
    start = base.value if isinstance(base, Common) else _base(name, link)
    if same(value, theirs):
        return "source"
    we_moved, they_moved = not _same(value, start), not _same(theirs, start)
    if they_moved and not we_moved:
        return "books"
    if not they_moved:
        return "source"
    return later.get(name) or _conflict(name, owner, value, words(start), theirs)


def _winner(chosen: Chosen, moved: tuple[bool, bool]) -> Side | None:
    """Whose word counts by a person's answer; None where that was about other versions than these."""
    we_moved, they_moved = moved
    if not they_moved:
        return "source" if chosen.keep == "source" or we_moved else "books"
    return "books" if chosen.keep == "books" and not we_moved else None


def _conflict(name: str, owner: Owner, ours: JsonValue, base: str, theirs: JsonValue) -> Conflict:
    return Conflict(field=name, ours=words(ours), base=base, theirs=words(theirs), owner=owner)


def _base(name: str, link: Link) -> JsonValue:
    """What both sides started from: our own last word where it is known, else the document after our last write."""
    return link.sent[name] if name in link.sent else link.image.get(name)


def _same(left: JsonValue, right: JsonValue) -> bool:
    """Equal, or one side only richer by what QuickBooks adds to an object (an address gets an id)."""
    return same(left, right) or (isinstance(left, dict) and isinstance(right, dict) and _overlap(left, right))


def _overlap(left: JsonObject, right: JsonObject) -> bool:
    return holds(left, right) or holds(right, left)


def merge_lines(ours: Sequence[JsonObject], link: Link, owner: Owner, later: Mapping[str, Side]) -> Merged:
    """Which lines of ours stay as the books have them, where lines are shared; each by the Line.Id that it became."""
    kept: list[str] = []
    conflicts: list[Conflict] = []
    for line in _lines(ours, link):
        found = _line(line, owner, later)
        if isinstance(found, Conflict):
            conflicts.append(found)
        elif found == "books":
            kept.append(line.name)
    return Merged(fields={}, kept=tuple(kept), conflicts=tuple(conflicts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line that both sides know: as the source wants it, as both started from it, as it stands; None where gone."""

    name: str
    wanted: JsonObject | None
    before: JsonObject | None
    now: JsonObject | None
    chosen: Chosen | None


def _lines(ours: Sequence[JsonObject], link: Link) -> Iterator[_Line]:
    image = {line_id(line): line for line in real_lines(link.image)}
    theirs = {line_id(line): line for line in real_lines(link.latest)}
    wanted = {key_of(line): line for line in ours}
    known = [*link.lines, *(key for key in wanted if line_name(key) in link.bases and key not in link.lines)]
    for key in known:
        identity, base = link.lines.get(key, ""), link.bases.get(line_name(key))
        before = base.value if isinstance(base, Common) else image.get(identity)
        chosen = base if isinstance(base, Chosen) else None
        if chosen is None and not isinstance(before, dict):
            continue  # nothing is known of what both started from
        line = wanted.get(key)
        yield _Line(
            name=line_name(key),
            wanted=None if line is None else {name: value for name, value in line.items() if name != LINE_KEY},
            before=before if isinstance(before, dict) else None,
            now=theirs.get(identity) if identity else None,
            chosen=chosen,
        )


def _line(line: _Line, owner: Owner, later: Mapping[str, Side]) -> Side | Conflict:
    wanted, now = line.wanted, line.now
    if wanted is None and now is None:
        return "source"
    if line.chosen is not None:
        moved = (told_line(wanted) != line.chosen.source, told_line(now) != line.chosen.books)
        found = _winner(line.chosen, moved) or later.get(line.name)
        return found or _line_conflict(line, owner, line.chosen.shown)
    if wanted is not None and now is not None and holds(now, wanted):
        return "source"
    before = line.before or {}
    we_moved = wanted is None or not holds(before, wanted)
    they_moved = now is None or not _line_kept(wanted, before, now)
    if they_moved and not we_moved:
        return "books"
    if not they_moved:
        return "source"
    return later.get(line.name) or _line_conflict(line, owner, told_line(before))


def _line_conflict(line: _Line, owner: Owner, base: str) -> Conflict:
    return Conflict(field=line.name, ours=told_line(line.wanted), base=base, theirs=told_line(line.now), owner=owner)


def told_line(line: JsonObject | None) -> str:
    """A line for people, without the names of people in its references."""
    return _GONE if line is None else words(without_names(line))


def _line_kept(wanted: JsonObject | None, before: JsonObject, now: JsonObject) -> bool:
    """Whether the parts of a line that we write stand as they did; all of it, where the source has dropped it."""
    if wanted is None:
        return same_line(before, now) or holds(now, before)
    return all(_part_kept(before.get(name), now.get(name), value) for name, value in wanted.items())


def _part_kept(before: JsonValue, now: JsonValue, wanted: JsonValue) -> bool:
    if isinstance(wanted, dict) and isinstance(before, dict) and isinstance(now, dict):
        return all(same(before.get(name), now.get(name)) for name in wanted)
    return same(before, now)
