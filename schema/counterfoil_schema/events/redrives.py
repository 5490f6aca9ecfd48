"""What the log holds is planned once more under another mapping: what a person asked for, and what was decided."""

from typing import ClassVar

from counterfoil_schema.events.base import Event, Shape, registry
from counterfoil_schema.events.decisions import Decision


class RedriveStep(Shape):
    """A record that is to be planned once more; `digest` is of all that its preview showed."""

    record_key: str
    digest: str


@registry.register
class RedriveRequested(Event):
    """A person wants carried out what a preview of another mapping showed, and nothing else.

    `mapping` is the digest of that mapping's text; it is taken up once that mapping holds. `previewed` is the position
    at which the preview was made, `preview` its hash. The run that it begins is named after this event's position.
    """

    event_type: ClassVar[str] = "redrive.requested"
    when: ClassVar[str] = "A person applies the preview of a mapping to what is in the books already."

    connection: str
    mapping: str
    author: str
    reason: str
    previewed: int
    preview: str
    steps: tuple[RedriveStep, ...]


class RedriveRefused(Shape):
    """A record that is put back, and why: `changed`, `in_flight`, `mapping`, or the code of what became of it."""

    record_key: str
    code: str
    reason: str


@registry.register
class RedriveDecided(Decision):
    """All that a redrive calls for is planned; `record_key` names the run, `change` is the position of the request."""

    event_type: ClassVar[str] = "redrive.decided"
    when: ClassVar[str] = "The holder of the lease has planned what a redrive calls for, and what it had to put back."

    planned: int
    refused: tuple[RedriveRefused, ...] = ()
    outcome: str
