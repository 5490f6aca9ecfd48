"""The messages of the Pub/Sub API (`eventbus.v1`), as far as they are used: protobuf by hand, from its description.

A message is a list of (number, value): whole numbers as varints, text and bytes with their length. Fields that are not
known are passed over, as protobuf asks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

SERVICE = "/eventbus.v1.PubSub/"
LATEST, EARLIEST, CUSTOM = 0, 1, 2
"""Where a subscription begins (ReplayPreset)."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}
_SEVEN_BITS, _MORE = 0x7F, 0x80
_SHIFT_MAX = 63


class MalformedMessageError(ValueError):
    """Bytes that are no message."""


def packed(fields: Iterable[tuple[int, int | str | bytes]]) -> bytes:
    """A message; zero and empty values are left out, as proto3 does."""
    out = bytearray()
    for number, value in fields:
        if not value:
            continue
        if isinstance(value, int):
            out += _varint(number << 3 | _VARINT) + _varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += _varint(number << 3 | _LENGTH) + _varint(len(data)) + data
    return bytes(out)


def unpacked(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message, in order.

    Raises:
        MalformedMessageError: it breaks off, or is none.
    """
    place = 0
    while place < len(message):
        tag, place = _read_varint(message, place)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, place = _read_varint(message, place)
            yield number, value
            continue
        if kind == _LENGTH:
            length, place = _read_varint(message, place)
        elif kind in _WIDTHS:
            length = _WIDTHS[kind]
        else:
            raise MalformedMessageError(f"a field of wire type {kind}")
        if place + length > len(message):
            raise MalformedMessageError("a field breaks off")
        if kind == _LENGTH:
            yield number, message[place : place + length]
        place += length


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > _SEVEN_BITS:
        out.append(value & _SEVEN_BITS | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message) and shift <= _SHIFT_MAX:
        byte = message[place]
        place += 1
        value |= (byte & _SEVEN_BITS) << shift
        if not byte & _MORE:
            return value, place
        shift += 7
    raise MalformedMessageError("a number breaks off")


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Asks for so many more events; the first one says of which topic, and where to begin."""

    topic: str
    wanted: int
    preset: int = LATEST
    replay_id: bytes = b""

    def pack(self) -> bytes:
        return packed([(1, self.topic), (2, self.preset), (3, self.replay_id), (4, self.wanted)])

    @classmethod
    def unpack(cls, message: bytes) -> "FetchRequest":
        held = dict(unpacked(message))
        return cls(_text(held.get(1)), _whole(held.get(4)), _whole(held.get(2)), _bytes(held.get(3)))


@dataclass(frozen=True, slots=True)
class ConsumerEvent:
    """One event: its Avro body, the schema it was written by, and its place in the stream."""

    schema_id: str
    payload: bytes
    replay_id: bytes

    def pack(self) -> bytes:
        return packed([(1, packed([(2, self.schema_id), (3, self.payload)])), (2, self.replay_id)])

    @classmethod
    def unpack(cls, message: bytes) -> "ConsumerEvent":
        held = dict(unpacked(message))
        inner = dict(unpacked(_bytes(held.get(1))))
        return cls(_text(inner.get(2)), _bytes(inner.get(3)), _bytes(held.get(2)))


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """Events, none of them where the server only says that it is there; `pending` are asked for and not yet sent."""

    events: Sequence[ConsumerEvent] = field(default=())
    latest_replay_id: bytes = b""
    pending: int = 0

    def pack(self) -> bytes:
        return packed([*((1, event.pack()) for event in self.events), (2, self.latest_replay_id), (4, self.pending)])

    @classmethod
    def unpack(cls, message: bytes) -> "FetchResponse":
        fields = list(unpacked(message))
        held = dict(fields)
        events = [ConsumerEvent.unpack(_bytes(value)) for number, value in fields if number == 1]
        return cls(events, _bytes(held.get(2)), _whole(held.get(4)))


def pack_text(text: str) -> bytes:
    """TopicRequest and SchemaRequest: one text."""
    return packed([(1, text)])


def unpack_text(message: bytes) -> str:
    """Undo `pack_text`; of SchemaInfo, the schema itself."""
    return _text(dict(unpacked(message)).get(1))


def _text(value: int | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def _bytes(value: int | bytes | None) -> bytes:
    return value if isinstance(value, bytes) else b""


def _whole(value: int | bytes | None) -> int:
    return value if isinstance(value, int) else 0
