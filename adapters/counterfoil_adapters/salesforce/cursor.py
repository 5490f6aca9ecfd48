"""Where the reading of one kind stands, and how far Salesforce's answers were complete."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from counterfoil.sources.port import SourceError
from counterfoil_adapters.salesforce.client import instant_of, literal
from counterfoil_adapters.salesforce.sweep import Position, parse_position
from counterfoil_schema import exact_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """`org`: whose records these are. `main`, `companions`: positions in the kind's object and in what concerns it.

    `proven` and `deleted` are `latestDateCovered` of getUpdated and getDeleted; `asked` is when they were last asked
    for. `full` while the first reading is under way. `swept` is when the last reading of everything ended, `replay` the
    places in the streams of change events, by object.
    """

    org: str
    main: Position
    companions: Mapping[str, Position]
    proven: datetime
    deleted: datetime
    asked: datetime
    full: bool = False
    swept: datetime
    replay: Mapping[str, str] = field(default_factory=dict)

    @property
    def rests(self) -> bool:
        """Whether the last reading came to its end."""
        return not self.full and all(one.resting for one in (self.main, *self.companions.values()))

    def text(self) -> str:
        """As kept by the engine."""
        parts = {
            "org": self.org,
            "main": self.main.plain(),
            "companions": {name: position.plain() for name, position in self.companions.items()},
            "proven": literal(self.proven),
            "deleted": literal(self.deleted),
            "asked": literal(self.asked),
            "full": self.full,
            "swept": literal(self.swept),
            "replay": dict(self.replay),
        }
        return exact_json.dumps(parts).decode()


def parse_cursor(text: str) -> Cursor:
    """Undo `Cursor.text`.

    Raises:
        SourceError: not a cursor of this adapter.
    """
    try:
        value = exact_json.loads_object(text)
        companions, replay = value.get("companions"), value.get("replay")
        return Cursor(
            org=str(value["org"]),
            main=parse_position(value.get("main")),
            companions={
                name: parse_position(held)
                for name, held in (companions if isinstance(companions, dict) else {}).items()
            },
            proven=instant_of(value.get("proven")),
            deleted=instant_of(value.get("deleted")),
            asked=instant_of(value.get("asked")),
            full=value.get("full") is True,
            swept=instant_of(value.get("swept")),
            replay={name: str(place) for name, place in (replay if isinstance(replay, dict) else {}).items()},
        )
    except (KeyError, ValueError) as error:
        raise SourceError(
            f"The Salesforce cursor {text[:80]!r} cannot be read.", remedy="Start a full reading of this connection."
        ) from error
