"""Tokens of sources in Postgres, encrypted; one chain of generations for each refresh token that was configured."""

import hashlib
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

from counterfoil.ports import Clock, Entropy
from counterfoil.postgres.connect import Pool
from counterfoil.postgres.names import Names, load_query
from counterfoil.secrets.envelope import MasterKeys, Origin, Sealed, seal, unseal

STATEMENT_SECONDS_MAX = 10.0
FORMER_KEPT = timedelta(days=30)
"""How long what came of a refresh token is kept once another one is configured."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How the tokens of one origin stand, without what is sealed.

    Attributes:
        access_expires_at: None where the source does not say.
        refused_at: since when the source has refused them; None while it has not.
    """

    connection: str
    origin: bytes
    generation: int
    access_expires_at: datetime | None
    stored_at: datetime
    refused_at: datetime | None


def origin_of(company: int, connection: str, configured: SecretStr) -> Origin:
    """Tells configured refresh tokens apart. The digest tells nothing of them: they are long and random."""
    text = f"counterfoil origin of tokens|{company}|{connection}|{configured.get_secret_value()}"
    return Origin(connection, hashlib.sha256(text.encode()).digest())


class SourceTokenStore(Protocol):
    """Keeps the tokens of sources, each generation whole and durably, or not at all."""

    async def get(self, company: int, origin: Origin) -> tuple[int, bytes] | None:
        """The generation stored last, and what it is; None before the first.

        Raises:
            SealError: it does not open.
        """
        ...

    async def put(
        self, company: int, origin: Origin, generation: int, secret: bytes, access_expires_at: datetime | None
    ) -> bool:
        """Store a generation if the one before it is still the last; False, with nothing changed, if not."""
        ...

    async def refuse(self, company: int, origin: Origin, generation: int) -> None:
        """Note since when the source refuses a generation."""
        ...


class SourceRefreshLock(Protocol):
    """Lets one process at a time renew the tokens of a source."""

    def hold(self, company: int, source: str = "") -> AbstractAsyncContextManager[None]:
        """Wait for the lock and hold it inside the context; freed as well when its process dies."""
        ...


class PostgresSourceTokens:
    """Keeps them in `counterfoil_state.source_tokens`.

    Args:
        pool: connections that act as the engine's role.
        names: the installation's schemas.
        keys: the master keys.
        clock: when they were stored.
        entropy: data keys and nonces; must be the system's outside of tests.
    """

    def __init__(self, pool: Pool, names: Names, *, keys: MasterKeys, clock: Clock, entropy: Entropy) -> None:
        self._pool = pool
        self._names = names
        self._keys = keys
        self._clock = clock
        self._entropy = entropy

    async def get(self, company: int, origin: Origin) -> tuple[int, bytes] | None:
        """The generation stored last, and what it is; None before the first.

        Raises:
            SealError: the row does not open.
        """
        query = load_query("source_tokens_get", self._names)
        row = await self._pool.fetchrow(query, company, origin.connection, origin.digest, timeout=STATEMENT_SECONDS_MAX)
        if row is None:
            return None
        generation: int = row["generation"]
        sealed = Sealed(row["format_version"], row["master_key"], row["wrapped_key"], row["ciphertext"])
        return generation, unseal(sealed, company=company, generation=generation, keys=self._keys, origin=origin)

    async def put(
        self, company: int, origin: Origin, generation: int, secret: bytes, access_expires_at: datetime | None
    ) -> bool:
        """Store a generation if the one before it is still the last; False, with nothing changed, if not."""
        sealed = seal(
            secret, company=company, generation=generation, keys=self._keys, entropy=self._entropy, origin=origin
        )
        now = self._clock.now()
        stored = await self._pool.fetchval(
            load_query("source_tokens_update" if generation > 1 else "source_tokens_insert", self._names),
            company,
            origin.connection,
            origin.digest,
            generation,
            sealed.format_version,
            sealed.master_key,
            sealed.wrapped_key,
            sealed.ciphertext,
            access_expires_at,
            now,
            timeout=STATEMENT_SECONDS_MAX,
        )
        if stored is not None and generation == 1:
            tidy = load_query("source_tokens_tidy", self._names)
            arguments = (company, origin.connection, origin.digest, now - FORMER_KEPT)
            await self._pool.execute(tidy, *arguments, timeout=STATEMENT_SECONDS_MAX)
        return stored is not None

    async def refuse(self, company: int, origin: Origin, generation: int) -> None:
        """Note since when the source refuses a generation."""
        query = load_query("source_tokens_refuse", self._names)
        arguments = (company, origin.connection, origin.digest, generation, self._clock.now())
        await self._pool.execute(query, *arguments, timeout=STATEMENT_SECONDS_MAX)


async def stands_of(pool: Pool, names: Names, company: int) -> list[Stand]:
    """All of a company's sources, the latest of each connection first."""
    rows = await pool.fetch(load_query("source_tokens_stand", names), company, timeout=STATEMENT_SECONDS_MAX)
    return [Stand(**dict(row)) for row in rows]
