"""Sources that refuse to be read, kept in the log: once for each thing they say, and once when they answer again."""

import hashlib

from counterfoil.dispatch.session import Session
from counterfoil.log import NewEvent
from counterfoil.sources import SourceError
from counterfoil.state.rows import SourceRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.receipts import SourceAnswered, SourceRefused

PROBLEM_MAX = 1_000


class Refusals:
    """Remembers which of one company's sources refuse."""

    def __init__(self, *, session: Session, store: StateStore) -> None:
        self._session = session
        self._store = store

    async def refused(self, connection: str, trouble: SourceError) -> None:
        """A source cannot be read, and waiting does not help."""
        problem, fix = trouble.message[:PROBLEM_MAX], trouble.remedy[:PROBLEM_MAX]
        digest = hashlib.sha256(f"{problem}\n{fix}".encode(errors="replace")).hexdigest()
        row = await self._row(connection)
        if row is not None and row.refused is not None and row.digest == digest:
            return
        refusal = SourceRefused(connection=connection, digest=digest, problem=problem, fix=fix)
        await self._session.receive([NewEvent(event=refusal)])

    async def answered(self, connection: str) -> None:
        """A source was read."""
        row = await self._row(connection)
        if row is not None and row.refused is not None:
            await self._session.receive([NewEvent(event=SourceAnswered(connection=connection))])

    async def _row(self, connection: str) -> SourceRow | None:
        return await self._store.one(SourceRow, self._session.company, connection)
