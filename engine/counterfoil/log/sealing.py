"""Cutting sealed fields out of a body and putting them back: pure, without keys."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from counterfoil_schema.events.base import ERASED, Seal, Shape

Path = tuple[str | int, ...]
SEGMENTS = "$sealed"
"""Where a body keeps its sealed segments; no field of a model can have this name."""


@dataclass(frozen=True, slots=True)
class SealPlan:
    """What of one model is sealed: fields (with seal and whether they hold text), and fields to look into."""

    sealed: tuple[tuple[str, Seal, bool], ...]
    nested: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.sealed or self.nested)


@dataclass(frozen=True, slots=True)
class Cut:
    """A value taken out of a body, under whose key it belongs, and where it was."""

    seal: Seal
    subject: str | None
    path: Path
    text: bool
    value: Any


@cache
def plan_for(model: type[BaseModel]) -> SealPlan:
    """What to seal in a model, found from its annotations; a seal deep inside one seals the whole field."""
    return _plan(model, frozenset())


def _plan(model: type[BaseModel], within: frozenset[type[BaseModel]]) -> SealPlan:
    sealed: list[tuple[str, Seal, bool]] = []
    nested: list[str] = []
    for name, info in model.model_fields.items():
        parts = [*info.metadata, *_parts(info.annotation)]
        seals = {part for part in parts if isinstance(part, Seal)}
        models = {part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)}
        if seals:
            # With both, the person's key: it is the one that erasing destroys.
            seal = Seal.PERSON if Seal.PERSON in seals else Seal.RAW
            sealed.append((name, seal, _is_text(info.annotation)))
        elif any(_may_seal(inner, within | {model}) for inner in models):
            nested.append(name)
    return SealPlan(tuple(sealed), tuple(nested))


def _may_seal(model: type[BaseModel], within: frozenset[type[BaseModel]]) -> bool:
    # The bare base classes may stand for any shape; and one that is being looked at already is not known yet.
    return model in {Shape, BaseModel} or model in within or bool(_plan(model, within))


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    metadata = getattr(annotation, "__metadata__", ())
    yield from metadata
    for argument in get_args(annotation):
        yield from _parts(argument)


def _is_text(annotation: Any) -> bool:
    if annotation is str:
        return True
    if get_origin(annotation) not in {Union, UnionType}:
        return False
    return all(map(_is_text, (part for part in get_args(annotation) if part is not type(None))))


def cut(model: BaseModel, body: dict[str, Any], subject: str | None) -> list[Cut]:
    """Take the sealed values of `model` out of its dumped `body`, which loses them.

    A nested shape with a `subject()` of its own is about that person; all others are about their parent's.
    """
    found: list[Cut] = []
    _cut(model, body, subject, (), found)
    return found


def _cut(model: BaseModel, body: dict[str, Any], subject: str | None, path: Path, found: list[Cut]) -> None:
    plan = plan_for(type(model))
    for name, seal, text in plan.sealed:
        # An absent value says nothing about anybody, and needs no key.
        if body.get(name) is not None:
            found.append(Cut(seal, subject, (*path, name), text, body.pop(name)))
    for name in plan.nested:
        _cut_value(getattr(model, name), body.get(name), subject, (*path, name), found)


def _cut_value(value: object, body: Any, subject: str | None, path: Path, found: list[Cut]) -> None:
    if isinstance(value, BaseModel):
        own = getattr(value, "subject", None)
        inner = own() if callable(own) else None
        _cut(value, body, inner if isinstance(inner, str) else subject, path, found)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _cut_value(item, body[str(key)], subject, (*path, str(key)), found)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for index, item in enumerate(value):
            _cut_value(item, body[index], subject, (*path, index), found)


def paste(body: dict[str, Any], path: Sequence[str | int], value: object) -> None:
    """Put a value back where it was cut out.

    Raises:
        LookupError: the body has no such place.
    """
    place: Any = body
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value


def erased(*, text: bool) -> str | None:
    """What stands for a value whose key was destroyed."""
    return ERASED if text else None
