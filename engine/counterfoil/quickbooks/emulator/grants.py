"""What consents gave, and the form in which a run leaves it to the one that goes on from there."""

from dataclasses import dataclass
from datetime import datetime

from counterfoil_schema.exact_json import JsonValue


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token: since when there is it, and when it was last used."""

    value: str
    issued: datetime
    used: datetime


@dataclass(frozen=True, slots=True)
class Code:
    """What a code that is on its way to the app will be exchanged for."""

    redirect_uri: str
    expires: datetime
    scope: str


@dataclass(slots=True)
class Connection:
    """What one consent gave: its scope, its refresh token, None once it has ended, and those that came before."""

    connected: datetime
    scope: str
    refresh: Refresh | None
    former: set[str]


def connection_saved(number: int, one: Connection) -> JsonValue:
    """A connection and its number."""
    refresh = one.refresh
    in_force: JsonValue = (
        None if refresh is None else [refresh.value, refresh.issued.isoformat(), refresh.used.isoformat()]
    )
    return [number, one.connected.isoformat(), one.scope, in_force, list[JsonValue](sorted(one.former))]


def connection_from(saved: JsonValue) -> tuple[int, Connection]:
    """Its number, and the connection.

    Raises:
        ValueError, TypeError: it is damaged.
    """
    if not isinstance(saved, list):
        raise TypeError("a connection is damaged")
    number, connected, scope, refresh, former = saved
    if not isinstance(former, list) or not isinstance(refresh, list | None):
        raise TypeError("a connection's tokens are damaged")
    in_force = None
    if refresh is not None:
        value, issued, used = refresh
        in_force = Refresh(str(value), datetime.fromisoformat(str(issued)), datetime.fromisoformat(str(used)))
    since = datetime.fromisoformat(str(connected))
    return int(str(number)), Connection(since, str(scope), in_force, {str(token) for token in former})


def access_saved(until: datetime, number: int) -> JsonValue:
    """Until when an access token is good, and the connection that it belongs to."""
    return [until.isoformat(), number]


def access_from(saved: JsonValue) -> tuple[datetime, int]:
    """The same, read.

    Raises:
        ValueError, TypeError: it is damaged.
    """
    if not isinstance(saved, list):
        raise TypeError("an access token is damaged")
    until, number = saved
    return datetime.fromisoformat(str(until)), int(str(number))
