"""The hash chain: a digest over every column of an event, and links that fix order and place.

    digest   = sha256(frame)                              made by the writer, outside any lock
    link     = sha256(previous link ‖ position ‖ digest)  made by the server, under the head's lock
    genesis  = sha256("counterfoil log 1" ‖ company)      the link before a company's first event

Positions and companies enter as 8 bytes, big end first.
"""

import hashlib
import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

from counterfoil.log.types import RecordedEvent

HASH_BYTES = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIXED = struct.Struct(">4sq16shq").pack
_INTEGER = struct.Struct(">q").pack
_LENGTH = struct.Struct(">i").pack
_FRAME = b"cfe1"
_ABSENT = _LENGTH(-1)


def genesis(company: int) -> bytes:
    """The link before a company's first event."""
    return hashlib.sha256(b"counterfoil log 1" + _INTEGER(company)).digest()


def link(previous: bytes, position: int, digest: bytes) -> bytes:
    """The link of the event at `position`."""
    return hashlib.sha256(previous + _INTEGER(position) + digest).digest()


def microseconds(instant: datetime) -> int:
    """Whole microseconds since 1970 of an aware instant, exactly.

    Raises:
        ValueError: an instant without a zone, which names no point in time.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant in the log must be aware")
    return (instant - _EPOCH) // _MICROSECOND


def digest(
    *,
    company: int,
    event_id: UUID,
    event_type: str,
    event_version: int,
    recorded_at: datetime,
    record_key: str | None,
    cause: int | None,
    trace: str | None,
    epoch: int | None,
    delivery: str | None,
    body: bytes,
) -> bytes:
    """SHA-256 over one framing of all columns but position and link.

    The frame is the mark "cfe1", then company, event id, version and microseconds at fixed width, then each
    other column as a length of 4 bytes and its bytes, with length -1 for an absent one: two different events
    cannot have one frame.
    """
    kind = event_type.encode()
    return hashlib.sha256(
        b"".join(
            (
                _FIXED(_FRAME, company, event_id.bytes, event_version, microseconds(recorded_at)),
                _LENGTH(len(kind)),
                kind,
                _text(record_key),
                _integer(cause),
                _text(trace),
                _integer(epoch),
                _text(delivery),
                _LENGTH(len(body)),
                body,
            )
        )
    ).digest()


def digest_of(event: RecordedEvent) -> bytes:
    """The digest of an event as it stands in the log."""
    return digest(
        company=event.company,
        event_id=event.event_id,
        event_type=event.event_type,
        event_version=event.event_version,
        recorded_at=event.recorded_at,
        record_key=event.record_key,
        cause=event.cause,
        trace=event.trace,
        epoch=event.epoch,
        delivery=event.delivery,
        body=event.body,
    )


def _text(value: str | None) -> bytes:
    if value is None:
        return _ABSENT
    encoded = value.encode()
    return _LENGTH(len(encoded)) + encoded


def _integer(value: int | None) -> bytes:
    return _ABSENT if value is None else _LENGTH(8) + _INTEGER(value)
