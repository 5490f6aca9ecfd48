"""Writes a start date into the mappings of a company that name none."""

import tomllib
from datetime import date
from pathlib import Path

from counterfoil.cli.output import tell
from counterfoil.errors import ConfigurationError
from counterfoil.planning.mapping import parse_mapping
from counterfoil.settings import CompanySettings, Settings, SourceSettings


def with_start(settings: Settings, config: Path, start: date | None) -> Settings:
    """The settings with that start date in every mapping; it is written at the end of those files that name none.

    Raises:
        ConfigurationError: a mapping names another one, or its file cannot be written.
    """
    if start is None:
        return settings
    folder = config.resolve().parent
    companies = tuple(_company(company, folder, start) for company in settings.companies)
    return settings.model_copy(update={"companies": companies})


def _company(company: CompanySettings, folder: Path, start: date) -> CompanySettings:
    sources = {name: _source(one, folder / one.mapping_file, start) for name, one in company.sources.items()}
    return company.model_copy(update={"sources": sources})


def _source(source: SourceSettings, path: Path, start: date) -> SourceSettings:
    mapping = parse_mapping(source.mapping, file=source.mapping_file)
    if mapping.start.date == start:
        return source
    if "start" in tomllib.loads(source.mapping):
        raise ConfigurationError(
            f"{source.mapping_file} has a [start] of its own, and another date in it.",
            remedy=f"Write date = {start} there, or leave --start away.",
        )
    text = f"{source.mapping.rstrip()}\n\n[start]\ndate = {start}   # what is dated before is not posted\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ConfigurationError(
            f"{path} cannot be written: {problem.strerror}.", remedy=f"Add [start] and date = {start} by hand."
        ) from None
    tell(f"Wrote [start] date = {start} into {source.mapping_file}.")
    return source.model_copy(update={"mapping": text})
