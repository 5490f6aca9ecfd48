"""Sources that refuse to be read, as the log has them."""

from dataclasses import dataclass
from datetime import datetime

from counterfoil.log import PostgresLogReader
from counterfoil.settings import CompanySettings
from counterfoil.state.rows import SourceRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.receipts import SourceRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Of one connection: since when, why in the vendor's words, and what to do."""

    connection: str
    since: datetime
    problem: str
    fix: str

    def sentence(self) -> str:
        """The same in words."""
        since = f"{self.since:%Y-%m-%d %H:%M} UTC"
        said = f"{self.connection}: cannot be read since {since}: {self.problem} {self.fix}".rstrip()
        return f"{said} Nothing is lost; it reads on once that is mended."


async def refusals_of(store: StateStore, reader: PostgresLogReader, company: CompanySettings) -> list[Refusal]:
    """Those of a company's configured connections."""
    found: list[Refusal] = []
    for connection in sorted(company.sources):
        row = await store.one(SourceRow, company.company, connection)
        recorded = await reader.get(company.company, row.refused) if row is not None and row.refused else None
        event = await recorded.event() if recorded is not None else None
        if recorded is not None and isinstance(event, SourceRefused):
            since = recorded.recorded_at
            found.append(Refusal(connection=connection, since=since, problem=event.problem, fix=event.fix))
    return found
