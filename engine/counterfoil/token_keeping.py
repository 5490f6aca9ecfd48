"""Keeps what OAuth sources grant, sealed, across restarts: what stands behind `SourceContext.tokens`."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime

import asyncpg
from pydantic import SecretStr

from counterfoil.secrets.envelope import SealError
from counterfoil.secrets.source_tokens import SourceRefreshLock, SourceTokenStore, origin_of
from counterfoil.sources import SourceError, SourceTokens

RETRY_SECONDS = 10.0


class SourceTokenKeeper:
    """The tokens of one connection; see `TokenKeeper`.

    Args:
        store: where they are kept.
        lock: one process at a time renews; it must be of a purpose of its own.
        step: told of each durable step ("source_token.locked", ".answered", ".saved"), for tests that kill there.
    """

    def __init__(
        self,
        company: int,
        connection: str,
        *,
        store: SourceTokenStore,
        lock: SourceRefreshLock,
        step: Callable[[str], None],
    ) -> None:
        self._company = company
        self._connection = connection
        self._store = store
        self._lock = lock
        self._step = step

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """See `TokenKeeper.alone`."""
        with self._told("cannot be renewed now"):
            async with self._lock.hold(self._company, self._connection):
                self._step("source_token.locked")
                yield

    async def load(self, configured: SecretStr) -> SourceTokens | None:
        """See `TokenKeeper.load`."""
        try:
            with self._told("cannot be read now"):
                found = await self._store.get(self._company, origin_of(self._company, self._connection, configured))
        except SealError as sealed:
            raise SourceError(sealed.message, remedy=sealed.remedy) from None
        return _decoded(found[1], found[0]) if found is not None else None

    async def store(self, configured: SecretStr, tokens: SourceTokens) -> bool:
        """See `TokenKeeper.store`."""
        self._step("source_token.answered")
        origin = origin_of(self._company, self._connection, configured)
        with self._told("could not be stored, and are not used before they are"):
            stored = await self._store.put(
                self._company, origin, tokens.generation, _encoded(tokens), tokens.expires_at
            )
        self._step("source_token.saved")
        return stored

    async def refused(self, configured: SecretStr, tokens: SourceTokens) -> None:
        """See `TokenKeeper.refused`; what was only configured so far is kept as well, to be told of."""
        origin = origin_of(self._company, self._connection, configured)
        with self._told("cannot be read now"):
            if tokens.generation == 0:
                await self._store.put(self._company, origin, 1, _encoded(tokens), None)
            await self._store.refuse(self._company, origin, max(1, tokens.generation))

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as trouble:
            raise SourceError(
                f"The tokens of {self._connection} {what}: {type(trouble).__name__}.",
                remedy="It is tried again by itself; see whether Postgres answers.",
                retry_after=RETRY_SECONDS,
            ) from None


def _encoded(tokens: SourceTokens) -> bytes:
    """Plain text, to be sealed at once."""
    return json.dumps(
        {
            "access_token": _plain(tokens.access_token),
            "refresh_token": _plain(tokens.refresh_token),
            "expires_at": tokens.expires_at.isoformat() if tokens.expires_at is not None else None,
            "granted": dict(tokens.granted),
        }
    ).encode()


def _decoded(plain: bytes, generation: int) -> SourceTokens:
    fields = json.loads(plain)
    ends = fields["expires_at"]
    return SourceTokens(
        access_token=_secret(fields["access_token"]),
        refresh_token=_secret(fields["refresh_token"]),
        expires_at=datetime.fromisoformat(ends) if ends is not None else None,
        granted=fields["granted"],
        generation=generation,
    )


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def _secret(text: str | None) -> SecretStr | None:
    return SecretStr(text) if text is not None else None
