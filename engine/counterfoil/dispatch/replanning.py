"""While nothing may go out yet, what was planned follows the mapping: a preview shows what would be sent now."""

from counterfoil.dispatch.approval import Approval
from counterfoil.dispatch.session import Session
from counterfoil.state.rows import ChangeRow, MappingRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.decisions import ChangeReopened

CHANGES_PER_TURN = 500
REASON = "The mapping has changed since, and nothing was sent."


class Replanning:
    """Has the changes of one company decided afresh that an earlier mapping decided, as long as it only previews."""

    def __init__(
        self, *, session: Session, store: StateStore, approval: Approval, connections: tuple[str, ...]
    ) -> None:
        self._session = session
        self._store = store
        self._approval = approval
        self._connections = connections
        self._done: dict[str, int] = {}

    async def take(self) -> bool:
        """Reopen some; returns whether there were any."""
        if not await self._approval.is_lacking():
            return False
        company = self._session.company
        for connection in self._connections:
            row = await self._store.one(MappingRow, company, connection)
            if row is None or self._done.get(connection) == row.position:
                continue
            changes = await self._store.some(
                ChangeRow, "decided_before", company, connection, row.position, CHANGES_PER_TURN
            )
            if changes:
                await self._session.decide(
                    [ChangeReopened(change=one.position, record_key=one.record_key, reason=REASON) for one in changes]
                )
                return True
            self._done[connection] = row.position
        return False
