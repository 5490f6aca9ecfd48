"""Consents that were asked for: the state that must come back, which counts once and for minutes."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from counterfoil.ports import Clock, Entropy
from counterfoil.postgres.connect import Pool
from counterfoil.postgres.names import Names, load_query

CONSENT_SECONDS_MAX = 900.0
STATEMENT_SECONDS_MAX = 10.0
_STATE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """A consent that was asked for."""

    company: int
    redirect_uri: str
    expires_at: datetime


class Consents(Protocol):
    """Remembers what was asked, by the hash of its state, across all processes."""

    async def begin(self, state_hash: bytes, asked: Asked) -> None:
        """Remember it."""
        ...

    async def take(self, state_hash: bytes) -> Asked | None:
        """Give it out once; None for what was never asked, or was taken before."""
        ...


def new_state(entropy: Entropy) -> str:
    """A state that nobody can guess."""
    return urlsafe_b64encode(entropy.token_bytes(_STATE_BYTES)).decode().rstrip("=")


def hash_of(state: str) -> bytes:
    """What is kept of a state, and what is looked up: looking up a hash tells nothing by the time that it takes."""
    return hashlib.sha256(state.encode(errors="replace")).digest()


def is_same_browser(state: str, cookie: str | None) -> bool:
    """Whether the browser that brings a state is the one that was sent to the consent page with it."""
    return hmac.compare_digest(hash_of(state).hex().encode(), (cookie or "").encode(errors="replace"))


class PostgresConsents:
    """Keeps them in `counterfoil_state.consents`."""

    def __init__(self, pool: Pool, names: Names, clock: Clock) -> None:
        self._pool = pool
        self._names = names
        self._clock = clock

    async def begin(self, state_hash: bytes, asked: Asked) -> None:
        """See `Consents.begin`; those that have expired go."""
        await self._pool.execute(
            load_query("consents_tidy", self._names),
            self._clock.now() - timedelta(days=1),
            timeout=STATEMENT_SECONDS_MAX,
        )
        await self._pool.execute(
            load_query("consents_begin", self._names),
            state_hash,
            asked.company,
            asked.redirect_uri,
            asked.expires_at,
            timeout=STATEMENT_SECONDS_MAX,
        )

    async def take(self, state_hash: bytes) -> Asked | None:
        """See `Consents.take`."""
        row = await self._pool.fetchrow(
            load_query("consents_take", self._names), state_hash, timeout=STATEMENT_SECONDS_MAX
        )
        return Asked(row["company"], row["redirect_uri"], row["expires_at"]) if row else None
