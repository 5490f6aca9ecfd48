"""`counterfoil log tail` and `log show`."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import as_json as to_json
from counterfoil.cli.output import console, pretty, write_json
from counterfoil.errors import ConfigurationError
from counterfoil.log import RecordedEvent
from counterfoil.settings import Settings
from counterfoil_schema import exact_json

DIGITS_MAX = 18


async def tail(settings: Settings, *, lines: int, follow: bool, as_json: bool) -> int:
    """Print the last events of the companies in the order of their instants; then each new one if wanted."""
    async with open_state(settings) as opened:
        numbers = [one.company for one in settings.companies]
        heads = await opened.reader.heads(numbers)
        last: list[RecordedEvent] = []
        for head in heads.values():
            last += await opened.reader.read(head.company, max(0, head.position - lines), max(1, lines))
        for recorded in sorted(last, key=lambda one: one.recorded_at)[-lines:] if lines else []:
            _line(recorded, as_json=as_json)
        if not follow:
            return ExitCode.OK
        after = {number: heads[number].position if number in heads else 0 for number in numbers}
        async for recorded in opened.reader.follow_all(after):
            if recorded.company in after:
                _line(recorded, as_json=as_json)
    return ExitCode.OK


def _line(recorded: RecordedEvent, *, as_json: bool) -> None:
    if as_json:
        write_json(_envelope(recorded))
        return
    text = Text(f"{recorded.company}:{recorded.position:<8} {recorded.recorded_at:%Y-%m-%d %H:%M:%S.%f}Z  ")
    text.append(f"{recorded.event_type:<22}", style="cyan")
    text.append(recorded.record_key or "")
    if recorded.cause is not None:
        text.append(f"  ← {recorded.cause}", style="dim")
    console().print(text, soft_wrap=True)


def place_of(settings: Settings, place: str) -> tuple[Settings, int, int]:
    """The settings, and company and position from `145` or, as `tail` prints it, `1:145`.

    Raises:
        ConfigurationError: neither of them, or it is not clear of which company.
    """
    first, colon, second = place.partition(":")
    if not all(
        part.isascii() and part.isdigit() and len(part) <= DIGITS_MAX
        for part in ((first, second) if colon else (first,))
    ):
        raise ConfigurationError(
            f"{place!r} is no position.", remedy="Give a number, such as 145, or company and position: 1:145."
        )
    if colon:
        return settings, int(first), int(second)
    if len(settings.companies) != 1:
        raise ConfigurationError(
            "Positions count per company.", remedy=f"Say which one: 1:{place}, or --company 1 with its number."
        )
    return settings, settings.companies[0].company, int(first)


async def show(settings: Settings, company: int, position: int, *, personal: bool, as_json: bool) -> int:
    """Print the event at a position."""
    async with open_state(settings) as opened:
        recorded = await opened.reader.get(company, position)
        if recorded is None:
            head = (await opened.reader.heads([company])).get(company)
            stands = f"ends at {head.position}" if head is not None else "is empty"
            raise ConfigurationError(
                f"The log of company {company} has no event at {position}; it {stands}.", remedy="Correct the position."
            )
        body = await _body(opened, recorded, personal=personal)
    whole = {**_envelope(recorded), "body": body}
    if as_json:
        write_json(whole)
    else:
        console().print(Text(pretty(to_json(whole))), soft_wrap=True)
    return ExitCode.OK


async def _body(opened: Opened, recorded: RecordedEvent, *, personal: bool) -> dict[str, Any]:
    body: Mapping[str, Any] = await opened.codec.body(recorded) if personal else recorded.light()
    return {name: _opened_documents(part) for name, part in body.items()}


def _opened_documents(value: Any) -> Any:
    """Documents travel as JSON text inside a body; people want to see their fields."""
    if isinstance(value, list):
        return [_opened_documents(part) for part in value]
    if not isinstance(value, dict):
        return value
    shown = {name: _opened_documents(part) for name, part in value.items()}
    for name in ("clear", "personal"):
        text = shown.get(name)
        if "entity" in shown and isinstance(text, str) and text.startswith("{"):
            shown[name] = exact_json.loads(text)
    return shown


def _envelope(recorded: RecordedEvent) -> dict[str, Any]:
    return {
        "company": recorded.company,
        "position": recorded.position,
        "event_id": str(recorded.event_id),
        "event_type": recorded.event_type,
        "event_version": recorded.event_version,
        "recorded_at": recorded.recorded_at.isoformat(),
        "record_key": recorded.record_key,
        "cause": recorded.cause,
        "trace": recorded.trace,
        "epoch": recorded.epoch,
        "delivery": recorded.delivery,
        "link": recorded.link.hex() if recorded.link is not None else None,
    }
