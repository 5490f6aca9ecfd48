"""The log and its keys in memory: a real implementation, held to the same contract as the one in Postgres."""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from counterfoil.log import chain, polling
from counterfoil.log.codec import EventCodec
from counterfoil.log.errors import KeyringError
from counterfoil.log.group import (
    DEFAULT_LIMITS,
    LogLimits,
    Verdict,
    appended_from,
    check_append,
    prepared_from,
)
from counterfoil.log.keyring import HASH_SCOPE, KEY_BYTES, PERSON, SealingKey, key_id, person_scope, split_key_id
from counterfoil.log.polling import DEFAULT_PACE, Pace
from counterfoil.log.types import (
    READ_ROWS,
    Append,
    Appended,
    Head,
    Lease,
    PreparedAppend,
    RecordedEvent,
    recorded_from,
)
from counterfoil.ports import Clock, Entropy


class MemoryKeyring:
    """Sealing keys that go with the process."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._keys: dict[tuple[int, str], list[bytes | None]] = defaultdict(list)

    async def sealing_key(self, company: int, scope: str) -> SealingKey | None:
        """See `Keyring.sealing_key`."""
        keys = self._keys.get((company, scope))
        if keys and keys[-1] is None and scope.startswith(PERSON):
            return None
        identity, raw = self._living_or_new(company, scope)
        return SealingKey(identity, AESGCM(raw))

    async def opening_key(self, company: int, identity: str) -> SealingKey | None:
        """See `Keyring.opening_key`."""
        scope, generation = split_key_id(identity)
        keys = self._keys.get((company, scope), [])
        if not 0 < generation <= len(keys):
            raise KeyringError(f"The sealing key {identity} of company {company} is missing, and was not destroyed.")
        raw = keys[generation - 1]
        return None if raw is None else SealingKey(identity, AESGCM(raw))

    async def make_ready(self, company: int, identities: Collection[str]) -> None:
        """See `Keyring.make_ready`: they all are."""

    async def keyed_hash(self, company: int, data: bytes) -> str:
        """See `Keyring.keyed_hash`."""
        _, raw = self._living_or_new(company, HASH_SCOPE)
        return hmac.new(raw, data, hashlib.sha256).hexdigest()

    async def destroy(self, company: int, subject: str) -> int:
        """See `Keyring.destroy`."""
        keys = self._keys[company, person_scope(subject)]
        living = [place for place, raw in enumerate(keys) if raw is not None]
        for place in living:
            keys[place] = None
        if not keys:
            keys.append(None)
        return len(living)

    async def living(self, company: int, subjects: Sequence[str]) -> list[str]:
        """See `Keyring.living`."""
        kept = {one: self._keys.get((company, person_scope(one))) for one in subjects}
        return [one for one, keys in kept.items() if keys and keys[-1] is not None]

    async def destroy_key(self, company: int, identity: str) -> int:
        """See `Keyring.destroy_key`."""
        scope, generation = split_key_id(identity)
        keys = self._keys.get((company, scope), [])
        if not 0 < generation <= len(keys) or keys[generation - 1] is None:
            return 0
        keys[generation - 1] = None
        return 1

    def _living_or_new(self, company: int, scope: str) -> tuple[str, bytes]:
        keys = self._keys[company, scope]
        raw = keys[-1] if keys else None
        if raw is None:
            raw = self._entropy.token_bytes(KEY_BYTES)
            keys.append(raw)
        return key_id(scope, len(keys)), raw


@dataclass(slots=True)
class _Company:
    head: Head
    events: list[RecordedEvent] = field(default_factory=list)
    deliveries: dict[str, int] = field(default_factory=dict)
    lease: Lease | None = None


class MemoryLog:
    """Writer, reader and leases in one; as strict as the log in Postgres, and as forgetful as the process.

    Args:
        codec: encodes and seals.
        clock: for leases and for following.
        limits: those that concern single appends.
        pace: of following.
    """

    def __init__(
        self, codec: EventCodec, *, clock: Clock, limits: LogLimits = DEFAULT_LIMITS, pace: Pace = DEFAULT_PACE
    ) -> None:
        self._codec = codec
        self._clock = clock
        self._limits = limits
        self._pace = pace
        self._companies: dict[int, _Company] = {}

    async def append(self, append: Append) -> Appended:
        """See `LogWriter.append`."""
        return await self.record(await self.prepare(append))

    async def prepare(self, append: Append) -> PreparedAppend:
        """See `PostgresLog.prepare`."""
        check_append(append, self._limits)
        return prepared_from(append, await self._codec.encode_all(append), self._limits)

    async def record(self, prepared: PreparedAppend) -> Appended:
        """See `PostgresLog.record`."""
        # Without an await in between, this is the transaction.
        status, position, _ = self._decide(prepared)
        if status == "appended":
            self._insert(prepared)
        return appended_from(prepared.append, prepared.events, status, position, self._codec)

    def _decide(self, prepared: PreparedAppend) -> Verdict:
        append, company = prepared.append, self._company(prepared.append.company)
        if append.epoch is not None and append.epoch != company.head.epoch:
            return Verdict("fenced", company.head.epoch)
        if append.guard is not None:
            bearing = [
                event.position
                for event in company.events[append.guard.position :]
                if event.record_key in append.guard.record_keys
            ]
            if bearing:
                return Verdict("stale", bearing[-1])
        if prepared.delivery is not None:
            earlier = company.deliveries.get(str(prepared.delivery))
            if earlier is not None:
                return Verdict("duplicate", earlier)
        return Verdict("appended", company.head.position + 1)

    def _insert(self, prepared: PreparedAppend) -> None:
        company = self._company(prepared.append.company)
        head = company.head
        position, link = head.position, head.hash
        if prepared.delivery is not None:
            company.deliveries[str(prepared.delivery)] = position + 1
        for event in prepared.events:
            position += 1
            link = chain.link(link, position, event.digest)
            company.events.append(
                recorded_from(event, head.company, position, prepared.append.epoch, link, self._codec)
            )
        company.head = Head(head.company, position, link, head.epoch)

    def _company(self, company: int) -> _Company:
        if company not in self._companies:
            self._companies[company] = _Company(Head(company, 0, chain.genesis(company), 0))
        return self._companies[company]

    def _events(self, company: int) -> list[RecordedEvent]:
        known = self._companies.get(company)
        return known.events if known else []

    async def read(self, company: int, after: int = 0, limit: int = READ_ROWS) -> list[RecordedEvent]:
        """See `LogReader.read`."""
        return self._events(company)[after : after + limit]

    async def stream(self, company: int, after: int = 0) -> AsyncIterator[RecordedEvent]:
        """See `LogReader.stream`."""
        while page := await self.read(company, after):
            for recorded in page:
                yield recorded
            after = page[-1].position

    def follow(self, company: int, after: int = 0) -> AsyncIterator[RecordedEvent]:
        """See `LogReader.follow`."""
        return polling.follow(self, self._clock, self._pace, company, after)

    def follow_all(self, after: Mapping[int, int] | None = None) -> AsyncIterator[RecordedEvent]:
        """See `LogReader.follow_all`."""
        return polling.follow_all(self, self._clock, self._pace, after or {})

    async def record_timeline(
        self, company: int, record_key: str, after: int = 0, limit: int = READ_ROWS
    ) -> list[RecordedEvent]:
        """See `LogReader.record_timeline`."""
        return [event for event in self._events(company)[after:] if event.record_key == record_key][:limit]

    async def get(self, company: int, position: int) -> RecordedEvent | None:
        """See `LogReader.get`."""
        found = await self.get_many(company, [position])
        return found[0] if found else None

    async def get_many(self, company: int, positions: Sequence[int]) -> list[RecordedEvent]:
        """See `LogReader.get_many`."""
        events = self._events(company)
        return [events[position - 1] for position in sorted({*positions}) if 0 < position <= len(events)]

    async def heads(self, companies: Sequence[int] | None = None) -> dict[int, Head]:
        """See `LogReader.heads`."""
        wanted = self._companies if companies is None else companies
        return {number: self._companies[number].head for number in sorted(wanted) if number in self._companies}

    async def acquire(self, company: int, holder: str, seconds: float) -> Lease | None:
        """See `Leases.acquire`."""
        state, now = self._company(company), self._clock.monotonic()
        running = state.lease
        if running is not None and running.holder != holder and running.deadline > now:
            return None
        head = state.head
        state.head = Head(company, head.position, head.hash, head.epoch + 1)
        state.lease = Lease(company, holder, head.epoch + 1, now + seconds)
        return state.lease

    async def renew(self, lease: Lease, seconds: float) -> Lease | None:
        """See `Leases.renew`."""
        if not self._holds(lease):
            return None
        renewed = Lease(lease.company, lease.holder, lease.epoch, self._clock.monotonic() + seconds)
        self._company(lease.company).lease = renewed
        return renewed

    async def release(self, lease: Lease) -> bool:
        """See `Leases.release`."""
        if not self._holds(lease):
            return False
        self._company(lease.company).lease = None
        return True

    def end_lease(self, company: int) -> None:
        """Let a company's lease run out now, whoever holds it."""
        self._company(company).lease = None

    def _holds(self, lease: Lease) -> bool:
        running = self._company(lease.company).lease
        return running is not None and (running.holder, running.epoch) == (lease.holder, lease.epoch)
