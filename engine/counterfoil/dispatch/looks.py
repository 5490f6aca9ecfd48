"""When to look again for evidence of a lost call: at once, then ever less often, because each look is metered."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from counterfoil.state.rows import IntentRow

FIRST_SECONDS = 2.0
LONGEST_SECONDS = 8.0


@dataclass(slots=True)
class Looks:
    """How often each attempt was looked for, and when its turn comes again, in seconds of one monotonic clock."""

    _turns: dict[tuple[str, int | None], tuple[int, float]] = field(default_factory=dict)

    def due(self, rows: Sequence[IntentRow], now: float) -> list[IntentRow]:
        """Those whose turn it is; the others are left for later, what is no longer asked for is forgotten."""
        turns: dict[tuple[str, int | None], tuple[int, float]] = {}
        found: list[IntentRow] = []
        for row in rows:
            attempt = (row.intent_id, row.sent)
            looked, again = self._turns.get(attempt, (0, now))
            if again <= now:
                found.append(row)
                wait = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0**looked)
                looked, again = looked + 1, now + wait
            turns[attempt] = (looked, again)
        self._turns = turns
        return found
