"""The hash chain: a digest over every column of an event, and links that fix order and place.

    digest   = sha256(frame)                              made by the writer, outside any lock
    link     = sha256(previous link ‖ position ‖ digest)  made by the writer from the head that it knows; the server
                                                          takes it under the head's lock if that head still stands,
                                                          and makes it itself if not
    genesis  = sha256("counterfoil log 1" ‖ company)      the link before a company's first event

Positions and companies enter as 8 bytes, big end first.
"""

import hashlib
import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from counterfoil.log.types import RecordedEvent

HASH_BYTES = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEADER = struct.Struct(">4sq16shqii?qi?qii").pack
_INTEGER = struct.Struct(">q").pack
_MARK = b"cfe1"
_ABSENT = -1


def genesis(company: int) -> bytes:
    """The link before a company's first event."""
    return hashlib.sha256(b"counterfoil log 1" + _INTEGER(company)).digest()


def link(previous: bytes, position: int, digest: bytes) -> bytes:
    """The link of the event at `position`."""
    return hashlib.sha256(previous + _INTEGER(position) + digest).digest()


def links(previous: bytes, position: int, digests: Iterable[bytes]) -> list[bytes]:
    """The links of events one after the other, the first of them after `position`, whose link is `previous`."""
    found: list[bytes] = []
    for each in digests:
        position += 1
        previous = hashlib.sha256(previous + _INTEGER(position) + each).digest()
        found.append(previous)
    return found


def microseconds(instant: datetime) -> int:
    """Whole microseconds since 1970 of an aware instant, exactly.

    Raises:
        ValueError: an instant without a zone, which names no point in time.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant in the log must be aware")
    return (instant - _EPOCH) // _MICROSECOND


def digest(
    company: int,
    event_id: bytes,
    event_version: int,
    recorded_at: int,
    event_type: bytes,
    record_key: bytes | None,
    cause: int | None,
    trace: bytes | None,
    epoch: int | None,
    delivery: bytes | None,
    body: bytes,
) -> bytes:
    """SHA-256 over one framing of all columns but position and link.

    The frame is a header of fixed width and, one after the other, the bytes of type, record key, trace, delivery
    and body. The header, big end first, holds the mark "cfe1"; company (8 bytes); event id (16); version (2);
    microseconds (8); lengths of type and record key (4 each); cause as a flag (1) and a number (8); length of the
    trace (4); epoch as a flag (1) and a number (8); lengths of delivery and body (4 each). An absent text has
    length -1, an absent number flag and number 0. So two different events cannot have one frame.

    Args:
        event_id: its 16 bytes.
        recorded_at: microseconds since 1970.
        event_type, record_key, trace, delivery: in UTF-8.
        body: as stored.
    """
    header = _HEADER(
        _MARK,
        company,
        event_id,
        event_version,
        recorded_at,
        len(event_type),
        _ABSENT if record_key is None else len(record_key),
        cause is not None,
        cause or 0,
        _ABSENT if trace is None else len(trace),
        epoch is not None,
        epoch or 0,
        _ABSENT if delivery is None else len(delivery),
        len(body),
    )
    frame = (header, event_type, record_key or b"", trace or b"", delivery or b"", body)
    return hashlib.sha256(b"".join(frame)).digest()


def digest_of(event: RecordedEvent) -> bytes:
    """The digest of an event as it stands in the log."""
    return digest(
        event.company,
        event.event_id.bytes,
        event.event_version,
        microseconds(event.recorded_at),
        event.event_type.encode(),
        _encoded(event.record_key),
        event.cause,
        _encoded(event.trace),
        event.epoch,
        _encoded(event.delivery),
        event.body,
    )


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
