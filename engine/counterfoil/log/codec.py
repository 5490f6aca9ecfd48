"""Events to bytes and back.

A body is JSON of the model: decimals as text, dates in ISO form. Sealed fields are cut out and stand, by key, in
segments beside the clear ones:

    {"name": "Widget", "$sealed": [{"key": "person/crm:contact:5/1", "nonce": "…", "text": [["email"]],
                                    "other": [], "data": "…"}]}

`data` is AES-256-GCM over the JSON list of the values, bound to company, event, key and places.
"""

import asyncio
import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from asyncpg.pgproto import pgproto
from cryptography.exceptions import InvalidTag

from counterfoil.log import chain, sealing
from counterfoil.log.errors import EventTooLargeError, LogCorruptError, LogError
from counterfoil.log.keyring import NONCE_BYTES, Keyring, SealingKey, person_scope, raw_scope
from counterfoil.log.light import light_body, unreadable
from counterfoil.log.types import (
    KEY_BYTES_MAX,
    Append,
    EncodedEvent,
    NewEvent,
    RecordedEvent,
)
from counterfoil.ports import Clock, Entropy
from counterfoil_schema.events.base import Event, EventRegistry, Seal, registry

BODY_BYTES_MAX = 8 * 1024 * 1024
_BREATH_EVENTS = 100
_CLEAR_EVENTS_MAX = 10
_ID_BYTES = 16
_CONTEXT = b"counterfoil segment 1"
_SEALED = b'"$sealed":['
_KEY_IDS = re.compile(rb'"key":"([^"\\]+/[0-9]+)"').findall


class _Stamp(NamedTuple):
    """What all events of one append have in common."""

    company: int
    epoch: int | None
    recorded_at: datetime
    microseconds: int


class UnsealableEventError(LogError):
    """An event holds a person's data but does not say whose."""


class EventCodec:
    """Encodes new events and decodes recorded ones, under the keys of a keyring.

    Args:
        keyring: where keys come from.
        clock: the time that new events bear.
        entropy: event ids and nonces.
        events: the types that are known.
        body_bytes_max: the largest body that is taken.
    """

    def __init__(
        self,
        keyring: Keyring,
        *,
        clock: Clock,
        entropy: Entropy,
        events: EventRegistry = registry,
        body_bytes_max: int = BODY_BYTES_MAX,
    ) -> None:
        self._keyring = keyring
        self._clock = clock
        self._entropy = entropy
        self._events = events
        self._body_bytes_max = body_bytes_max

    async def encode_all(self, append: Append) -> tuple[EncodedEvent, ...]:
        """All events of an append, sealed, digested, and recorded at one instant.

        Raises:
            EventTooLargeError: a body is over the limit.
            UnsealableEventError: personal data without a subject.
            KeyringError: a key cannot be had.
            ValueError: a text that has no place in UTF-8 or in Postgres.
        """
        recorded_at = self._clock.now()
        stamp = _Stamp(append.company, append.epoch, recorded_at, chain.microseconds(recorded_at))
        # One draw for all ids: each costs a system call.
        chance = self._entropy.token_bytes(_ID_BYTES * len(append.events))
        encoded = []
        for index, new in enumerate(append.events):
            event_id = _event_id(chance[_ID_BYTES * index : _ID_BYTES * (index + 1)])
            if sealing.plan_for(type(new.event)):
                body = await self._sealed_body(stamp, new.event, event_id)
            else:
                body = new.event.__pydantic_serializer__.to_json(new.event)
            encoded.append(self._encoded(stamp, new, event_id, body))
            if index % _BREATH_EVENTS == _BREATH_EVENTS - 1:
                # Others have work on the loop, and answers to read.
                await asyncio.sleep(0)
        return tuple(encoded)

    @staticmethod
    def is_clear(append: Append) -> bool:
        """Whether it is small and has nothing to seal, as most appends: then `encode_clear` takes it."""
        events = append.events
        return len(events) <= _CLEAR_EVENTS_MAX and not any(sealing.plan_for(type(new.event)) for new in events)

    def encode_clear(self, appends: Sequence[Append]) -> list[tuple[EncodedEvent, ...] | Exception]:
        """The events of several small appends with nothing to seal, at one instant; an error for what cannot be.

        Errors are those of `encode_all`.
        """
        recorded_at = self._clock.now()
        microseconds = chain.microseconds(recorded_at)
        chance = self._entropy.token_bytes(_ID_BYTES * sum([len(append.events) for append in appends]))
        drawn = 0
        encoded: list[tuple[EncodedEvent, ...] | Exception] = []
        for append in appends:
            stamp = _Stamp(append.company, append.epoch, recorded_at, microseconds)
            events = []
            try:
                for new in append.events:
                    event_id = _event_id(chance[drawn : drawn + _ID_BYTES])
                    drawn += _ID_BYTES
                    body = new.event.__pydantic_serializer__.to_json(new.event)
                    events.append(self._encoded(stamp, new, event_id, body))
                encoded.append(tuple(events))
            except (ValueError, LogError) as error:
                encoded.append(error)
        return encoded

    def _encoded(self, stamp: _Stamp, new: NewEvent, event_id: UUID, body: bytes) -> EncodedEvent:
        event, trace, delivery = new.event, new.trace, new.delivery
        if len(body) > self._body_bytes_max:
            raise EventTooLargeError(
                f"The {event.event_type} about {new.record_key or 'no record'} of company {stamp.company} has "
                f"{len(body):,} bytes; the log takes {self._body_bytes_max:,}.",
                remedy="Split it, or drop what the books never need before it is observed.",
            )
        delivery_text = None if delivery is None else str(delivery)
        digest = chain.digest(
            stamp.company,
            event_id.bytes,
            event.event_version,
            stamp.microseconds,
            event.event_type.encode(),
            _storable_key(new.record_key),
            new.cause,
            None if trace is None else _storable(trace),
            stamp.epoch,
            None if delivery_text is None else _storable(delivery_text),
            body,
        )
        return EncodedEvent(
            event_id,
            event.event_type,
            event.event_version,
            stamp.recorded_at,
            new.record_key,
            new.cause,
            trace,
            delivery_text,
            body,
            digest,
        )

    # As it is, without a call in between: a replay makes one for each event. See `RecordedEvent.light`.
    light = staticmethod(light_body)

    async def make_ready(self, page: Sequence[RecordedEvent]) -> None:
        """See `BodyDecoder.make_ready`."""
        identities: set[str] = set()
        for recorded in page:
            _, mark, sealed = recorded.body.rpartition(_SEALED)
            if mark:
                # Segments stand at the end of a body; what looks like a key and is none is asked for in vain.
                identities.update(map(bytes.decode, _KEY_IDS(sealed)))
        if identities:
            await self._keyring.make_ready(page[0].company, identities)

    async def body(self, recorded: RecordedEvent) -> dict[str, Any]:
        """The body as it was before sealing, as far as the keys still exist; neither lifted nor validated."""
        body = _parse(recorded)
        for segment in body.pop(sealing.SEGMENTS, ()):
            try:
                await self._open(recorded, body, segment)
            except (LookupError, TypeError, ValueError, InvalidTag) as error:
                raise LogCorruptError(
                    f"A sealed part of event {recorded.company}:{recorded.position} cannot be opened.",
                    remedy="Run `counterfoil log verify` and restore the log from a backup if it fails.",
                ) from error
        return body

    async def decode(self, recorded: RecordedEvent) -> Event:
        """See `RecordedEvent.event`."""
        return self._read(recorded, await self.body(recorded))

    def closed(self, recorded: RecordedEvent) -> Event:
        """See `RecordedEvent.closed`."""
        body = _parse(recorded)
        try:
            for segment in body.pop(sealing.SEGMENTS, ()):
                _leave_closed(body, segment)
        except (LookupError, TypeError) as error:
            raise unreadable(recorded) from error
        return self._read(recorded, body)

    def _read(self, recorded: RecordedEvent, body: dict[str, Any]) -> Event:
        try:
            return self._events.read(recorded.event_type, recorded.event_version, body)
        except ValueError as error:
            raise LogCorruptError(
                f"Event {recorded.company}:{recorded.position} is no {recorded.event_type} "
                f"of version {recorded.event_version} as this release knows it.",
                remedy="Install the release that recorded it, or one newer, and report this.",
            ) from error

    async def _sealed_body(self, stamp: _Stamp, event: Event, event_id: UUID) -> bytes:
        body = event.model_dump(mode="json")
        by_scope: dict[str, list[sealing.Cut]] = {}
        for cut in sealing.cut(event, body, event.subject()):
            if cut.seal is Seal.RAW:
                scope = raw_scope(stamp.recorded_at)
            elif cut.subject is None:
                raise UnsealableEventError(
                    f"The {event.event_type} holds personal data at {'.'.join(map(str, cut.path))}, "
                    "but no subject to seal it for."
                )
            else:
                scope = person_scope(cut.subject)
            by_scope.setdefault(scope, []).append(cut)
        if by_scope:
            segments = []
            for scope, cuts in by_scope.items():
                key = await self._keyring.sealing_key(stamp.company, scope)
                if key is None:
                    # As it would read if it had been sealed before that person was erased.
                    for cut in cuts:
                        sealing.paste(body, cut.path, sealing.erased(text=cut.text))
                else:
                    segments.append(self._segment(stamp.company, event_id, key, cuts))
            if segments:
                body[sealing.SEGMENTS] = segments
        return orjson.dumps(body)

    def _segment(self, company: int, event_id: UUID, key: SealingKey, cuts: list[sealing.Cut]) -> dict[str, Any]:
        texts = [cut for cut in cuts if cut.text]
        others = [cut for cut in cuts if not cut.text]
        places = {"text": [cut.path for cut in texts], "other": [cut.path for cut in others]}
        nonce = self._entropy.token_bytes(NONCE_BYTES)
        data = key.cipher.encrypt(
            nonce,
            orjson.dumps([cut.value for cut in (*texts, *others)]),
            _binding(company, event_id, key.id, places),
        )
        return {
            "key": key.id,
            "nonce": base64.b64encode(nonce).decode(),
            **places,
            "data": base64.b64encode(data).decode(),
        }

    async def _open(self, recorded: RecordedEvent, body: dict[str, Any], segment: Mapping[str, Any]) -> None:
        texts, others = segment["text"], segment["other"]
        key = await self._keyring.opening_key(recorded.company, segment["key"])
        if key is None:
            _leave_closed(body, segment)
            return
        values = orjson.loads(
            key.cipher.decrypt(
                base64.b64decode(segment["nonce"]),
                base64.b64decode(segment["data"]),
                _binding(recorded.company, recorded.event_id, key.id, {"text": texts, "other": others}),
            )
        )
        for place, value in zip((*texts, *others), values, strict=True):
            sealing.paste(body, place, value)


def _leave_closed(body: dict[str, Any], segment: Mapping[str, Any]) -> None:
    for place in segment["text"]:
        sealing.paste(body, place, sealing.erased(text=True))
    for place in segment["other"]:
        sealing.paste(body, place, sealing.erased(text=False))


def _binding(company: int, event_id: UUID, identity: str, places: Mapping[str, Any]) -> bytes:
    return b"".join(
        (
            _CONTEXT,
            company.to_bytes(8, "big", signed=True),
            event_id.bytes,
            orjson.dumps([identity, places["text"], places["other"]]),
        )
    )


def _parse(recorded: RecordedEvent) -> dict[str, Any]:
    try:
        body = orjson.loads(recorded.body)
    except orjson.JSONDecodeError as error:
        raise unreadable(recorded) from error
    if not isinstance(body, dict):
        raise unreadable(recorded)
    return body


def _event_id(chance: bytes) -> UUID:
    """A version 4 UUID; the driver's own class, which is made in a fraction of the time."""
    number = bytearray(chance)
    number[6] = number[6] & 0x0F | 0x40
    number[8] = number[8] & 0x3F | 0x80
    return pgproto.UUID(bytes(number))


def _storable(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("a NUL character cannot be stored in Postgres")
    return text.encode()


def _storable_key(key: str | None) -> bytes | None:
    if key is None:
        return None
    encoded = _storable(key)
    if len(encoded) > KEY_BYTES_MAX:
        raise EventTooLargeError(
            f"The record key {key[:60]!r}… is too long; the log takes {KEY_BYTES_MAX:,} bytes.",
            remedy="Let the adapter name the record by a shorter id.",
        )
    return encoded
