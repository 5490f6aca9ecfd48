"""Lines on an update: QuickBooks replaces them all, so every line to keep is sent, a bookkeeper's own included."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from counterfoil.planning.types import LINE_KEY
from counterfoil.planning.values import holds, line_id, number, real_lines, same_line
from counterfoil_schema.events.decisions import LineLink
from counterfoil_schema.exact_json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """Lines ready to be sent, and for each the source line that it stands for ("" for lines that are not ours)."""

    lines: list[JsonValue]
    keys: tuple[str, ...]


def key_of(line: JsonObject) -> str:
    """The source line that a line of ours stands for, or nothing."""
    return str(line.get(LINE_KEY, ""))


def line_name(key: str) -> str:
    """How a line is named among the fields: by the key of its line at the source."""
    return f"Line[{key}]"


def take_keys(lines: Sequence[JsonObject]) -> Arranged:
    """Lines without the note of which source line they stand for, and those notes."""
    keys = tuple(key_of(line) for line in lines)
    return Arranged(lines=[_without_key(line) for line in lines], keys=keys)


def arrange(
    ours: Sequence[JsonObject], links: Mapping[str, str], latest: JsonObject, kept: Container[str] = ()
) -> Arranged:
    """Our lines laid over the document's; those that are `kept` (`Line[KEY]`) stay as they are, or stay away.

    A line that stands already keeps its id, its place and whatever a bookkeeper added to it (a class, a service
    date); lines that are not ours stay as they are; lines that left the source are left out; new ones follow the
    last of ours.
    """
    by_id = {links[key]: line for line in ours if (key := key_of(line)) in links}
    theirs = real_lines(latest)
    standing = {line_id(line) for line in theirs}
    new = [line for line in ours if links.get(key_of(line)) not in standing and line_name(key_of(line)) not in kept]
    left = {identity: key for key, identity in links.items() if line_name(key) in kept}
    dropped = set(links.values()) - set(by_id)
    lines: list[JsonValue] = []
    keys: list[str] = []
    place = 0
    for line in theirs:
        identity = line_id(line)
        if identity in left:
            lines.append(_kept(line))
            keys.append(left[identity])
            place = len(lines)
        elif identity and identity in by_id:
            lines.append(_overlaid(line, by_id[identity]))
            keys.append(key_of(by_id[identity]))
            place = len(lines)
        elif not identity or identity not in dropped:
            lines.append(_kept(line))
            keys.append("")
    lines[place:place] = [_without_key(line) for line in new]
    keys[place:place] = [key_of(line) for line in new]
    return Arranged(lines=lines, keys=tuple(keys))


def _without_key(line: JsonObject) -> JsonObject:
    return {name: value for name, value in line.items() if name != LINE_KEY}


def _kept(line: JsonObject) -> JsonObject:
    return {name: value for name, value in line.items() if name != "LineNum"}


def _overlaid(theirs: JsonObject, ours: JsonObject) -> JsonObject:
    """Our line over theirs: our values win, what they alone have stays."""
    merged = _kept(theirs)
    for name, value in _without_key(ours).items():
        held = merged.get(name)
        merged[name] = {**held, **value} if isinstance(held, dict) and isinstance(value, dict) else value
    return merged


def same_lines(left: Sequence[JsonObject], right: Sequence[JsonObject]) -> bool:
    """Whether two documents have the same lines in the same order, ids included."""
    return len(left) == len(right) and all(same_line(one, other) for one, other in zip(left, right, strict=True))


def line_links(
    line_keys: Sequence[str], answer_document: JsonObject, sent_body: JsonObject | None = None
) -> tuple[LineLink, ...]:
    """Which line of the answer each of our lines became.

    Args:
        line_keys: those of `Composed`: for each line sent, its source line ("" where it is not ours).
        answer_document: the document as QuickBooks answered it.
        sent_body: the body that was sent. Lines that named an id keep it; the others are matched by their place
            among the lines that are not sub-totals, verified by amount and detail, else by the first one left that
            fits, and at last by the amount. Without it the place alone decides.

    Returns:
        A link per line of ours; a line that nothing fits has none.
    """
    answered = [line for line in real_lines(answer_document) if line_id(line)]
    if sent_body is None:
        pairs = zip(line_keys, answered, strict=False)
        return tuple(LineLink(line_key=key, line_id=line_id(line)) for key, line in pairs if key)
    sent = real_lines(sent_body)
    known = {line_id(line) for line in answered}
    links = {place: line_id(line) for place, line in enumerate(sent) if line_id(line) in known}
    taken = set(links.values())
    for fits in (_fits, _same_amount):
        for place, line in enumerate(sent):
            found = "" if place in links else _matching(place, line, answered, taken, fits)
            if found:
                links[place] = found
                taken.add(found)
    return tuple(
        LineLink(line_key=key, line_id=links[place]) for place, key in enumerate(line_keys) if key and place in links
    )


def _matching(
    place: int,
    sent: JsonObject,
    answered: Sequence[JsonObject],
    taken: set[str],
    fits: Callable[[JsonObject, JsonObject], bool],
) -> str:
    candidates = [*answered[place : place + 1], *answered]
    for line in candidates:
        if line_id(line) not in taken and fits(sent, line):
            return line_id(line)
    return ""


def _fits(sent: JsonObject, answered: JsonObject) -> bool:
    name = str(sent.get("DetailType"))
    return _same_amount(sent, answered) and holds(answered.get(name), sent.get(name))


def _same_amount(sent: JsonObject, answered: JsonObject) -> bool:
    detail = sent.get("DetailType")
    if detail is not None and answered.get("DetailType") != detail:
        return False
    with_tax = _with_tax(sent)
    if with_tax is not None:
        return with_tax == _with_tax(answered)  # QuickBooks may take the tax out of it in its own way
    return number(sent.get("Amount")) == number(answered.get("Amount"))


def _with_tax(line: JsonObject) -> Decimal | None:
    detail = line.get(str(line.get("DetailType")))
    held = detail.get("TaxInclusiveAmt") if isinstance(detail, dict) else None
    return None if held is None else number(held)
