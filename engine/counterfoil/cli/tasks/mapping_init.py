"""`counterfoil mapping init`."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import console, write_json
from counterfoil.cli.tasks.mapping_schema import FILE_NAME, schema_text
from counterfoil.cli.tasks.mapping_trials import Held, Question, chosen, trials
from counterfoil.connections import Connected
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.planning.mapping import parse_mapping
from counterfoil.plugins import SOURCES, load
from counterfoil.settings import CompanySettings, Settings, load_settings
from counterfoil.sources import Proposing
from counterfoil.trial.first_mapping import Found, first_mapping

_HEAD = re.compile(r"^\[+\s*([A-Za-z0-9_\"'-]+)")
OWN_TABLES = ("csv", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """For which source, where to, and how much of it to look at."""

    config: Path
    company: int | None
    connection: str | None
    file: Path | None
    sample: int


async def write_first(wish: Wish, *, as_json: bool) -> int:
    """Write mapping and schema, and say what was chosen and what is left open."""
    settings = await asyncio.to_thread(load_settings, wish.config, may_lack_mappings=True)
    settings = _only(settings, wish)
    ((company, name),) = chosen(settings, wish.connection)
    path = wish.file or wish.config.resolve().parent / company.sources[name].mapping_file
    schema = path.parent / FILE_NAME
    if await asyncio.to_thread(path.exists):
        raise ConfigurationError(
            f"{path} exists already, and nothing was written.",
            remedy=f"Name another file, for example: counterfoil mapping init {path.stem}-first.toml",
        )
    settings = await asyncio.to_thread(_with_proposal, settings, company, name)
    question = Question(connection=name, file=None, sample=wish.sample)
    held = [one async for one in trials(settings, question, extra=_account_types)]
    written = await asyncio.to_thread(_write, path, schema, _text_of(held[0]))
    _tell(held[0], written, as_json=as_json)
    return ExitCode.OK


def _only(settings: Settings, wish: Wish) -> Settings:
    companies = [one for one in settings.companies if wish.company in (None, one.company)]
    found = [one for one in companies if wish.connection is None or wish.connection in one.sources]
    if len(found) != 1 or (wish.connection is None and len(found[0].sources) != 1):
        known = ", ".join(f"{one.company}: {', '.join(sorted(one.sources)) or 'none'}" for one in settings.companies)
        raise ConfigurationError(
            f"For which source is the mapping? Configured are, by company: {known or 'none'}.",
            remedy="Say so with --connection NAME and --company NUMBER.",
        )
    return settings.model_copy(update={"companies": tuple(found)})


def _with_proposal(settings: Settings, company: CompanySettings, name: str) -> Settings:
    """The settings with tables of the adapter's own, where the mapping has none and the adapter can propose some."""
    source = company.sources[name]
    factory: object = load(SOURCES, source.adapter)
    if own_tables(source.mapping) or not isinstance(factory, Proposing):
        return settings
    head = f'[connection]\nsource = "{source.adapter}"\nzone = "{company.zone}"\ncurrency = "{company.currency}"\n'
    proposed = source.model_copy(update={"mapping": f"{head}\n{factory.propose(source.options)}"})
    changed = company.model_copy(update={"sources": {**company.sources, name: proposed}})
    return settings.model_copy(update={"companies": (changed,)})


async def _account_types(engine: Engine, company: int) -> Mapping[str, str]:
    connected: Connected = engine.connected(company)
    rows = await connected.books.names("Account", "live")
    return {one.name: one.account_type or "" for one in rows if one.active}


def _text_of(held: Held) -> str:
    source = held.trial.mapping.connection.source
    found = Found(
        company=held.company,
        source=source,
        sample=held.trial.sample,
        books=held.trial.books,
        types=held.extra,
    )
    text = first_mapping(found, own_tables(held.text))
    parse_mapping(text, file="the first mapping", default_zone=held.company.zone)
    return text


def own_tables(text: str) -> str:
    """The adapter's own tables of a mapping, as they are written."""
    kept: list[str] = []
    own = False
    for line in text.splitlines():
        head = _HEAD.match(line)
        own = head.group(1).strip("\"'") in OWN_TABLES if head is not None else own
        if own:
            kept.append(line)
    return "\n".join(kept)


def _write(path: Path, schema: Path, text: str) -> list[Path]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        if schema.exists():
            return [path]
        schema.write_text(schema_text(), encoding="utf-8")
    except OSError as problem:
        raise ConfigurationError(
            f"{path} cannot be written: {problem.strerror}.", remedy="Choose another place."
        ) from None
    return [path, schema]


def _tell(held: Held, written: list[Path], *, as_json: bool) -> None:
    sample = held.trial.sample
    if as_json:
        write_json({"written": written, "connection": held.connection, "records": len(sample.records)})
        return
    files = " and ".join(str(path) for path in written)
    out = console()
    out.print(Text(f"Wrote {files} after {len(sample.records):,} records of {held.connection}."), soft_wrap=True)
    out.print(Text("Read it, fill in what is commented out, then: counterfoil mapping check"), soft_wrap=True)
