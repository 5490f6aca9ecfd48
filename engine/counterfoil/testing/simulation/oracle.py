"""Judges a run by what can be seen from outside: the books' journal, the desk, and the log.

It knows nothing of how the engine plans, sends, settles or folds; what the books must hold is worked out here from
what lies on the desk.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from counterfoil.log import chain
from counterfoil.testing.simulation.evidence import Call, Evidence, Item, OrderTruth
from counterfoil_schema.exact_json import JsonObject

OBSERVED: Final = frozenset({"source.observed", "source.removed", "source.unreadable", "books.observed"})
OUTCOMES: Final = frozenset({"applied", "unchanged", "skipped", "parked", "waiting"})
DECISIONS: Final = ("intent.", "change.", "call.")
CAUSED: Final = ("intent.", "change.")
SPAN: Final = timedelta(minutes=1)
MINUTE_MAX, SECOND_MAX, BATCHES_MAX = 500, 10, 40
EDGE: Final = timedelta(microseconds=10)
FINDINGS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that did not hold."""

    promise: str
    what: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.what}"


def judge(seen: Evidence) -> list[Broken]:
    """Everything that is not as promised; empty if all is."""
    found: list[Broken] = []
    for promise, check in _CHECKS.items():
        found.extend(Broken(promise, what) for what, _ in zip(check(seen), range(FINDINGS_MAX), strict=False))
    return found


def _ours(seen: Evidence) -> Iterator[JsonObject]:
    """Effects of the engine's own writes, without what followed from them."""
    for effect in seen.effects:
        if effect["app"] == "api" and effect["caused_by"] is None:
            yield effect


def _items(seen: Evidence) -> Mapping[tuple[str, str], list[tuple[Call, Item]]]:
    """What the log says of each request id, single or in a batch."""
    found: dict[tuple[str, str], list[tuple[Call, Item]]] = defaultdict(list)
    for call in seen.calls:
        for item in call.items:
            batched = item.batch_id or "" if len(call.items) > 1 or item.batch_id else ""
            found[call.request_id, batched].append((call, item))
    return found


def _recorded_first(seen: Evidence) -> Iterator[str]:
    """1. Nothing is sent before its event is durable; what is acknowledged is recorded."""
    items = _items(seen)
    for effect in _ours(seen):
        place = str(effect["request_id"]), str(effect["b_id"] or "")
        before = [call for call, _ in items.get(place, ()) if call.at.isoformat() <= str(effect["time"])]
        if not before:
            yield f"effect {effect['sequence']} ({effect['entity']} {effect['operation']}) has no call before it"
    recorded: dict[str, datetime] = {}
    for call in seen.tellings:
        recorded.setdefault(call.request_id, call.at)
    for at, request_id in seen.told:
        if request_id not in recorded or recorded[request_id] > at:
            yield f"the desk was told something under {request_id}, which no call before it bears"
    for body in seen.acknowledged:
        if body not in seen.received:
            yield f"a delivery was acknowledged and is not in the log: {body[:100]!r}"


def _one_effect(seen: Evidence) -> Iterator[str]:
    """2. Each record once: none lost, none doubled, and no more updates than there were states."""
    creates: Counter[tuple[str, str]] = Counter()
    updates: Counter[tuple[str, str]] = Counter()
    for effect in _ours(seen):
        entity = str(effect["entity"])
        key = str(effect["doc_number"]) if entity == "Invoice" else str(effect["name"]).split(" ")[-1].split("/")[0]
        (creates if effect["operation"] == "create" else updates)[entity, key] += 1
    wanted = {
        **{("Customer", one): len(names) for one, names in seen.customers.items()},
        **{("Item", one): len(names) for one, names in seen.products.items()},
        **{("Invoice", one): order.states for one, order in seen.orders.items()},
    }
    for place, states in wanted.items():
        if creates[place] != 1:
            yield f"{' '.join(place)} was created {creates[place]} times"
        if updates[place] > states - 1:
            yield f"{' '.join(place)} was updated {updates[place]} times for {states} states"
    for place in creates.keys() - wanted.keys():
        yield f"{' '.join(place)} was created, and is on no desk"


def _same_id(seen: Evidence) -> Iterator[str]:
    """2. The same body goes out under the same id, until it is refused; and no id bears two bodies."""
    bodies: dict[str, list[bytes]] = {}
    last: dict[str, tuple[Call, bytes]] = {}
    for call in seen.calls:
        sent = [item.body for item in call.items]
        if bodies.setdefault(call.request_id, sent) != sent:
            yield f"{call.request_id} was sent with two bodies"
        for item in call.items if len(call.items) == 1 else ():
            before = last.get(item.intent_id)
            if before is not None and before[1] == item.body and before[0].request_id != call.request_id:
                between = (seen.refused.get(place) for place in range(before[0].position, call.position))
                if item.intent_id not in between:
                    yield f"{item.record_key} was sent again under another id, at {call.position}"
            last[item.intent_id] = call, item.body


def _absent_in_time(seen: Evidence) -> Iterator[str]:
    """2. Absence counts once the books' time for a call is over, whatever a machine's clock shows."""
    for absence in seen.absences:
        sent = [call.at for call in seen.calls if call.request_id == absence.request_id and call.at < absence.at]
        if sent and (passed := (absence.at - sent[-1]).total_seconds()) < seen.server_seconds:
            yield f"{absence.intent_id} was called absent {passed:.0f} s after its call {absence.request_id}"


def _nothing_lost(seen: Evidence) -> Iterator[str]:
    """2. At rest the books hold what the desk shows, and the desk was told what the books show."""
    by_id = {str(one["Id"]): str(one.get("DisplayName", "")) for one in seen.books["Customer"]}
    names = {str(one["Id"]): str(one["Name"]) for one in seen.books["Item"]}
    for kind, truth, held in (("customer", seen.customers, by_id), ("product", seen.products, names)):
        for source_id, spelled in truth.items():
            if spelled[-1] not in held.values():
                yield f"{kind} {source_id} is not called {spelled[-1]} in the books"
    invoices = {str(one.get("DocNumber")): one for one in seen.books["Invoice"]}
    for number, order in seen.orders.items():
        invoice = invoices.get(number)
        if invoice is None:
            continue
        customer = by_id.get(str(invoice["CustomerRef"]["value"]))
        if customer != order.customer:
            yield f"invoice {number} is {customer}'s, not {order.customer}'s"
        if (lines := _lines(invoice, names)) != (wanted := _wanted(order)):
            yield f"invoice {number} has the lines {lines}, not {wanted}"
        told = {name: str(seen.shown.get(number, {}).get(name)) for name in ("number", "state", "paid", "open")}
        if told != (must := _must_be_told(number, order)):
            yield f"the desk shows {told} of order {number}, not {must}"


def _lines(invoice: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, Decimal, Decimal]]:
    found = []
    for line in invoice["Line"]:
        detail = line.get("SalesItemLineDetail")
        if detail is not None:
            name = names.get(str(detail["ItemRef"]["value"]), "?")
            found.append((name, Decimal(str(detail["Qty"])), Decimal(str(detail["UnitPrice"]))))
    return sorted(found)


def _wanted(order: OrderTruth) -> list[tuple[str, Decimal, Decimal]]:
    return sorted(order.lines)


def _must_be_told(number: str, order: OrderTruth) -> dict[str, str]:
    left = order.total - order.paid
    state = "open" if not order.paid else "partial" if left else "paid"
    return {"number": number, "state": state, "paid": f"{order.paid:.2f}", "open": f"{left:.2f}"}


def _no_silence(seen: Evidence) -> Iterator[str]:
    """3. Every observed change has exactly one of five outcomes, and at rest none waits."""
    observed = [event.position for event in seen.events if event.event_type in OBSERVED]
    if observed != sorted(position for position, _, _ in seen.changes):
        yield f"{len(observed)} changes were observed, and {len(seen.changes)} are accounted for"
    for position, state, code in seen.changes:
        if state not in OUTCOMES or state in {"waiting", "parked"}:
            yield f"the change at {position} is {state} ({code})"
    for moment in seen.moments:
        for position in sorted(moment.open):
            if moment.states.get(position) not in {"waiting", "parked"}:
                yield f"the change at {position} passed for {moment.states.get(position)} before its intents had ended"


def _derived(seen: Evidence) -> Iterator[str]:
    """4. Folding the log afresh gives the tables, row for row."""
    for key in sorted(seen.kept_rows.keys() | seen.folded_rows.keys(), key=str):
        if seen.kept_rows.get(key) != seen.folded_rows.get(key):
            yield f"{key} is {seen.kept_rows.get(key)}, and folded afresh {seen.folded_rows.get(key)}"


def _ordered(seen: Evidence) -> Iterator[str]:
    """5. Positions have no gap, links hold, and who lost the lease has decided nothing since."""
    link, epoch = chain.genesis(seen.company), 0
    for number, event in enumerate(seen.events, 1):
        if event.position != number:
            yield f"position {event.position} stands in the place of {number}"
        # Linked here, not by the function that linked the log.
        link = sha256(link + event.position.to_bytes(8) + chain.digest_of(event)).digest()
        if event.link != link:
            yield f"the link at {number} does not hold"
        if event.epoch is not None and event.epoch < epoch:
            yield f"{event.event_type} at {number} was decided in epoch {event.epoch}, after epoch {epoch} had begun"
        if event.epoch is None and event.event_type.startswith(DECISIONS):
            yield f"{event.event_type} at {number} was decided without a lease"
        epoch = max(epoch, event.epoch or 0)


def _overtaken(seen: Evidence) -> Iterator[str]:
    """5. Nothing is planned of a change once a newer one of the same record is in the log."""
    latest: dict[str | None, int] = {}
    records = {event.position: event.record_key for event in seen.events if event.event_type in OBSERVED}
    for event in seen.events:
        if event.event_type in OBSERVED:
            latest[event.record_key] = event.position
        elif event.event_type == "intent.planned" and event.cause in records:
            newest = latest[records[event.cause]]
            if newest > event.cause:
                yield f"{event.record_key} was planned at {event.position} from {event.cause}, after {newest} had come"


def _inside_limits(seen: Evidence) -> Iterator[str]:
    """6. No sliding window ever held more than Intuit allows."""
    if seen.throttled:
        yield f"the books refused calls for being too many: {dict(seen.throttled)}"
    at = [instant for instant, _ in seen.requests]
    yield from _crowded(at, SPAN, MINUTE_MAX, "calls in a minute")
    if seen.rate != "at-once":
        yield from _crowded(at, timedelta(seconds=1), SECOND_MAX, "calls in a second")
    yield from _crowded([i for i, kind in seen.requests if kind == "batch"], SPAN, BATCHES_MAX, "batches in a minute")


def _crowded(instants: Sequence[datetime], span: timedelta, most: int, what: str) -> Iterator[str]:
    window: deque[datetime] = deque()
    for instant in sorted(instants):
        while window and window[0] <= instant - span + EDGE:
            window.popleft()
        window.append(instant)
        if len(window) > most:
            yield f"{len(window)} {what} at {instant}"


def _to_the_cent(seen: Evidence) -> Iterator[str]:
    """7. What was ordered, billed and paid ties out, by currency."""
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for invoice in seen.books["Invoice"]:
        billed[str(invoice.get("CurrencyRef", {}).get("value", "USD"))] += Decimal(str(invoice["TotalAmt"]))
    ordered = {"USD": sum((one.total for one in seen.orders.values()), Decimal(0)) + sum(seen.own, Decimal(0))}
    if dict(billed) != ordered:
        yield f"billed is {dict(billed)}, ordered {ordered}"
    paid = sum((Decimal(str(one["TotalAmt"])) for one in seen.books["Payment"]), Decimal(0))
    if paid != (must := sum((one.paid for one in seen.orders.values()), Decimal(0))):
        yield f"{paid} was received, and {must} paid"
    for number, order in seen.orders.items():
        told = seen.shown.get(number, {})
        if told and Decimal(told.get("paid", "0")) + Decimal(told.get("open", "0")) != order.total:
            yield f"what the desk was told of order {number} does not come to {order.total}"


def _secret(seen: Evidence) -> Iterator[str]:
    """8. Tokens and names of people are nowhere in the clear: in no event, and in nothing that the engine says."""
    for hidden in (*seen.secrets, *seen.personal):
        for line in seen.said:
            if hidden in line:
                yield f"said in the clear: {line[:200]}"
        code = hidden.encode()
        for event in seen.events:
            if code in event.body:
                yield f"in the clear in {event.event_type} at {event.position}"


def _explainable(seen: Evidence) -> Iterator[str]:
    """10. From each effect the log leads to the observed change that caused it."""
    events = {event.position: event for event in seen.events}
    items = _items(seen)
    for effect in _ours(seen):
        for call, item in items.get((str(effect["request_id"]), str(effect["b_id"] or "")), ()):
            cause = events.get(item.change)
            if cause is None or cause.event_type not in OBSERVED or cause.position > call.position:
                yield f"effect {effect['sequence']} leads to {item.change}, which is no change before it"
            elif cause.record_key != item.record_key:
                yield f"effect {effect['sequence']} for {item.record_key} leads to a change of {cause.record_key}"
    for event in seen.events:
        if event.event_type.startswith(CAUSED):
            cause = events.get(event.cause or 0)
            if cause is None or cause.event_type not in OBSERVED or cause.position > event.position:
                yield f"{event.event_type} at {event.position} names {event.cause} as its cause, which is no change"


def _absence(seen: Evidence) -> Iterator[str]:
    """11. Nothing is deleted or voided: the desk never said so, whatever it failed to show."""
    for effect in _ours(seen):
        if effect["operation"] not in {"create", "update"}:
            yield f"{effect['entity']} {effect['id']} got a {effect['operation']}"


_CHECKS: Final[Mapping[str, Callable[[Evidence], Iterator[str]]]] = {
    "recorded first": _recorded_first,
    "one effect": _one_effect,
    "one id": _same_id,
    "absent in time": _absent_in_time,
    "nothing lost": _nothing_lost,
    "no silence": _no_silence,
    "state is derived": _derived,
    "ordered": _ordered,
    "overtaken": _overtaken,
    "inside the limits": _inside_limits,
    "to the cent": _to_the_cent,
    "secrets stay secret": _secret,
    "explainable": _explainable,
    "absence is not deletion": _absence,
}
