"""The clear part of a recorded body, parsed as far as it is looked at: what a reading of the whole log can afford."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from counterfoil.log import sealing
from counterfoil.log.errors import LogCorruptError
from counterfoil.log.types import RecordedEvent

_parts_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value_of = msgspec.json.Decoder().decode
_SEGMENTS = sealing.SEGMENTS


class LightBody(Mapping[str, Any]):
    """Field by name; sealed fields are missing.

    All of the body was read when this was made, so that a damaged one is seen at once; a field's value, which may be
    lists in lists, becomes objects when somebody asks for it.
    """

    __slots__ = ("_parts",)

    def __init__(self, parts: dict[str, msgspec.Raw]) -> None:
        self._parts = parts

    def __getitem__(self, name: str) -> Any:
        return _value_of(self._parts[name])

    def __contains__(self, name: object) -> bool:
        return name in self._parts

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __repr__(self) -> str:
        return f"<body of {', '.join(self._parts)}>"


def light_body(recorded: RecordedEvent) -> LightBody:
    """The body of an event without unsealing, lifting or validation.

    Raises:
        LogCorruptError: it is not what an append wrote.
    """
    try:
        parts = _parts_of(recorded.body)
    except msgspec.MsgspecError as error:
        raise unreadable(recorded) from error
    if _SEGMENTS in parts:
        del parts[_SEGMENTS]
    return LightBody(parts)


def unreadable(recorded: RecordedEvent) -> LogCorruptError:
    """What to raise of a body that is not what an append wrote."""
    return LogCorruptError(
        f"The body of event {recorded.company}:{recorded.position} is not what an append wrote.",
        remedy="Run `counterfoil log verify` and restore the log from a backup if it fails.",
    )
