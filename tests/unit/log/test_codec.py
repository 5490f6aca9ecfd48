"""Bodies: what is sealed, under which key, bound to what; old versions; what cannot be read."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import orjson
import pytest
from pydantic import SecretStr

from counterfoil.log import (
    Append,
    EventCodec,
    EventTooLargeError,
    KeyringError,
    LogCorruptError,
    MasterKey,
    NewEvent,
    RecordedEvent,
    UnsealableEventError,
)
from counterfoil.log.keyring import KeyCache, SealingKey, split_key_id
from counterfoil.log.types import recorded_from
from counterfoil.testing.memory_log import MemoryKeyring
from counterfoil_schema.events.base import (
    ERASED,
    Event,
    EventRegistry,
    PersonalText,
    PersonalTextOrNone,
    RawText,
    Seal,
    Shape,
    UnknownEventError,
)
from support.seeded import SeededEntropy

events = EventRegistry()
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


class StandingClock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Address(Shape):
    city: str


class Contact(Shape):
    """Names its own person."""

    key: str
    name: PersonalText

    def subject(self) -> str:
        return self.key


class Line(Shape):
    amount: Decimal
    memo: PersonalTextOrNone = None


@events.register
class Everything(Event):
    event_type: ClassVar[str] = "unit.everything"
    event_version: ClassVar[int] = 2
    when: ClassVar[str] = "A test says so."

    owner: str | None
    name: PersonalText
    nickname: PersonalTextOrNone = None
    address: Annotated[Address | None, Seal.PERSON] = None
    tags: tuple[PersonalText, ...] = ()
    lines: tuple[Line, ...] = ()
    contacts: Mapping[str, Contact] = {}
    born: Annotated[date | None, Seal.PERSON] = None
    raw: RawText = ""
    total: Decimal

    def subject(self) -> str | None:
        return self.owner


@events.upcaster("unit.everything", 1)
def lift(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**{name: value for name, value in body.items() if name != "sum"}, "total": body["sum"]}


WHOLE = Everything(
    owner="crm:contact:1",
    name="Ada Lovelace",
    address=Address(city="London"),
    tags=("poet", "mathematician"),
    lines=(Line(amount=Decimal("0.10"), memo="for Ada"), Line(amount=Decimal("12345678901234567890.1234"))),
    contacts={"first": Contact(key="crm:contact:2", name="Charles")},
    born=date(1815, 12, 10),
    raw='{"n":"Ada"}',
    total=Decimal("1E+3"),
)


@pytest.fixture
def keyring() -> MemoryKeyring:
    return MemoryKeyring(SeededEntropy(1))


@pytest.fixture
def codec(keyring: MemoryKeyring) -> EventCodec:
    return EventCodec(keyring, clock=StandingClock(), entropy=SeededEntropy(2), events=events, body_bytes_max=20_000)


async def recorded(codec: EventCodec, event: Event, company: int = 1) -> RecordedEvent:
    encoded = await codec.encode_all(Append(company, [NewEvent(event)]))
    return recorded_from(encoded[0], company, 1, None, None, codec)


async def everything(event: RecordedEvent) -> Everything:
    read = await event.event()
    assert isinstance(read, Everything)
    return read


async def test_clear_fields_stay_and_sealed_ones_go(codec: EventCodec) -> None:
    event = await recorded(codec, WHOLE)
    assert event.light() == {
        "owner": "crm:contact:1",
        "nickname": None,
        "lines": [{"amount": "0.10"}, {"amount": "12345678901234567890.1234", "memo": None}],
        "contacts": {"first": {"key": "crm:contact:2"}},
        "total": "1E+3",
    }
    for text in (b"Ada", b"London", b"poet", b"Charles", b"1815"):
        assert text not in event.body
    assert await event.event() == WHOLE


async def test_each_part_is_under_its_own_key(codec: EventCodec) -> None:
    segments = orjson.loads((await recorded(codec, WHOLE)).body)["$sealed"]
    assert {segment["key"]: (segment["text"], segment["other"]) for segment in segments} == {
        "person/crm:contact:1/1": ([["name"], ["lines", 0, "memo"]], [["address"], ["tags"], ["born"]]),
        "person/crm:contact:2/1": ([["contacts", "first", "name"]], []),
        "raw/2026-11/1": ([["raw"]], []),
    }


async def test_what_is_erased_is_marked_and_the_rest_remains(codec: EventCodec, keyring: MemoryKeyring) -> None:
    event = await recorded(codec, WHOLE.model_copy(update={"tags": ()}))
    await keyring.destroy(1, "crm:contact:2")
    assert {"first": Contact(key="crm:contact:2", name=ERASED)} == (await everything(event)).contacts
    await keyring.destroy(1, "crm:contact:1")
    body = await codec.body(event)
    assert (body["name"], body["address"], body["born"], body["raw"]) == (ERASED, None, None, '{"n":"Ada"}')
    assert body["lines"][0]["memo"] == ERASED


async def test_personal_data_of_nobody_is_refused(codec: EventCodec) -> None:
    with pytest.raises(UnsealableEventError, match=r"unit\.everything holds personal data at name"):
        await recorded(codec, WHOLE.model_copy(update={"owner": None}))


async def test_a_segment_opens_only_where_it_was_sealed(codec: EventCodec, keyring: MemoryKeyring) -> None:
    event, other = await recorded(codec, WHOLE), await recorded(codec, WHOLE)
    with pytest.raises(LogCorruptError):
        await event._replace(event_id=other.event_id).event()
    body = orjson.loads(event.body)
    first = body["$sealed"][0]
    first["text"] = first["text"][::-1]
    with pytest.raises(LogCorruptError):
        await event._replace(body=orjson.dumps(body)).event()
    await keyring.sealing_key(2, "person/crm:contact:1")
    await keyring.sealing_key(2, "person/crm:contact:2")
    await keyring.sealing_key(2, "raw/2026-11")
    with pytest.raises(LogCorruptError):
        await event._replace(company=2).event()


async def test_a_key_that_was_never_there_is_missed(codec: EventCodec) -> None:
    event = await recorded(codec, WHOLE)
    with pytest.raises(KeyringError, match="missing, and was not destroyed"):
        await event._replace(company=3).event()


async def test_an_old_version_is_lifted_when_it_is_read(codec: EventCodec) -> None:
    event = await recorded(codec, WHOLE.model_copy(update={"total": Decimal("7.00")}))
    old = event.body.replace(b'"total":', b'"sum":')
    assert old != event.body
    assert Decimal("7.00") == (await everything(event._replace(event_version=1, body=old))).total


async def test_what_this_release_does_not_know_is_said(codec: EventCodec) -> None:
    event = await recorded(codec, WHOLE)
    with pytest.raises(UnknownEventError, match="newer"):
        await event._replace(event_version=3).event()
    with pytest.raises(UnknownEventError, match=r"unit\.other"):
        await event._replace(event_type="unit.other").event()
    for body in (b"[]", b"{", b'{"owner":5}'):
        with pytest.raises(LogCorruptError, match="1:1"):
            await event._replace(body=body).event()


async def test_a_body_over_the_limit_is_refused_by_name(codec: EventCodec) -> None:
    event = WHOLE.model_copy(update={"raw": "x" * 30_000})
    with pytest.raises(
        EventTooLargeError, match=r"unit\.everything about crm:deal:9 of company 4 has 4\d,\d\d\d bytes"
    ):
        await codec.encode_all(Append(4, [NewEvent(event, record_key="crm:deal:9")]))


async def test_ids_are_of_version_4_and_differ(codec: EventCodec) -> None:
    encoded = await codec.encode_all(Append(1, [NewEvent(WHOLE)] * 50))
    assert len({event.event_id for event in encoded}) == 50
    assert {(4, "specified in RFC 4122")} == {(event.event_id.version, event.event_id.variant) for event in encoded}


MASTER = SecretStr("dGhlIG1hc3RlciBrZXkgb2YgYWxsIHRoZSB0ZXN0cyE=")


def test_a_master_key_wraps_for_one_company_and_one_id() -> None:
    master = MasterKey(MASTER, SeededEntropy())
    wrapped = master.wrap(1, "hash/1", b"k" * 32)
    assert master.unwrap(1, "hash/1", wrapped, master.fingerprint) == b"k" * 32
    for company, identity in ((2, "hash/1"), (1, "hash/2")):
        with pytest.raises(KeyringError, match="damaged"):
            master.unwrap(company, identity, wrapped, master.fingerprint)
    with pytest.raises(KeyringError, match="another master key"):
        master.unwrap(1, "hash/1", wrapped, "0" * 16)


@pytest.mark.parametrize("secret", ["", "short", "!" * 44, "A" * 60])
def test_a_master_key_that_is_none_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(KeyringError) as caught:
        MasterKey(SecretStr(secret), SeededEntropy())
    assert not secret or secret not in str(caught.value)


def test_a_master_key_does_not_show_itself() -> None:
    assert "dGhl" not in repr(MasterKey(MASTER, SeededEntropy()))


async def test_keys_are_kept_for_a_while_and_not_without_bound(keyring: MemoryKeyring) -> None:
    clock = StandingClock()
    cache = KeyCache(clock, keys_max=2, seconds_max=60)
    made = [await keyring.sealing_key(1, f"person/{number}") for number in range(3)]
    keys: list[SealingKey] = [key for key in made if key is not None]
    cache.put(1, "a", keys[0])
    cache.put(1, "b", keys[1])
    assert keys[0] == cache.get(1, "a")
    cache.put(1, "c", keys[2])
    assert (keys[0], None, keys[2]) == (cache.get(1, "a"), cache.get(1, "b"), cache.get(1, "c"))
    assert cache.get(2, "a") is None
    clock.seconds = 61
    assert cache.get(1, "a") is None


def test_an_id_of_a_key_has_scope_and_generation() -> None:
    assert split_key_id("person/crm:contact:1/x/12") == ("person/crm:contact:1/x", 12)
    for wrong in ("", "person", "person/", "person/x", "/3"):
        with pytest.raises(KeyringError):
            split_key_id(wrong)


async def test_a_light_body_is_a_mapping_of_what_is_clear(codec: EventCodec) -> None:
    light = (await recorded(codec, WHOLE)).light()
    assert list(light) == ["owner", "nickname", "lines", "contacts", "total"]
    assert len(light) == 5
    assert "$sealed" not in light
    with pytest.raises(KeyError):
        light["$sealed"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":}', b'{"a":1}x', b"null", b'{"a":[1}'])
async def test_a_damaged_body_is_seen_at_once(codec: EventCodec, body: bytes) -> None:
    damaged = (await recorded(codec, WHOLE))._replace(body=body)
    with pytest.raises(LogCorruptError):
        damaged.light()
