"""Opens source and books of each connection that was asked about, and tries its mapping on a sample."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from counterfoil.cli.output import tell
from counterfoil.cli.tasks.setup import read_mapping_file
from counterfoil.dispatch.projecting import projections_of
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.watched import NAMED
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.planning.mapped_names import names_in
from counterfoil.planning.mapping import Mapping, parse_mapping
from counterfoil.settings import CompanySettings, Settings
from counterfoil.sources import SourceError
from counterfoil.trial import BooksSeen, Trial, read_sample, see_books, try_mapping
from counterfoil.trial.view import PlainHash, TrialLoader

Ask = Callable[[Engine, int], Awaitable[AbstractMapping[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which mapping, and how much of the source; `file` stands in for the configured mapping of one connection."""

    connection: str | None
    file: Path | None
    sample: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One connection's trial, the mapping as it is written, and what else was asked of its company."""

    company: CompanySettings
    connection: str
    file: str
    text: str
    trial: Trial
    extra: AbstractMapping[str, str] = field(default_factory=dict)


def chosen(settings: Settings, connection: str | None) -> list[tuple[CompanySettings, str]]:
    """The connections asked about.

    Raises:
        ConfigurationError: there is none.
    """
    every = [(company, name) for company in settings.companies for name in sorted(company.sources)]
    wanted = [(company, name) for company, name in every if connection in (None, name)]
    if not wanted:
        known = ", ".join(sorted({name for _, name in every})) or "none"
        what = f"There is no source {connection}" if connection is not None else "No source is configured"
        raise ConfigurationError(f"{what}; configured are: {known}.", remedy="Correct the name.")
    return wanted


def without_traces(settings: Settings) -> Settings:
    """The same without what an engine writes when it ends, and what adapters write beside their sources."""
    companies = tuple(
        company.model_copy(
            update={
                "sources": {
                    name: source.model_copy(update={"leaves_no_trace": True})
                    for name, source in company.sources.items()
                }
            }
        )
        for company in settings.companies
    )
    return settings.model_copy(update={"anchor": None, "companies": companies})


async def trials(settings: Settings, question: Question, extra: Ask | None = None) -> AsyncGenerator[Held]:
    """Each connection's trial in turn.

    Args:
        extra: what else to ask while everything is open.

    Raises:
        ConfigurationError, SourceError, BooksUnreadableError: what cannot be opened or read, in words.
    """
    wanted = chosen(settings, question.connection)
    text = await asyncio.to_thread(read_mapping_file, question.file) if question.file is not None else None
    if text is not None and question.connection is None:
        raise ConfigurationError(
            "For which connection is this mapping?",
            remedy="Say so with --connection NAME, as the configuration has it.",
        )
    parsed = [_parsed(company, name, question.file, text) for company, name in wanted]
    refused: list[SourceError] = []
    async with Engine(without_traces(settings)) as engine:
        for (company, name), (file, used, mapping) in zip(wanted, parsed, strict=True):
            try:
                held = await _try(engine, company, name, file, used, mapping, question.sample)
            except SourceError as trouble:  # the others are tried all the same
                whose = f"{name} (company {company.company})"
                refused.append(SourceError(f"{whose}: {trouble.message}", remedy=trouble.remedy))
                continue
            yield held if extra is None else replace(held, extra=await extra(engine, company.company))
    if refused:
        raise refused[0] if len(refused) == 1 else SourceError("\n".join(map(str, refused)))


def _parsed(company: CompanySettings, name: str, file: Path | None, text: str | None) -> tuple[str, str, Mapping]:
    source = company.sources[name]
    named = str(file) if file is not None else source.mapping_file or f"the mapping of {name}"
    used = text if text is not None else source.mapping
    return named, used, parse_mapping(used, file=named, default_zone=company.zone)


async def _try(
    engine: Engine, company: CompanySettings, name: str, file: str, text: str, mapping: Mapping, most: int
) -> Held:
    connected = engine.connected(company.company)
    adapter = connected.sources[name]
    tell(f"Reading {name} (company {company.company}), {most} of each kind at most …")
    sample = await read_sample(name, adapter, most)
    books = await _books(engine, company, mapping)
    known = (await engine.reader.heads([company.company])).get(company.company)
    loader = TrialLoader(
        company,
        books,
        sample,
        adapter,
        store=engine.store,
        events=LogEvents(engine.reader),
        hashes=engine.keyring if known is not None else PlainHash(),
    )
    project = projections_of({name: adapter}).get(name)
    trial = await try_mapping(mapping, books, sample, loader, project)
    return Held(company=company, connection=name, file=file, text=text, trial=trial)


async def _books(engine: Engine, company: CompanySettings, mapping: Mapping) -> BooksSeen:
    """Customers only where the mapping names some by their id: they may be many."""
    named = {use.entity for use in names_in(mapping, "abroad")}
    entities = [*NAMED, *sorted(named.difference(NAMED))]
    return await see_books(engine.connected(company.company).books, entities)
