"""Records that are made of several rows of a source: what the rows come to, or why nobody can read them.

For a row that is a record by itself there is `fields.read_row`.
"""

import hashlib
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from pydantic import ValidationError

from counterfoil.sources.port import Seen, Unreadable
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import Record

_DIGEST_CHARACTERS = 16


class BadValueError(Exception):
    """A field that does not hold what its name promises: which one, what it holds, and how to mend it."""

    def __init__(self, place: str, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.place = place
        self.problem = problem
        self.fix = fix


def finite_number(text: str) -> Decimal:
    """Text as an exact number.

    Raises:
        ValueError: it is none, or without end.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:60]!r} is no number") from None
    if not value.is_finite():
        raise ValueError(f"{text[:60]!r} has no end")
    return value


def compose(
    kind: str,
    source_id: str,
    *,
    source: str,
    payload: JsonObject,
    stamp: JsonValue,
    essence: JsonValue,
    normalise: Callable[[], Record],
) -> Seen | Unreadable:
    """A record with everything that came, or why it cannot be read.

    Args:
        source: the source's name, for people.
        payload: what is kept of it, whole.
        stamp: when or how often it was changed, as the source says.
        essence: what makes its version, beside stamp and record; the same however it was asked for.
        normalise: raises BadValueError (or pydantic's ValidationError) where a value is not what it should be.
    """
    raw = exact_json.dumps(payload).decode()
    place, fix = f"{kind} {source_id}", f"Correct it in {source}."
    try:
        record = normalise()
    except BadValueError as error:
        place, problem, fix = error.place, error.problem, error.fix
    except ArithmeticError:
        problem = f"An amount of {kind} {source_id} is too large to be reckoned with."
    except ValidationError as error:
        names = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
        place, problem = f"{place}, {names}", f"{names} of {kind} {source_id} cannot be used."
    else:
        content = exact_json.canonical([record.model_dump(mode="json"), essence])
        version = f"{stamp}/{hashlib.sha256(content).hexdigest()[:_DIGEST_CHARACTERS]}"
        return Seen(kind=kind, source_id=source_id, version=version, record=record, raw=raw)
    return Unreadable(kind=kind, source_id=source_id, place=place, problem=problem, fix=fix, raw=raw)
