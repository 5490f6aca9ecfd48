"""What every log must do. An author of one inherits `LogContract`, gives it a log, and has these tests.

class TestMyLog(LogContract):
    @asynccontextmanager
    async def open_log(self) -> AsyncIterator[LogUnderTest]:
        yield LogUnderTest(...)
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Protocol

from counterfoil.log import (
    Append,
    Delivery,
    EventTooLargeError,
    FencedError,
    Guard,
    Keyring,
    Leases,
    LogReader,
    LogWriter,
    NewEvent,
    StaleDecisionError,
    UnfencedDecisionError,
    backfill,
    chain,
)
from counterfoil.log.backfill import PreparingWriter
from counterfoil.testing.checks import equal, gather_all, refused
from counterfoil_schema.events.base import ERASED, Event, EventRegistry, PersonalText, RawText, Shape

FOLLOWED = 300
LOST_AT = 50
PIECE = 10
contract_events = EventRegistry()
"""The event types that the contract appends; the codec of the log under test must know them."""


class Party(Shape):
    """Somebody, inside an event."""

    name: PersonalText
    since: date


@contract_events.register
class Noted(Event):
    """Something was seen."""

    event_type: ClassVar[str] = "contract.noted"
    when: ClassVar[str] = "A test says so."

    number: int
    amount: Decimal = Decimal(0)


@contract_events.register
class Met(Event):
    """Somebody was seen."""

    event_type: ClassVar[str] = "contract.met"
    when: ClassVar[str] = "A test says so."

    person: str
    email: PersonalText
    parties: tuple[Party, ...] = ()
    raw: RawText = ""

    def subject(self) -> str | None:
        return self.person


@contract_events.register
class Decided(Event):
    """Something was decided."""

    event_type: ClassVar[str] = "contract.decided"
    when: ClassVar[str] = "A test says so."
    decision: ClassVar[bool] = True

    number: int


class FullWriter(LogWriter, PreparingWriter, Protocol):
    """A writer that appends, and also encodes apart from recording."""


@dataclass(frozen=True, slots=True)
class LogUnderTest:
    """One log, empty, through all its ports. Its codec knows `contract_events`."""

    writer: FullWriter
    reader: LogReader
    leases: Leases
    keyring: Keyring


def noted(number: int, record_key: str | None = None, delivery: Delivery | None = None) -> NewEvent:
    """A receipt."""
    return NewEvent(Noted(number=number), record_key=record_key, delivery=delivery)


def decided(number: int, record_key: str | None = None) -> NewEvent:
    """A decision."""
    return NewEvent(Decided(number=number), record_key=record_key)


async def numbers(log: LogUnderTest, company: int) -> list[int]:
    """The numbers of a company's events, in order of position."""
    return [event.light()["number"] async for event in log.reader.stream(company)]


class LogContract(ABC):
    """The tests. Each opens a fresh log."""

    @abstractmethod
    def open_log(self) -> AbstractAsyncContextManager[LogUnderTest]:
        """An empty log for the length of a block."""

    async def test_positions_start_at_one_and_follow_each_other_per_company(self) -> None:
        async with self.open_log() as log:
            first = await log.writer.append(Append(7, [noted(1), noted(2)]))
            other = await log.writer.append(Append(8, [noted(1)]))
            second = await log.writer.append(Append(7, [noted(3)]))
            equal((1, 2), (first.first_position, first.last_position))
            equal((1, 1), (other.first_position, other.last_position))
            equal((3, 3), (second.first_position, second.last_position))
            equal([1, 2, 3], [event.position for event in await log.reader.read(7)])

    async def test_what_is_read_is_what_was_appended(self) -> None:
        async with self.open_log() as log:
            lease = await log.leases.acquire(3, "me", 60)
            epoch = 0 if lease is None else lease.epoch
            await log.writer.append(Append(3, [noted(1)]))
            new = NewEvent(
                Noted(number=5, amount=Decimal("12345678901234567.89")),
                record_key="crm:deal:ü'✓",
                cause=1,
                trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                delivery=Delivery("crm", "id:with:colons"),
            )
            appended = await log.writer.append(Append(3, [new], epoch=epoch))
            event = await log.reader.get(3, 2)
            if event is None:
                raise AssertionError("nothing at position 2")
            equal(new.event, await event.event())
            equal("12345678901234567.89", event.light()["amount"])
            equal((3, 2, "contract.noted", 1), event[:2] + event[3:5])
            equal(
                ("crm:deal:ü'✓", 1, new.trace, epoch, "crm:id:with:colons"),
                (event.record_key, event.cause, event.trace, event.epoch, event.delivery),
            )
            equal([event._replace(link=None)], [*appended.events])

    async def test_links_chain_from_genesis_to_the_head(self) -> None:
        async with self.open_log() as log:
            for number in range(3):
                await log.writer.append(Append(5, [noted(number, "a:b:c"), noted(number)]))
            link = chain.genesis(5)
            for event in await log.reader.read(5):
                link = chain.link(link, event.position, chain.digest_of(event))
                equal(link, event.link, f"link at {event.position}")
            head = (await log.reader.heads([5]))[5]
            equal((6, link), (head.position, head.hash))

    async def test_a_repeated_delivery_is_recorded_once(self) -> None:
        async with self.open_log() as log:
            delivery = Delivery("crm", "d1")
            await log.writer.append(Append(1, [noted(0)]))
            first = await log.writer.append(Append(1, [noted(1, delivery=delivery), noted(2)]))
            again = await log.writer.append(Append(1, [noted(3, delivery=delivery)]))
            elsewhere = await log.writer.append(Append(2, [noted(4, delivery=delivery)]))
            other_source = await log.writer.append(Append(1, [noted(5, delivery=Delivery("hr", "d1"))]))
            equal((False, True, False, False), tuple(x.duplicate for x in (first, again, elsewhere, other_source)))
            equal((2, 2, ()), (again.first_position, again.last_position, again.events))
            equal([0, 1, 2, 5], await numbers(log, 1))

    async def test_one_delivery_at_the_same_moment_is_recorded_once(self) -> None:
        async with self.open_log() as log:
            delivery = Delivery("crm", "d1")
            results = await gather_all(
                log.writer.append(Append(1, [noted(number, delivery=delivery)])) for number in range(20)
            )
            equal(19, sum(result.duplicate for result in results))
            equal({1}, {result.first_position for result in results})
            equal(1, len(await log.reader.read(1)))

    async def test_several_deliveries_in_one_append_are_refused(self) -> None:
        async with self.open_log() as log:
            events = [noted(1, delivery=Delivery("crm", "a")), noted(2, delivery=Delivery("crm", "b"))]
            await refused(ValueError, log.writer.append(Append(1, events)))
            equal([], await log.reader.read(1))

    async def test_a_decision_without_a_lease_is_refused(self) -> None:
        async with self.open_log() as log:
            await refused(UnfencedDecisionError, log.writer.append(Append(1, [noted(1), decided(2)])))
            equal([], await log.reader.read(1))

    async def test_only_the_present_epoch_may_decide(self) -> None:
        async with self.open_log() as log:
            old = await log.leases.acquire(1, "first", 0.0)
            new = await log.leases.acquire(1, "second", 60)
            if old is None or new is None:
                raise AssertionError("both leases were free when they were asked for")
            error = await refused(FencedError, log.writer.append(Append(1, [decided(1)], epoch=old.epoch)))
            equal((1, old.epoch, new.epoch), (error.company, error.brought, error.present))
            await refused(FencedError, log.writer.append(Append(1, [noted(2)], epoch=new.epoch + 1)))
            await log.writer.append(Append(1, [decided(3)], epoch=new.epoch))
            equal([3], await numbers(log, 1))

    async def test_anybody_may_record_receipts_whoever_holds_the_lease(self) -> None:
        async with self.open_log() as log:
            await log.leases.acquire(1, "somebody", 60)
            await log.writer.append(Append(1, [noted(1)]))
            equal([1], await numbers(log, 1))

    async def test_a_lease_has_one_holder_and_rising_epochs(self) -> None:
        async with self.open_log() as log:
            first = await log.leases.acquire(1, "first", 60)
            if first is None:
                raise AssertionError("a new company has no holder")
            equal(None, await log.leases.acquire(1, "second", 60))
            renewed = await log.leases.renew(first, 60)
            equal(first.epoch, None if renewed is None else renewed.epoch)
            equal(True, await log.leases.release(first))
            equal(None, await log.leases.renew(first, 60))
            equal(False, await log.leases.release(first))
            second = await log.leases.acquire(1, "second", 60)
            if second is None:
                raise AssertionError("the lease was given back")
            equal(True, second.epoch > first.epoch)
            restarted = await log.leases.acquire(1, "second", 60)
            equal(second.epoch + 1, None if restarted is None else restarted.epoch)
            equal(None, await log.leases.renew(second, 60))

    async def test_a_decision_on_old_state_is_refused(self) -> None:
        async with self.open_log() as log:
            lease = await log.leases.acquire(1, "me", 60)
            epoch = 0 if lease is None else lease.epoch
            await log.writer.append(Append(1, [noted(1, "a:b:1"), noted(2, "a:b:2"), noted(3, "a:b:1")]))
            stale = Append(1, [decided(4, "a:b:1")], epoch=epoch, guard=Guard(("a:b:9", "a:b:1"), 2))
            error = await refused(StaleDecisionError, log.writer.append(stale))
            equal((1, 2, 3), (error.company, error.known, error.newest))
            await log.writer.append(Append(1, [decided(5, "a:b:2")], epoch=epoch, guard=Guard(("a:b:2",), 2)))
            await log.writer.append(Append(1, [decided(6, "a:b:1")], epoch=epoch, guard=Guard(("a:b:1",), 3)))
            equal([1, 2, 3, 5, 6], await numbers(log, 1))

    async def test_of_two_decisions_on_one_state_one_wins(self) -> None:
        async with self.open_log() as log:
            lease = await log.leases.acquire(1, "me", 60)
            epoch = 0 if lease is None else lease.epoch
            results = await asyncio.gather(
                *(
                    log.writer.append(Append(1, [decided(number, "a:b:1")], epoch=epoch, guard=Guard(("a:b:1",), 0)))
                    for number in range(10)
                ),
                return_exceptions=True,
            )
            equal(9, sum(isinstance(result, StaleDecisionError) for result in results))
            equal(1, len(await log.reader.read(1)))

    async def test_a_refused_append_harms_no_other(self) -> None:
        async with self.open_log() as log:
            lease = await log.leases.acquire(2, "me", 60)
            epoch = 0 if lease is None else lease.epoch
            appends = [
                Append(1, [noted(0)]),
                Append(2, [decided(1)], epoch=epoch + 5),
                Append(2, [noted(2), noted(3)]),
                Append(2, [decided(4)], epoch=epoch),
                Append(3, [noted(5), noted(6)]),
            ]
            results = await asyncio.gather(*map(log.writer.append, appends), return_exceptions=True)
            equal(
                [False, True, False, False, False],
                [isinstance(result, BaseException) for result in results],
            )
            equal(([0], [2, 3, 4], [5, 6]), tuple([await numbers(log, company) for company in (1, 2, 3)]))

    async def test_many_at_once_keep_each_append_together(self) -> None:
        async with self.open_log() as log:
            appended = await gather_all(
                log.writer.append(Append(number % 5, [noted(number)] * (number % 4 + 1))) for number in range(200)
            )
            for company in range(5):
                events = await log.reader.read(company)
                equal([*range(1, len(events) + 1)], [event.position for event in events])
            for number, result in enumerate(appended):
                positions = range(result.first_position, result.last_position + 1)
                found = await log.reader.get_many(number % 5, positions)
                equal([number] * (number % 4 + 1), [event.light()["number"] for event in found])

    async def test_what_cannot_be_recorded_is_refused_whole(self) -> None:
        async with self.open_log() as log:
            await refused(ValueError, log.writer.append(Append(1, [])))
            await refused(ValueError, log.writer.append(Append(-1, [noted(1)])))
            await refused(ValueError, log.writer.append(Append(1, [noted(1), noted(2, "nul:\0:1")])))
            await refused(EventTooLargeError, log.writer.append(Append(1, [noted(1), noted(2, "k" * 5000)])))
            await refused(EventTooLargeError, log.writer.append(Append(1, [noted(1)] * 10_000)))
            equal([], await log.reader.read(1))

    async def test_reading_by_pages_timelines_and_positions(self) -> None:
        async with self.open_log() as log:
            await log.writer.append(Append(1, [noted(n, f"a:b:{n % 3}") for n in range(1, 2001)]))
            await log.writer.append(Append(1, [noted(n, f"a:b:{n % 3}") for n in range(2001, 2501)]))
            equal([3, 4], [event.position for event in await log.reader.read(1, after=2, limit=2)])
            equal([*range(11, 2501)], [event.position async for event in log.reader.stream(1, after=10)])
            timeline = await log.reader.record_timeline(1, "a:b:2", after=5, limit=3)
            equal([8, 11, 14], [event.position for event in timeline])
            equal([2, 2500], [event.position for event in await log.reader.get_many(1, [2500, 2, 9999, 2])])
            equal(None, await log.reader.get(1, 2501))
            equal(([], {}), (await log.reader.read(9), await log.reader.heads([9])))

    async def test_following_sees_everything_in_order(self) -> None:
        async with self.open_log() as log:

            async def follow() -> list[int]:
                seen = []
                async for event in log.reader.follow(1, after=1):
                    seen.append(event.position)
                    if len(seen) == FOLLOWED:
                        break
                return seen

            async def follow_all() -> set[tuple[int, int]]:
                seen: dict[int, int] = {2: 10}
                async for event in log.reader.follow_all(seen):
                    equal(seen.get(event.company, 0) + 1, event.position)
                    seen[event.company] = event.position
                    if seen == {1: FOLLOWED + 1, 2: FOLLOWED + 1}:
                        break
                return {*seen.items()}

            async with asyncio.TaskGroup() as tasks:
                one = tasks.create_task(follow())
                both = tasks.create_task(follow_all())
                for number in range(FOLLOWED + 1):
                    await log.writer.append(Append(1, [noted(number)]))
                    await log.writer.append(Append(2, [noted(number)]))
            equal([*range(2, FOLLOWED + 2)], one.result())
            equal({(1, FOLLOWED + 1), (2, FOLLOWED + 1)}, both.result())

    async def test_sealed_fields_are_nowhere_in_the_clear_and_come_back(self) -> None:
        async with self.open_log() as log:
            met = Met(
                person="crm:contact:1",
                email="ada@example.org",
                parties=(
                    Party(name="Ada Lovelace", since=date(1835, 7, 8)),
                    Party(name="Bo Peep", since=date(2020, 1, 1)),
                ),
                raw='{"secret":"Ada"}',
            )
            await log.writer.append(Append(1, [NewEvent(met, record_key="crm:contact:1")]))
            event = (await log.reader.read(1))[0]
            # None of these can come up by chance in base64.
            for text in (b"ada@", b"Ada Lovelace", b"Bo Peep", b'secret"'):
                equal(False, text in event.body, f"{text!r} in the body")
            equal(
                {"person": "crm:contact:1", "parties": [{"since": "1835-07-08"}, {"since": "2020-01-01"}]},
                event.light(),
            )
            equal(met, await event.event())

    async def test_destroying_a_key_erases_the_person_and_nobody_else(self) -> None:
        async with self.open_log() as log:
            ada = Met(person="crm:contact:1", email="ada@example.org", raw="raw")
            bob = Met(person="crm:contact:2", email="bob@example.org")
            await log.writer.append(Append(1, [NewEvent(ada), NewEvent(bob)]))
            equal(1, await log.keyring.destroy(1, "crm:contact:1"))
            equal(0, await log.keyring.destroy(1, "crm:contact:1"))
            equal(0, await log.keyring.destroy(2, "crm:contact:2"))
            later = Met(person="crm:contact:1", email="ada@new.example.org")
            await log.writer.append(Append(1, [NewEvent(later)]))
            gone = Met(person="crm:contact:1", email=ERASED)
            recorded = await log.reader.read(1)
            equal(
                [Met(person="crm:contact:1", email=ERASED, raw="raw"), bob, gone], [await e.event() for e in recorded]
            )
            equal(False, b'"person/crm:contact:1/' in recorded[-1].body, "a new key for somebody who was erased")

    async def test_somebody_of_whom_nothing_was_known_stays_unknown_once_erased(self) -> None:
        async with self.open_log() as log:
            equal(0, await log.keyring.destroy(1, "crm:contact:9"))
            await log.writer.append(Append(1, [NewEvent(Met(person="crm:contact:9", email="cy@example.org"))]))
            [event] = await log.reader.read(1)
            equal(Met(person="crm:contact:9", email=ERASED), await event.event())

    async def test_a_key_of_payloads_is_destroyed_by_itself_and_followed_by_another(self) -> None:
        async with self.open_log() as log:
            first, second = (Met(person=f"crm:contact:{n}", email="a@example.org", raw="raw") for n in (1, 2))
            await log.writer.append(Append(1, [NewEvent(first)]))
            [event] = await log.reader.read(1)
            identity = f"raw/{event.recorded_at:%Y-%m}/1"
            equal(1, await log.keyring.destroy_key(1, identity))
            equal(0, await log.keyring.destroy_key(1, identity))
            await log.writer.append(Append(1, [NewEvent(second)]))
            read = [await event.event() for event in await log.reader.read(1)]
            equal([Met(person="crm:contact:1", email="a@example.org", raw=ERASED), second], read)

    async def test_keyed_hashes_agree_within_a_company_only(self) -> None:
        async with self.open_log() as log:
            first = await log.keyring.keyed_hash(1, b"ada@example.org")
            equal(first, await log.keyring.keyed_hash(1, b"ada@example.org"))
            equal(64, len(first))
            equal(
                3,
                len({first, await log.keyring.keyed_hash(2, b"ada@example.org"), await log.keyring.keyed_hash(1, b"")}),
            )

    async def test_a_backfill_appends_piece_by_piece(self) -> None:
        async with self.open_log() as log:
            told: list[int] = []
            report = await backfill(
                log.writer, 4, (noted(number) for number in range(25)), rows_max=10, progress=told.append
            )
            equal((4, 25, 1, 25), (report.company, report.events, report.first_position, report.last_position))
            equal([10, 20, 25], told)
            equal([*range(25)], await numbers(log, 4))
            empty = await backfill(log.writer, 4, [])
            equal((0, 0, 0), (empty.events, empty.first_position, empty.last_position))

    async def test_a_backfill_stops_when_its_lease_is_lost(self) -> None:
        async with self.open_log() as log:
            lease = await log.leases.acquire(4, "me", 60)
            epoch = 0 if lease is None else lease.epoch

            async def events() -> AsyncIterator[NewEvent]:
                for number in range(100):
                    if number == LOST_AT:
                        await log.leases.acquire(4, "me", 60)
                    yield decided(number)

            await refused(FencedError, backfill(log.writer, 4, events(), epoch=epoch, rows_max=PIECE))
            found = await numbers(log, 4)
            equal([*range(len(found))], found)
            equal(True, LOST_AT - 2 * PIECE <= len(found) <= LOST_AT)
