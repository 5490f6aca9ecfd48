"""What every event has: a name, a version, and fields that say by themselves whether they are sealed."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict


class Seal(Enum):
    """Under whose key a field is sealed inside the body of an event."""

    PERSON = "person"  # the key of the event's subject: destroying it erases that person
    RAW = "raw"  # the key of the company's month: payloads as they came in


PersonalText = Annotated[str, Seal.PERSON]
PersonalTextOrNone = Annotated[str | None, Seal.PERSON]
RawText = Annotated[str, Seal.RAW]
RawTextOrNone = Annotated[str | None, Seal.RAW]

ERASED = "[erased]"
"""What stands in a sealed text field once its key is destroyed."""


class Shape(BaseModel):
    """A frozen part of an event; unknown fields are refused, so that a typing mistake cannot be stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(Shape):
    """A fact that was recorded.

    Subclasses name themselves (`event_type`, dotted lower case), carry a version, and belong either to the
    receipts, which anybody may append, or to the decisions, which need the company's lease.
    """

    event_type: ClassVar[str]
    event_version: ClassVar[int] = 1
    decision: ClassVar[bool] = False
    when: ClassVar[str]
    """One sentence for the catalogue: when this event is appended."""

    def subject(self) -> str | None:
        """The record key of the person whose data the sealed fields hold; None when there is none."""
        return None


Upcaster = Callable[[Mapping[str, Any]], Mapping[str, Any]]
E_ = TypeVar("E_", bound=type[Event])


class UnknownEventError(Exception):
    """An event type or version that this release does not know: its company's projection stops, visibly."""


class EventRegistry:
    """Event types by name, with the steps that lift old versions to the present one."""

    def __init__(self) -> None:
        self._types: dict[str, type[Event]] = {}
        self._upcasters: dict[tuple[str, int], Upcaster] = {}

    def register(self, event: E_) -> E_:
        """Class decorator: makes an event type known. A name may be taken once."""
        if event.event_type in self._types:
            raise ValueError(f"event type {event.event_type} is registered twice")
        self._types[event.event_type] = event
        return event

    def upcaster(self, event_type: str, from_version: int) -> Callable[[Upcaster], Upcaster]:
        """Decorator: lifts the body of `event_type` from `from_version` to the next one. Must be pure."""

        def keep(step: Upcaster) -> Upcaster:
            self._upcasters[event_type, from_version] = step
            return step

        return keep

    def types(self) -> Mapping[str, type[Event]]:
        """All known types by name."""
        return self._types

    def read(self, event_type: str, version: int, body: Mapping[str, Any]) -> Event:
        """The event as today's model.

        Raises:
            UnknownEventError: no such type, a version from the future, or a gap among the upcasters.
        """
        model = self._types.get(event_type)
        if model is None:
            raise UnknownEventError(f"event type {event_type} is not known to this release")
        if version > model.event_version:
            raise UnknownEventError(f"{event_type} version {version} is newer than this release")
        for step in range(version, model.event_version):
            lift = self._upcasters.get((event_type, step))
            if lift is None:
                raise UnknownEventError(f"{event_type} has no upcaster from version {step}")
            body = lift(body)
        # As it is, without a call in between: a replay makes one for each event.
        event: Event = model.__pydantic_validator__.validate_python(body)
        return event


registry = EventRegistry()
"""The catalogue of this release; plug-ins register their own types here when they are imported."""
