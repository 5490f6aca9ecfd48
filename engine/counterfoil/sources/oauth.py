"""Access tokens of sources: asked for in time, written down before they are used, never asked for twice at once.

A vendor that rotates refresh tokens revokes the old one, some at once and some when the new pair is used: a pair that
was used and not stored would lock us out after a crash. So storing comes first. What a SIGKILL between the vendor's
answer and the store leads to, and for whom: ops/decisions/0016-tokens-of-sources.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import aiohttp
from aiolimiter import AsyncLimiter
from pydantic import SecretStr
from yarl import URL

from counterfoil.ports import Clock
from counterfoil.sources.http import BasicAuth, RefusedError, SourceHttp
from counterfoil.sources.port import SourceError, SourceTokens, TokenKeeper
from counterfoil_schema.exact_json import JsonObject, loads_object

AHEAD = timedelta(minutes=5)
"""Renewed this long before the end, so that no call starts with a token that dies on the way."""

CALLS_PER_SECOND = 5
TRIES = 3
RETRY_SECONDS = 10.0
WORDS_MAX = 200

Renew = Callable[[SecretStr | None], Awaitable[SourceTokens]]
"""Asks for new tokens; given the refresh token, if there is one."""


class TokenEndpoint:
    """A vendor's token endpoint.

    Args:
        url: whole, for example `https://api.example.com/oauth/token`; a query that the vendor wants may stand in it.
        client: sent with each request, for example client_id and client_secret.
        send: how the vendor wants its parameters; never in the URL, where logs would keep them.
        basic: user and password, where the vendor wants the client's credentials in the header.
        life_seconds: of an access token whose answer does not say; None: until it is refused.
        remedy: what a person does about refused credentials.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        clock: Clock,
        name: str,
        *,
        client: Mapping[str, str | SecretStr] | None = None,
        send: Literal["form", "json"] = "form",
        basic: BasicAuth | None = None,
        life_seconds: int | None = None,
        timeout_seconds: float = 30.0,
        tries: int = TRIES,
        remedy: str = "",
    ) -> None:
        whole = URL(url)
        self._path = whole.raw_path_qs
        self._http = SourceHttp(
            session,
            str(whole.origin()),
            None,
            AsyncLimiter(CALLS_PER_SECOND, 1),
            clock,
            name,
            headers=basic.headers() if basic is not None else None,
            timeout_seconds=timeout_seconds,
            tries=tries,
        )
        self._client = dict(client or {})
        self._send = send
        self._clock = clock
        self._name = name
        self._life_seconds = life_seconds
        self._remedy = remedy or f"Connect {name} again; check client_id and client_secret."

    async def ask(self, grant: Mapping[str, str | SecretStr]) -> SourceTokens:
        """Tokens for a grant.

        Raises:
            SourceError: no answer, or refused (then `retry_after` is None, and the vendor's words are in the message).
        """
        fields = {name: _plain(value) for name, value in {**self._client, **grant}.items()}
        try:
            if self._send == "form":
                answer = await self._http.request("POST", self._path, form=fields)
            else:
                answer = await self._http.request("POST", self._path, json=fields)
        except RefusedError as refused:
            words = _words(refused.body) or str(refused.status)
            raise SourceError(f"{self._name} refuses our credentials: {words}.", remedy=self._remedy) from None
        return self._read(answer.object())

    async def refresh(self, refresh_token: SecretStr | None) -> SourceTokens:
        """The refresh grant, as a `Renew`."""
        if refresh_token is None:
            raise SourceError(f"The {self._name} connection has no refresh token.", remedy=self._remedy)
        return await self.ask({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def client_credentials(self, refresh_token: SecretStr | None) -> SourceTokens:
        """The grant of the client itself, as a `Renew`; it needs no refresh token."""
        del refresh_token
        return await self.ask({"grant_type": "client_credentials"})

    def _read(self, answer: JsonObject) -> SourceTokens:
        access, refresh = answer.get("access_token"), answer.get("refresh_token")
        if not isinstance(access, str) or not access:
            missing = f"{self._name}'s answer to a token request lacks access_token."
            raise SourceError(missing, retry_after=RETRY_SECONDS)
        more = {
            name: str(value)
            for name, value in answer.items()
            if name not in {"access_token", "refresh_token", "id_token"} and isinstance(value, str | int)
        }
        return SourceTokens(
            access_token=SecretStr(access),
            refresh_token=SecretStr(refresh) if isinstance(refresh, str) and refresh else None,
            expires_at=self._expiry(more.get("expires_in", "")),
            granted=more,
        )

    def _expiry(self, told: str) -> datetime | None:
        seconds = int(told) if told.isdecimal() and len(told) < len("1000000000") else self._life_seconds
        return None if seconds is None else self._clock.now() + timedelta(seconds=seconds)


class AccessToken:
    """One connection's access token: a TokenSource for SourceHttp, with `forget` for its `forget_token`.

    Args:
        renew: asks the vendor, for example `TokenEndpoint.refresh`; None where the token cannot be renewed.
        name: the source's name as people know it.
        access_token, refresh_token: as configured; what the keeper holds of this refresh token wins, for it came later.
        keeper: `context.tokens`: told of new tokens before they are used, and asked for those stored last. Without a
            refresh token there is nothing to keep.
        ended: said where there is no token and no way to another, and what to do then.
    """

    def __init__(
        self,
        renew: Renew | None,
        clock: Clock,
        name: str,
        *,
        access_token: SecretStr | None = None,
        refresh_token: SecretStr | None = None,
        keeper: TokenKeeper | None = None,
        ended: tuple[str, str] | None = None,
    ) -> None:
        self._renew = renew
        self._clock = clock
        self._name = name
        self._configured = refresh_token
        self._keeper = keeper if refresh_token is not None else None
        self._ended = ended or (f"{name}'s access token is missing or has ended.", f"Connect {name} again.")
        self._tokens = SourceTokens(access_token=access_token, refresh_token=refresh_token)
        self._rejected: SecretStr | None = None
        self._unkept: SourceTokens | None = None
        self._renew_at: datetime | None = None
        self._has_looked = False
        self._lock = asyncio.Lock()

    async def __call__(self) -> SecretStr:
        """A token to send now.

        Raises:
            SourceError: it has ended and cannot be renewed.
        """
        access = (await self.tokens()).access_token
        if access is None:
            raise SourceError(self._ended[0], remedy=self._ended[1])
        return access

    async def tokens(self) -> SourceTokens:
        """The same with what else was granted, for example the address that Salesforce names."""
        async with self._lock:
            if not self._has_looked:
                await self._look()
                self._has_looked = True
            if not self._is_good() and self._renew is not None:
                await self._to_the_end(self._renew)
            return self._tokens

    def forget(self, token: SecretStr) -> None:
        """The vendor answered 401 to a token; one that came since is kept."""
        if _same(self._tokens.access_token, token):
            self._tokens = replace(self._tokens, access_token=None)
            self._rejected = token

    def _is_good(self) -> bool:
        ending = self._renew is not None and self._renew_at is not None and self._clock.now() >= self._renew_at
        return self._tokens.access_token is not None and not ending

    def _take(self, tokens: SourceTokens) -> None:
        self._tokens = tokens
        self._renew_at = None
        if tokens.expires_at is not None:
            now = self._clock.now()
            self._renew_at = max(tokens.expires_at - AHEAD, now + (tokens.expires_at - now) / 2)

    async def _look(self) -> None:
        """Take what was stored last, if it is news: another process may have renewed meanwhile."""
        if self._keeper is None or self._configured is None:
            return
        stored = await self._keeper.load(self._configured)
        if stored is None:
            self._tokens = replace(self._tokens, generation=0)
        elif stored.generation != self._tokens.generation:
            # What the vendor has refused meanwhile is no news; what it hands out itself is always taken.
            is_dead = self._rejected is not None and _same(stored.access_token, self._rejected)
            self._take(replace(stored, access_token=None) if is_dead else stored)

    async def _to_the_end(self, renew: Renew) -> None:
        """Ask and store as one: a caller that is cancelled in between waits for the end of it, then goes.

        Both halves have a timeout, so that this delays a shutdown by no more than those.
        """
        renewal = asyncio.create_task(self._replace(renew), name=f"renewal of {self._name}'s token")
        try:
            await asyncio.shield(renewal)
        except asyncio.CancelledError:
            await asyncio.wait([renewal])
            if not renewal.cancelled():
                renewal.exception()
            raise

    async def _replace(self, renew: Renew) -> None:
        if self._keeper is None:
            self._take(self._whole(await self._ask(renew)))
            return
        async with self._keeper.alone():
            if self._unkept is None:
                await self._look()
                if self._is_good():
                    return  # another process was first
                self._unkept = self._whole(await self._ask(renew))
            await self._keep(self._unkept)

    async def _ask(self, renew: Renew) -> SourceTokens:
        try:
            return await renew(self._tokens.refresh_token)
        except SourceError as refused:
            if refused.retry_after is not None:
                raise
            if _same(self._tokens.refresh_token, self._configured):
                await self._tell_refused()
                raise
        # A connection made anew may have been given the refresh token that is configured all along.
        try:
            return await renew(self._configured)
        except SourceError as refused:
            if refused.retry_after is None:
                await self._tell_refused()
            raise

    async def _tell_refused(self) -> None:
        if self._keeper is not None and self._configured is not None:
            await self._keeper.refused(self._configured, self._tokens)

    def _whole(self, fresh: SourceTokens) -> SourceTokens:
        """A vendor that does not rotate names no refresh token: the old one goes on."""
        refresh_token = fresh.refresh_token or self._tokens.refresh_token
        return replace(fresh, refresh_token=refresh_token, generation=self._tokens.generation + 1)

    async def _keep(self, fresh: SourceTokens) -> None:
        """Store before anybody uses it; what could not be stored is the only copy, and is stored first next time."""
        if self._keeper is None or self._configured is None:
            return
        stored = await self._keeper.store(self._configured, fresh)
        self._unkept = None
        if stored:
            self._take(fresh)
            return
        await self._look()
        if not self._is_good():
            raise SourceError(f"{self._name}'s tokens changed while they were renewed.", retry_after=RETRY_SECONDS)


def fixed_token(token: SecretStr) -> Callable[[], Awaitable[SecretStr]]:
    """A key that is the same for ever; once it is refused, the vendor's own words reach the person."""

    async def given() -> SecretStr:
        return token

    return given


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _same(left: SecretStr | None, right: SecretStr | None) -> bool:
    return (left.get_secret_value() if left else None) == (right.get_secret_value() if right else None)


def _words(body: bytes) -> str:
    """`error` and `error_description`, as OAuth names them, cut short."""
    try:
        answer = loads_object(body)
    except ValueError:
        return ""
    said = [answer.get(name) for name in ("error", "error_description", "message")]
    return ": ".join(word.rstrip(".") for word in said if isinstance(word, str) and word)[:WORDS_MAX]
