"""Writing a company's log out as JSON lines."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson

from counterfoil.log.codec import EventCodec
from counterfoil.log.types import LogReader, RecordedEvent


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written: events, the last position, and the SHA-256 of all bytes."""

    company: int
    events: int
    last_position: int
    checksum: str


async def export(
    reader: LogReader,
    company: int,
    write: Callable[[bytes], Awaitable[None]],
    *,
    after: int = 0,
    unseal: EventCodec | None = None,
) -> ExportReport:
    """Write all events after a position, one JSON object to a line: the envelope, the body, the link in hexadecimal.

    Equal logs give equal bytes. Sealed segments stay sealed and can be opened by whoever has the keys.

    Args:
        reader: the log.
        company: whose.
        write: takes some whole lines at a time.
        after: the position to begin behind.
        unseal: opens what is sealed, as far as the keys still exist; then the lines hold personal data.

    Raises:
        LogCorruptError: a body cannot be read.
        KeyringError: `unseal` cannot get a key.
    """
    checksum, events = hashlib.sha256(), 0
    while page := await reader.read(company, after):
        lines = b"".join([await _line(recorded, unseal) for recorded in page])
        checksum.update(lines)
        await write(lines)
        events += len(page)
        after = page[-1].position
    return ExportReport(company, events, after, checksum.hexdigest())


async def _line(recorded: RecordedEvent, unseal: EventCodec | None) -> bytes:
    body = orjson.Fragment(recorded.body) if unseal is None else await unseal.body(recorded)
    return orjson.dumps(
        {
            "company": recorded.company,
            "position": recorded.position,
            "event_id": str(recorded.event_id),
            "event_type": recorded.event_type,
            "event_version": recorded.event_version,
            "recorded_at": recorded.recorded_at,
            "record_key": recorded.record_key,
            "cause": recorded.cause,
            "trace": recorded.trace,
            "epoch": recorded.epoch,
            "delivery": recorded.delivery,
            "body": body,
            "link": None if recorded.link is None else recorded.link.hex(),
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
