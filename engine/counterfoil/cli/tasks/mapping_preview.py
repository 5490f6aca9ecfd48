"""`counterfoil mapping preview`: source records and QuickBooks documents side by side."""

from collections.abc import Iterator

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import add_row, console, money, table, write_json
from counterfoil.cli.tasks.mapping_trials import Held, Question, trials
from counterfoil.planning.outcome import MARKER, named
from counterfoil.planning.shadow import leaves
from counterfoil.planning.types import LINE_KEY, Intent, Park, Skip, Unchanged
from counterfoil.settings import Settings
from counterfoil.trial import BooksSeen, Tried
from counterfoil.trial.findings import counted
from counterfoil_schema.exact_json import JsonObject, JsonValue, loads


async def preview(settings: Settings, question: Question, *, as_json: bool) -> int:
    """Show each connection's sample."""
    shown: list[dict[str, object]] = []
    async for held in trials(settings, question):
        if as_json:
            shown.append(_as_json(held))
        else:
            _show(held)
    if as_json:
        write_json({"connections": shown})
    return ExitCode.OK


def _as_json(held: Held) -> dict[str, object]:
    return {
        "company": held.company.company,
        "connection": held.connection,
        "file": held.file,
        "outcomes": counted(held.trial),
        "records": [_record(tried, held.trial.books) for tried in held.trial.tried],
    }


def _record(tried: Tried, books: BooksSeen) -> dict[str, object]:
    told: dict[str, object] = {"record_key": tried.record_key, "outcome": tried.outcome, "source": source_of(tried)}
    match tried.plan:
        case Park(code=code, reason=reason, fix=fix):
            return {**told, "code": code, "reason": reason, "fix": fix, "documents": []}
        case Skip(code=code, reason=reason):
            return {**told, "code": code, "reason": reason, "documents": []}
        case Unchanged(reason=reason):
            return {**told, "reason": reason, "documents": []}
        case _:
            return {**told, "documents": [_document(intent, books) for intent in tried.plan]}


def _document(intent: Intent, books: BooksSeen) -> dict[str, object]:
    return {
        "target": intent.target,
        "entity": intent.entity,
        "operation": intent.operation,
        "review": intent.review,
        "amount": intent.amount,
        "currency": intent.currency,
        "body": resolved(intent.body, books),
    }


def source_of(tried: Tried) -> JsonObject:
    """The canonical record, without what it does not say."""
    text = tried.seen.record.model_dump_json(exclude_none=True, exclude={"kind"})
    found = loads(text.encode())
    return found if isinstance(found, dict) else {}


def resolved(value: JsonValue, books: BooksSeen) -> JsonValue:
    """A symbolic body with each reference as people and programs read it: by name and, where there is one, by id."""
    if isinstance(value, list):
        return [resolved(member, books) for member in value]
    if isinstance(value, str):
        return value.replace(MARKER, "").rstrip()
    if not isinstance(value, dict):
        return value
    match value:
        case {"$name": [str(entity), str(name)]}:
            held = books.find(entity, name)
            return {"name": name, "value": held.document_id if held is not None and held.active else None}
        case {"$record": str(key)}:
            return {"record": key}
        case {"$rate": [str(currency), str(day)]}:
            return f"QuickBooks' rate of {currency} on {day}"
        case _:
            return {name: resolved(part, books) for name, part in value.items() if name != LINE_KEY}


def _show(held: Held) -> None:
    out = console()
    shown = table(f"{held.connection} (company {held.company.company}), {held.file}", "source", "QuickBooks")
    for tried in held.trial.tried:
        left = "\n".join([named(tried.record_key), *(f"  {line}" for line in lines_of(source_of(tried)))])
        add_row(shown, left, "\n".join(_right(tried, held.trial.books)))
        add_row(shown, "", "")
    out.print(shown)
    would = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(counted(held.trial).items())) or "nothing"
    out.print(Text(f"Of {len(held.trial.tried):,} records: {would}. Nothing was written.\n"))


def _right(tried: Tried, books: BooksSeen) -> Iterator[str]:
    match tried.plan:
        case Park(code=code, reason=reason, fix=fix):
            yield from (f"parked ({code})", f"  {reason}", f"  {fix}")
        case Skip(code=code, reason=reason):
            yield from (f"passed over ({code})", f"  {reason}")
        case Unchanged(reason=reason):
            yield from ("unchanged", f"  {reason}")
        case _:
            for intent in tried.plan:
                worth = money(intent.amount, intent.currency)
                review = ", held for approval" if intent.review else ""
                yield f"{intent.operation} {intent.entity}" + (f", {worth}" if worth else "") + review
                yield from (f"  {line}" for line in lines_of(intent.body, books))


def lines_of(value: JsonObject, books: BooksSeen | None = None) -> Iterator[str]:
    """`path: value` for everything in an object, one a line; references in words."""
    for path, leaf in leaves(value):
        yield f"{path}: {words_of(leaf, books)}"


def words_of(leaf: JsonValue, books: BooksSeen | None = None) -> str:
    """A value for people; of a reference what it leads to, and whether the books have it, where they are known."""
    match leaf:
        case {"$record": str(key)}:
            return named(key)
        case {"$name": [str(entity), str(name)]}:
            if books is None:
                return name
            held = books.find(entity, name)
            known = f"id {held.document_id}" if held is not None and held.active else "not in QuickBooks"
            return f"{name} ({known})"
        case {"$rate": [str(currency), str(day)]}:
            return f"QuickBooks' rate of {currency} on {day}"
        case {"value": str(only), **others} if not others:
            return only
        case _:
            return str(leaf).replace(MARKER, "").strip()
