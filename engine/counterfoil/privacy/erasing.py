"""Erases a person: recorded first, then the keys go; whoever works for the company does it over, and forgets."""

from dataclasses import dataclass

from counterfoil.dispatch.erasures import destroy
from counterfoil.errors import CounterfoilError
from counterfoil.log import Append, Guard, Keyring, LogWriter, NewEvent
from counterfoil.ports import Clock
from counterfoil.privacy.people import Person
from counterfoil.privacy.scanning import Held
from counterfoil.state.rows import IN_FLIGHT, OPEN_INTENTS, IntentRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.receipts import PersonErased

MOVING = IN_FLIGHT | {"refetch", "adopt"}


class NotErasableError(CounterfoilError):
    """A person who cannot be erased now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A recorded erasure. `keys` is how many living keys were destroyed."""

    position: int
    keys: int


async def open_plans(store: StateStore, held: Held, company: int) -> list[IntentRow]:
    """Plans about the person that have not ended."""
    found: list[IntentRow] = []
    for subject in held.subjects:
        rows = await store.intents_of(company, subject)
        found += [row for row in rows if row.state in OPEN_INTENTS]
    return found


async def erase(
    person: Person,
    held: Held,
    *,
    store: StateStore,
    writer: LogWriter,
    keyring: Keyring,
    clock: Clock,
    author: str,
    reason: str,
) -> Erasure:
    """Record the erasure, and destroy the keys.

    Raises:
        NotErasableError: something of the person is on its way into the books, and could not be repeated afterwards.
        StaleDecisionError: something about the person came in after `held` was read.
    """
    moving = [row for row in await open_plans(store, held, person.company) if row.state in MOVING]
    if moving:
        raise NotErasableError(
            f"{len(moving)} documents of this person are on their way into the books: "
            f"{', '.join(sorted({row.record_key for row in moving})[:5])}.",
            remedy="Let `counterfoil sync` end them, then erase. Nothing was changed.",
        )
    event = PersonErased(
        subjects=held.subjects,
        people=person.subjects,
        payload_keys=tuple(sorted(held.payload_keys)),
        erased_on=clock.now().date(),
        author=author,
        reason=reason,
    )
    guard = Guard(held.subjects, held.head)
    appended = await writer.append(
        Append(person.company, [NewEvent(event=event, record_key=person.asked)], guard=guard)
    )
    return Erasure(position=appended.first_position, keys=await destroy(keyring, person.company, event))
