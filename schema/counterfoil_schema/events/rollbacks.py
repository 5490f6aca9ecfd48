"""What was written into the books is to be taken back: what a person asked for, and what was decided on it."""

from datetime import date, datetime
from typing import ClassVar, Literal

from counterfoil_schema.events.base import Event, Shape, registry
from counterfoil_schema.events.decisions import Decision


class RollbackScope(Shape):
    """Which effects are meant: all parts that are given must hold. `records` are record keys; nothing means any."""

    run: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    source: str | None = None
    records: tuple[str, ...] = ()


class RollbackPolicy(Shape):
    """By which means.

    `sales`: whether an invoice is voided, or stays and is credited by a document of its own. `dated`: the day in an
    open period on which reversing entries and credits stand; without it they stand on the day of what they take back.
    `later`: whether a newer change at the source waits for a person, or is carried over.
    """

    sales: Literal["void", "credit"] = "void"
    dated: date | None = None
    later: Literal["park", "follow"] = "park"


@registry.register
class RollbackRequested(Event):
    """A person wants carried out what a preview showed, and nothing else.

    `previewed` is the position at which the preview was made, `preview` its hash, `steps` the digests of what it would
    do, in order of the alphabet. The run that it begins is named after this event's position.
    """

    event_type: ClassVar[str] = "rollback.requested"
    when: ClassVar[str] = "A person applies the preview of a rollback."

    scope: RollbackScope
    policy: RollbackPolicy
    author: str
    reason: str
    previewed: int
    preview: str
    steps: tuple[str, ...]


class RollbackRefused(Shape):
    """A document that stays as it is, and why. `code` as in the preview, or `changed` where it is another since."""

    record_key: str
    entity: str
    document_id: str
    code: str
    reason: str


@registry.register
class RollbackDecided(Decision):
    """All that a rollback calls for is planned; `record_key` names the run, `change` is the position of the request."""

    event_type: ClassVar[str] = "rollback.decided"
    when: ClassVar[str] = "The holder of the lease has planned what a rollback calls for, and what it may not touch."

    planned: int
    refused: tuple[RollbackRefused, ...] = ()
    outcome: str
