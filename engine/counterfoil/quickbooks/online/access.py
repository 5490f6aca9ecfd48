"""A valid access token at any moment: refreshed ahead of time, by one process, and durable before it is used.

Intuit changes the refresh token about once a day, and the old one is dead from then on; two workers that refresh
with the same token can lose the connection (intuit/oauth-jsclient #138). So: a lock per company across processes,
a fresh look into the store once it is held, and the new set stored before anybody sees it. If the process dies
between Intuit's answer and that store, a token that Intuit had just changed is lost, and nothing but a new
consent helps; on all other days the old refresh token still works.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from pydantic import SecretStr

from counterfoil.ports import Clock, Entropy
from counterfoil.quickbooks.online.oauth import (
    ClientRefusedError,
    GrantRefusedError,
    TokenEndpointError,
    TokenError,
)
from counterfoil.secrets.tokens import RefreshLock, TokenSet, TokenStore, TokenStoreError

REFRESH_AHEAD_SECONDS = 600.0
REFRESH_JITTER_SECONDS = 120.0
RETRY_SECONDS_FIRST = 5.0
RETRY_SECONDS_MAX = 300.0
# Left on a token that is handed out, so that it does not expire on its way.
_MARGIN = timedelta(seconds=30)
_SAVE_TRIES_MAX = 3


class Refresher(Protocol):
    """What is needed of Intuit's token service (`TokenEndpoint`)."""

    async def refresh(self, refresh_token: SecretStr, *, generation: int) -> TokenSet:
        """New tokens for a refresh token.

        Raises:
            TokenError: refused, or no answer.
        """
        ...


class ReconnectNeededError(TokenError):
    """A person must connect QuickBooks again; holds until new tokens are stored."""

    def __init__(self, company: int) -> None:
        super().__init__(
            f"QuickBooks is no longer connected for company {company}.",
            remedy="Connect it again with `counterfoil connect quickbooks`; everything queued is kept.",
        )


class TokenUnavailableError(TokenError):
    """No valid token at present, but there may be one soon.

    Attributes:
        retry_after_seconds: when refreshing is tried again.
    """

    def __init__(self, company: int, reason: str, retry_after_seconds: float) -> None:
        super().__init__(
            f"There is no valid QuickBooks token for company {company}: {reason}", remedy="It is tried again by itself."
        )
        self.retry_after_seconds = retry_after_seconds


class TokenNotStoredError(TokenError):
    """The store did not take the new tokens; they are kept in memory and stored first thing next time."""


def _no_step(_name: str) -> None:
    """The default hook does nothing."""


class AccessTokens:
    """The tokens of one company's connection.

    Args:
        company: whose tokens.
        endpoint: Intuit's token service.
        store: where they are kept.
        lock: one refresher at a time across processes.
        clock: measures expiry.
        entropy: spreads refreshes, so that many connections made together do not refresh together.
        on_realm: told which realm the tokens lead to, whenever a set is taken up.
        on_step: told of each durable step ("token.locked", "token.answered", "token.saved"), for tests that kill
            the process there.
    """

    def __init__(
        self,
        company: int,
        *,
        endpoint: Refresher,
        store: TokenStore,
        lock: RefreshLock,
        clock: Clock,
        entropy: Entropy,
        on_realm: Callable[[str], None] = _no_step,
        on_step: Callable[[str], None] = _no_step,
    ) -> None:
        self.company = company
        self._endpoint = endpoint
        self._store = store
        self._lock = lock
        self._clock = clock
        self._entropy = entropy
        self._on_realm = on_realm
        self._on_step = on_step
        self._missing = False
        self._one_at_a_time = asyncio.Lock()
        self._tokens: TokenSet | None = None
        self._unsaved: TokenSet | None = None
        self._dead: TokenSet | None = None
        self._ahead = timedelta(seconds=REFRESH_AHEAD_SECONDS)
        self._failures = 0
        self._failure = ""
        self._retry_at = float("-inf")

    @property
    def current(self) -> TokenSet | None:
        """The tokens in use, for gauges of their age; None before the first call."""
        return self._tokens

    @property
    def reconnect_needed(self) -> bool:
        """Whether the connection waits for a person, as far as is known without asking the store."""
        return self._missing or self._dead is not None

    async def token(self) -> TokenSet:
        """A set whose access token is valid now.

        Raises:
            ReconnectNeededError: a person must connect again.
            TokenUnavailableError: not at present.
            ClientRefusedError: the app's own keys are wrong.
        """
        tokens = self._tokens
        if tokens is not None and self._dead is None and not self._due(tokens):
            return tokens
        async with self._one_at_a_time:
            return await self._present(rejected=None)

    async def token_after_rejection(self, rejected: TokenSet) -> TokenSet:
        """QuickBooks answered 401 to this set: a newer one, from the store or by refreshing now.

        Raises:
            ReconnectNeededError, TokenUnavailableError, ClientRefusedError: as `token`.
        """
        async with self._one_at_a_time:
            return await self._present(rejected=rejected)

    async def keep_alive(self, days: float) -> None:
        """Refresh now if the refresh token ends in less than so many days without use: each use begins its time anew.

        Raises:
            ReconnectNeededError, TokenUnavailableError, ClientRefusedError: as `token`.
        """
        async with self._one_at_a_time:
            tokens = await self._load()
            if self._clock.now() >= tokens.refresh_expires_at - timedelta(days=days):
                await self._present(rejected=tokens)

    async def _present(self, rejected: TokenSet | None) -> TokenSet:
        tokens = await self._seen(rejected)
        if self._usable(tokens, rejected) and (not self._due(tokens) or self._clock.monotonic() < self._retry_at):
            return tokens
        if self._clock.monotonic() < self._retry_at:
            wait = self._retry_at - self._clock.monotonic()
            raise TokenUnavailableError(self.company, f"refreshing failed a moment ago: {self._failure}", wait)
        try:
            return await self._refresh(tokens, rejected)
        except (TokenEndpointError, TokenNotStoredError, ClientRefusedError) as error:
            wait = self._back_off()
            self._failure = error.message
            if self._usable(tokens, rejected):
                return tokens
            if isinstance(error, ClientRefusedError):
                raise
            raise TokenUnavailableError(self.company, error.message, wait) from error
        except TokenUnavailableError:
            if self._usable(tokens, rejected):
                return tokens
            raise

    async def _seen(self, rejected: TokenSet | None) -> TokenSet:
        """The set in hand, or the stored one if that may be newer; a store that is away does not spoil a good one."""
        tokens = self._tokens
        if not (tokens is None or self._dead is not None or tokens is rejected or self._due(tokens)):
            return tokens
        try:
            return await self._load()
        except TokenUnavailableError:
            if tokens is not None and self._dead is None and self._usable(tokens, rejected):
                return tokens
            raise

    async def _refresh(self, seen: TokenSet, rejected: TokenSet | None) -> TokenSet:
        """Refresh under the lock, unless somebody else has done so in the meantime."""
        try:
            async with self._lock.hold(self.company):
                self._on_step("token.locked")
                if self._unsaved is None:
                    stored = await self._load()
                    if stored.generation != seen.generation and self._usable(stored, rejected):
                        return self._take(stored)
                    seen = stored
                return await self._to_the_end(seen)
        except TimeoutError as error:
            raise TokenNotStoredError("the lock or the token store did not answer in time.") from error

    async def _to_the_end(self, stored: TokenSet) -> TokenSet:
        """Ask and store as one: a caller that is cancelled in between waits for the end of it, then goes.

        Both halves have a timeout, so that this delays a shutdown by less than a minute.
        """
        rotation = asyncio.create_task(self._rotate(stored))
        try:
            return await asyncio.shield(rotation)
        except asyncio.CancelledError:
            await asyncio.wait([rotation])
            if not rotation.cancelled():
                rotation.exception()
            raise

    async def _rotate(self, stored: TokenSet) -> TokenSet:
        if self._unsaved is None:
            try:
                fresh = await self._endpoint.refresh(stored.refresh_token, generation=stored.generation + 1)
                self._unsaved = replace(
                    fresh, realm_id=stored.realm_id, hard_expires_at=fresh.hard_expires_at or stored.hard_expires_at
                )
            except GrantRefusedError:
                # A person may have reconnected, or a worker without our lock have rotated, while we asked.
                again = await self._load()
                if _same(again, stored):
                    self._dead = stored
                    raise ReconnectNeededError(self.company) from None
                return self._take(again)
            self._on_step("token.answered")
        return await self._save(self._unsaved)

    async def _save(self, tokens: TokenSet) -> TokenSet:
        """Store the new set before anybody uses it."""
        for attempt in range(_SAVE_TRIES_MAX):
            try:
                stored = await self._store.compare_and_set(self.company, tokens.generation - 1, tokens)
            # Whatever the store's trouble is: the only copy of a rotated token must not be lost to it.
            except Exception as error:
                if attempt + 1 == _SAVE_TRIES_MAX:
                    raise TokenNotStoredError("the new tokens could not be stored.") from error
                await self._clock.sleep(0.1 * 4**attempt)
                continue
            self._unsaved = None
            if not stored:
                # A person reconnected meanwhile: that consent is the newer one.
                return self._take(await self._load())
            self._on_step("token.saved")
            return self._take(tokens)
        raise AssertionError("the loop returns or raises")

    async def _load(self) -> TokenSet:
        try:
            stored = await self._store.get(self.company)
        except TokenStoreError as error:
            raise TokenUnavailableError(self.company, error.message, self._back_off()) from error
        self._missing = stored is None
        if stored is None:
            self._tokens = None
            raise ReconnectNeededError(self.company)
        if self._dead is not None and _same(self._dead, stored):
            raise ReconnectNeededError(self.company)
        self._dead = None
        if self._tokens is None or not _same(self._tokens, stored):
            self._tokens = stored
            self._on_realm(stored.realm_id)
            self._spread()
        return stored

    def _take(self, tokens: TokenSet) -> TokenSet:
        self._tokens = tokens
        self._failures = 0
        self._retry_at = float("-inf")
        self._spread()
        return tokens

    def _spread(self) -> None:
        self._ahead = timedelta(seconds=REFRESH_AHEAD_SECONDS + self._entropy.random() * REFRESH_JITTER_SECONDS)

    def _due(self, tokens: TokenSet) -> bool:
        return self._clock.now() >= tokens.access_expires_at - self._ahead

    def _usable(self, tokens: TokenSet, rejected: TokenSet | None) -> bool:
        fresh = self._clock.now() < tokens.access_expires_at - _MARGIN
        return fresh and (rejected is None or not _same(tokens, rejected))

    def _back_off(self) -> float:
        """Doubles from 5 s to 5 min, with jitter."""
        wait = min(RETRY_SECONDS_MAX, RETRY_SECONDS_FIRST * 2.0**self._failures) * (0.75 + self._entropy.random() / 2)
        self._failures = min(self._failures + 1, 10)
        self._retry_at = self._clock.monotonic() + wait
        return wait


def _same(one: TokenSet, other: TokenSet) -> bool:
    """Whether two sets are one: generations alone begin anew after a disconnection."""
    return one.generation == other.generation and _reveal(one.refresh_token) == _reveal(other.refresh_token)


def _reveal(secret: SecretStr) -> str:
    return secret.get_secret_value()


def first_generation(tokens: TokenSet, stored: TokenSet | None) -> TokenSet:
    """The set to store after a consent: it follows whatever is stored, so that it wins over a refresh under way."""
    return replace(tokens, generation=1 if stored is None else stored.generation + 1)
