"""What the log holds on a person, found by reading all of it; memory grows with that person's share alone."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from counterfoil.log import EventCodec, LogReader, RecordedEvent
from counterfoil.log.keyring import RAW, person_scope, split_key_id
from counterfoil.privacy.mentions import Mentions, clear_document, hinted, keys_of, says, telling_words
from counterfoil.privacy.people import Person

Progress = Callable[[int, int], None]
PAGE_EVENTS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """A document that stays in the books with its party, as the law on bookkeeping asks, for as long as that says."""

    entity: str
    document_id: str
    number: str | None
    dated: str | None
    total: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands in the log."""

    position: int
    event_type: str
    record_key: str | None


@dataclass(slots=True, kw_only=True)
class Held:
    """What is held on a person.

    Attributes:
        head: up to where the log was read.
        subjects: whose keys open it: the person's own records and documents, and those that name the person.
        events: how many have a part that these keys open.
        records: source records among those events.
        retained: documents that stay in the books.
        payload_keys: of payloads as they came in, some of which are about the person or name them.
        payloads: how many payloads of others these keys open as well.
        clear: where a name, address or number of the person stands in the clear, in words about a deal for example.
        positions: of all events that are about the person.
    """

    head: int
    subjects: tuple[str, ...] = ()
    events: int = 0
    records: set[str] = field(default_factory=set)
    retained: list[Retained] = field(default_factory=list)
    payload_keys: set[str] = field(default_factory=set)
    payloads: int = 0
    clear: list[Place] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)


async def scan(person: Person, *, reader: LogReader, codec: EventCodec, told: Progress) -> Held:
    """Read the whole log twice: for what names the person, then for what is sealed under those names' keys.

    Args:
        told: how many events were read, of how many.

    Raises:
        LogCorruptError: a body cannot be read, or a sealed part not be opened.
    """
    heads = await reader.heads([person.company])
    head = heads[person.company].position if person.company in heads else 0
    held = Held(head=head)
    counted = _Counted(told, 2 * head)
    words = await words_of(person, reader, codec)
    mentions = Mentions(person.records, person.documents)
    subjects = dict.fromkeys(person.subjects)
    retained: dict[str, Retained] = {}
    async for recorded in _until(reader, person.company, head):
        counted.one()
        for subject in mentions.subjects(recorded):
            subjects[subject] = None
            if subject.startswith("quickbooks:"):
                retained[subject] = _retained(subject, recorded)
    held.subjects = tuple(subjects)
    held.retained = [retained[one] for one in sorted(retained) if one not in person.subjects]
    weighing = _Weighing(held, words, codec)
    payloads: dict[str, int] = {}
    async for recorded in _until(reader, person.company, head):
        counted.one()
        await weighing.weigh(recorded, payloads)
    # Those that are about the person, or name them, are counted as theirs.
    held.payloads = sum(payloads.get(one, 0) for one in held.payload_keys)
    counted.end()
    return held


class _Counted:
    def __init__(self, told: Progress, total: int) -> None:
        self._told, self._total, self._done = told, total, 0

    def one(self) -> None:
        self._done += 1
        if self._done % PAGE_EVENTS == 0:
            self._told(self._done, self._total)

    def end(self) -> None:
        self._told(self._total, self._total)


class _Weighing:
    """Puts each event of the second reading where it belongs."""

    def __init__(self, held: Held, words: Collection[str], codec: EventCodec) -> None:
        self._held = held
        self._words = words
        self._codec = codec
        self._subjects = frozenset(held.subjects)
        self._scopes = frozenset(person_scope(one) for one in held.subjects)

    async def weigh(self, recorded: RecordedEvent, payloads: dict[str, int]) -> None:
        held = self._held
        scopes = {identity: split_key_id(identity)[0] for identity in keys_of(recorded)}
        sealed = not self._scopes.isdisjoint(scopes.values())
        about = sealed or recorded.record_key in self._subjects
        about = about or any(one in self._subjects for one in hinted(recorded))
        raw = [identity for identity, scope in scopes.items() if scope.startswith(RAW)]
        if raw and (about or await self._payload_names(recorded, raw)):
            held.payload_keys.update(raw)
            about = True
        else:
            for identity in raw:
                payloads[identity] = payloads.get(identity, 0) + 1
        held.events += sealed
        if about:
            held.positions.append(recorded.position)
            if recorded.record_key is not None and not recorded.record_key.startswith("quickbooks:"):
                held.records.add(recorded.record_key)
        if self._words and says(recorded.body.decode(), self._words):
            held.clear.append(
                Place(position=recorded.position, event_type=recorded.event_type, record_key=recorded.record_key)
            )

    async def _payload_names(self, recorded: RecordedEvent, raw: Sequence[str]) -> bool:
        if not self._words or self._held.payload_keys.issuperset(raw):
            return False
        body = await self._codec.body(recorded)
        return any(says(str(body.get(name) or ""), self._words) for name in ("raw", "problem"))


async def _until(reader: LogReader, company: int, head: int) -> AsyncIterator[RecordedEvent]:
    after = 0
    while after < head:
        page = await reader.read(company, after, min(PAGE_EVENTS, head - after))
        for recorded in page:
            yield recorded
        after = page[-1].position if page else head


async def words_of(person: Person, reader: LogReader, codec: EventCodec) -> set[str]:
    """What tells who the person is, from their own records and documents, as far as it can still be opened."""
    words: set[str] = set()
    for subject in person.subjects:
        after = 0
        while page := await reader.record_timeline(person.company, subject, after, PAGE_EVENTS):
            for recorded in page:
                if keys_of(recorded):
                    words |= telling_words(await codec.body(recorded))
            after = page[-1].position
    return words


def _retained(subject: str, recorded: RecordedEvent) -> Retained:
    fields = clear_document(recorded.light().get("document"))
    _, entity, document_id = subject.split(":", 2)
    number, dated, total = (fields.get(name) for name in ("DocNumber", "TxnDate", "TotalAmt"))
    return Retained(
        entity=entity,
        document_id=document_id,
        number=number if isinstance(number, str) else None,
        dated=dated if isinstance(dated, str) else None,
        total=Decimal(total) if isinstance(total, int | Decimal) else None,
    )
