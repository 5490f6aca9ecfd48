"""A log that was restored from an older backup takes from QuickBooks what is ours: what was found, and its end."""

from datetime import datetime
from typing import ClassVar

from counterfoil_schema.events.base import Event, registry


@registry.register
class RecoveryBegun(Event):
    """The log may have forgotten what was sent: until `recovery.ended` nothing is sent.

    `recovery` names it, by chance and never twice: from here on it is part of every request id, so that no call is
    taken for one that was made in the time that the log has forgotten. `since` is from when on documents of ours may
    be unknown; `anchored` the position that its anchor knew of, where there was one.
    """

    event_type: ClassVar[str] = "recovery.begun"
    when: ClassVar[str] = "A person begins to recover a company whose database was restored from an older backup."
    decision: ClassVar[bool] = True

    recovery: str
    since: datetime
    anchored: int | None = None
    author: str
    reason: str


@registry.register
class RecoveryFound(Event):
    """A document of ours that the log does not know, or not as it is.

    `signs`: its markers; of an entry of a name list, which bears none, the keyed hash of its name; or `record:` and the
    key of the record for which the log knows it already. `observed` is the position of the reading that holds it. The
    record whose sign it is gets this document instead of a new one. What the log knows, and has forgotten to have
    changed, is held against its record once more: that record's change is decided afresh.
    """

    event_type: ClassVar[str] = "recovery.found"
    when: ClassVar[str] = "A recovery finds a document of ours that the log does not know, or not as it is."
    decision: ClassVar[bool] = True

    recovery: str
    entity: str
    document_id: str
    observed: int
    signs: tuple[str, ...]


@registry.register
class RecoveryEnded(Event):
    """All of the books that may be ours was read and recorded: work goes on from here.

    `found` counts documents that the log had forgotten, `changed` those that it knew and that had changed since.
    """

    event_type: ClassVar[str] = "recovery.ended"
    when: ClassVar[str] = "A recovery has read all that may be ours; what follows is planned on what it found."
    decision: ClassVar[bool] = True

    recovery: str
    found: int
    changed: int
