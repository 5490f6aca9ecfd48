"""In which fields two symbolic bodies differ."""

from collections.abc import Iterator
from dataclasses import dataclass

from counterfoil.planning.types import LINE_KEY, NAME_REF, RATE_REF, RECORD_REF
from counterfoil.planning.values import same
from counterfoil_schema.documents import is_personal
from counterfoil_schema.exact_json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One value that would be another; None on a side where the document does not say it.

    Attributes:
        path: the way to it, `Line.l9.Amount`: lines by the source line that they stand for, others counted from 1.
        personal: it is somebody's personal data, to be shown to nobody who did not ask for it.
    """

    path: str
    before: JsonValue
    after: JsonValue
    personal: bool


def field_changes(before: JsonObject, after: JsonObject, entities: tuple[str, str]) -> tuple[FieldChange, ...]:
    """The fields in which two bodies of these entities differ, in the order of the later body."""
    left, right = dict(leaves(before, by_line=True)), dict(leaves(after, by_line=True))
    paths = [*right, *(path for path in left if path not in right)]
    return tuple(
        FieldChange(
            path=path,
            before=left.get(path),
            after=right.get(path),
            personal=any(is_personal(entity, path.partition(".")[0]) for entity in entities if entity),
        )
        for path in paths
        if not same(left.get(path), right.get(path))
    )


def leaves(value: JsonValue, path: str = "", *, by_line: bool = False) -> Iterator[tuple[str, JsonValue]]:
    """Path and value of everything in a symbolic body; a reference is one value, nothing and "" are none.

    Args:
        by_line: lines are named after the source line that they stand for, so that one more moves no other.
    """
    match value:
        case None | "":
            return
        case dict() if _is_reference(value):
            yield path, value
        case dict():
            for name, part in value.items():
                if name != LINE_KEY:
                    yield from leaves(part, f"{path}.{name}" if path else name, by_line=by_line)
        case list():
            for number, member in enumerate(value, start=1):
                line = member.get(LINE_KEY) if by_line and isinstance(member, dict) else None
                place = line if isinstance(line, str) and line else number
                yield from leaves(member, f"{path}.{place}" if path else str(place), by_line=by_line)
        case _:
            yield path, value


def _is_reference(value: JsonObject) -> bool:
    return any(name in value for name in (RECORD_REF, NAME_REF, RATE_REF)) or list(value) == ["value"]
