"""Gusto's paging: `page` and `per`, with the totals in headers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar

from counterfoil_adapters.gusto.emulator.values import BadRequestError

T = TypeVar("T")
PER_DEFAULT = 25
PER_MAX = 100


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """One page, and what its headers say."""

    items: Sequence[T]
    headers: Mapping[str, str]


def paged(items: Sequence[T], query: Mapping[str, str], *, per_default: int = PER_DEFAULT) -> Slice[T]:
    """The page that a query asks for.

    Raises:
        BadRequestError: `page` or `per` is no number, or beyond what is allowed.
    """
    page, per = whole(query, "page", 1), whole(query, "per", per_default)
    if page < 1 or not 1 <= per <= PER_MAX:
        raise BadRequestError(f"page starts at 1, per lies between 1 and {PER_MAX}", key="per")
    headers = {
        "X-Page": str(page),
        "X-Per-Page": str(per),
        "X-Total-Count": str(len(items)),
        "X-Total-Pages": str(max(1, ceil(len(items) / per))),
    }
    return Slice(items[(page - 1) * per : page * per], headers)


def whole(query: Mapping[str, str], key: str, default: int) -> int:
    """A query parameter that must be a whole number."""
    value = query.get(key)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit():
        raise BadRequestError(f"{key} must be a number", key=key)
    return int(value)
