"""Which lines of a document that we wrote, and have forgotten, stand for which lines of its source. Pure."""

from collections.abc import Mapping, Sequence

from counterfoil.planning.lines import line_links
from counterfoil.planning.values import line_id, real_lines
from counterfoil_schema.events.decisions import LineLink
from counterfoil_schema.exact_json import JsonObject

GONE = "gone:"
"""Begins the key of a line that was ours and that the source has no more, so that the next update leaves it out."""


def recovered_lines(line_keys: Sequence[str], wanted: JsonObject, document: JsonObject) -> tuple[LineLink, ...] | None:
    """The lines of a recovered document.

    Args:
        line_keys: of each line of `wanted`, its source line.
        wanted: the body as it would be sent today.
        document: what stands in the books; it may be older than what the source says, or edited by a person.

    Returns:
        A link per line that is known to be ours; None where lines differ and nobody can tell whose they are. A document
        that nobody touched since it was made (its SyncToken is 0) holds nothing but our lines.
    """
    links = line_links(line_keys, document, wanted)
    if not any(line_keys):
        return links
    taken = {one.line_id for one in links}
    left = [line for line in real_lines(document) if line_id(line) and line_id(line) not in taken]
    if not left:
        return links
    if document.get("SyncToken") != "0":
        return None
    known = {one.line_key for one in links}
    open_keys = [key for key in line_keys if key and key not in known]
    paired = [
        LineLink(
            line_key=open_keys[place] if place < len(open_keys) else f"{GONE}{line_id(line)}", line_id=line_id(line)
        )
        for place, line in enumerate(left)
    ]
    return (*links, *paired)


def regained_lines(
    line_keys: Sequence[str], wanted: JsonObject, linked: Mapping[str, str], image: JsonObject, latest: JsonObject
) -> dict[str, str] | None:
    """The lines of a document that the log knows, where updates of ours may have been forgotten.

    Args:
        line_keys: of each line of `wanted`, its source line.
        wanted: the body as it would be sent today, as if the document were new.
        linked: source line → line of the document, as far as the log knows.
        image: the document after the last write that the log knows.
        latest: the document as it stands.

    Returns:
        `linked`, with the lines that were added since and that the source has; None where one was added that is not
        the source's: a person's, or ours and older than what the source says now.
    """
    standing = [line for line in real_lines(latest) if line_id(line)]
    before = {line_id(line) for line in real_lines(image)} | set(linked.values())
    added = [line for line in standing if line_id(line) not in before]
    if not added:
        return dict(linked)
    ids = {line_id(line) for line in standing}
    open_lines = [
        (key, line)
        for key, line in zip(line_keys, real_lines(wanted), strict=True)
        if key and linked.get(key) not in ids
    ]
    found = line_links([key for key, _ in open_lines], {"Line": [*added]}, {"Line": [line for _, line in open_lines]})
    if len(found) < len(added):
        return None
    return {**linked, **{one.line_key: one.line_id for one in found}}
