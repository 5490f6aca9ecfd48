"""Where sources laid aside what they could not use."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from counterfoil.errors import ConfigurationError
from counterfoil.plugins import SOURCES, load
from counterfoil.settings import CompanySettings
from counterfoil.sources import Rejecting


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedSeen:
    """One file of one connection: how many rows it holds, and when it was written."""

    connection: str
    path: Path
    rows: int
    since: datetime

    def sentence(self) -> str:
        """The same in words."""
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        since = f"{self.since:%Y-%m-%d %H:%M} UTC"
        return f"{self.connection}: {rows} could not be used at the reading of {since}; with reasons in {self.path}."


def rejected_of(company: CompanySettings) -> list[RejectedSeen]:
    """Those of all its connections. Blocking: it looks at files, and opens no source."""
    found: list[RejectedSeen] = []
    for name, source in sorted(company.sources.items()):
        factory = _rejecting(source.adapter)
        lying = factory.rejected(source.options, name) if factory is not None else ()
        found += [RejectedSeen(connection=name, path=one.path, rows=one.rows, since=one.since) for one in lying]
    return found


def _rejecting(adapter: str) -> Rejecting | None:
    try:
        factory: object = load(SOURCES, adapter)
    except ConfigurationError:
        return None  # that an adapter is not installed is told by whatever opens it
    return factory if isinstance(factory, Rejecting) else None
