"""What a decision about one change consists of."""

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil_schema.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Decisions about one change, and the records whose newer events would make them stale."""

    events: Sequence[Event]
    bears_on: tuple[str, ...]
