"""Access tokens: kept until they end, renewed ahead of it, and written down before they are used.

Gusto revokes the old refresh token when the new access token is first used (Gusto: refresh access token). A pair
that was used but not stored would lock us out after a crash, so storing comes first.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
from pydantic import SecretStr

from counterfoil.ports import Clock
from counterfoil.sources import SourceError
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object

AHEAD = timedelta(minutes=5)
LIFE_SECONDS = 7200
ANSWER_BYTES_MAX = 64 * 1024
RETRY_SECONDS = 10.0
CLIENT_ERRORS = range(400, 500)
TOO_MANY = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """A company's tokens as Gusto issued them."""

    access_token: SecretStr
    refresh_token: SecretStr
    expires_at: datetime


Store = Callable[[TokenPair], Awaitable[None]]
Load = Callable[[], Awaitable[TokenPair | None]]


class TokenEndpoint:
    """`POST /oauth/token`, with the secrets in the body: Gusto refuses them in the URL."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        clock: Clock,
        client_id: str,
        client_secret: SecretStr,
        timeout_seconds: float,
    ) -> None:
        self._session = session
        self._url = base_url.rstrip("/") + "/oauth/token"
        self._clock = clock
        self._client_id = client_id
        self._client_secret = client_secret
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)

    async def refresh(self, refresh_token: SecretStr) -> TokenPair:
        """A new pair for a refresh token. Asking again before the new pair is used is harmless.

        Raises:
            SourceError: no answer, or the refresh token is revoked (then `retry_after` is None).
        """
        answer = await self._ask({"grant_type": "refresh_token", "refresh_token": refresh_token.get_secret_value()})
        return TokenPair(
            access_token=_token(answer, "access_token"),
            refresh_token=_token(answer, "refresh_token"),
            expires_at=self._expiry(answer),
        )

    async def system(self) -> tuple[SecretStr, datetime]:
        """A system access token and when it ends.

        Raises:
            SourceError: no answer, or the client's credentials are wrong.
        """
        answer = await self._ask({"grant_type": "system_access"})
        return _token(answer, "access_token"), self._expiry(answer)

    def _expiry(self, answer: JsonObject) -> datetime:
        life = answer.get("expires_in")
        return self._clock.now() + timedelta(seconds=life if isinstance(life, int) else LIFE_SECONDS)

    async def _ask(self, grant: JsonObject) -> JsonObject:
        body = {"client_id": self._client_id, "client_secret": self._client_secret.get_secret_value(), **grant}
        try:
            async with self._session.post(
                self._url,
                data=dumps(body),
                headers={"Content-Type": "application/json", "Accept": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                raw = await response.content.read(ANSWER_BYTES_MAX)
                status = response.status
        except (TimeoutError, aiohttp.ClientError) as error:
            raise SourceError(
                f"Gusto did not answer a token request ({type(error).__name__}).", retry_after=RETRY_SECONDS
            ) from None
        try:
            answer = loads_object(raw)
        except ValueError:
            answer = {}
        if status in CLIENT_ERRORS and status != TOO_MANY:
            word = answer.get("error")
            raise SourceError(
                f"Gusto refuses our credentials: {word if isinstance(word, str) else status}.",
                remedy="Connect the company to Gusto again; check client_id and client_secret.",
            )
        if "access_token" not in answer:
            raise SourceError(f"Gusto answered a token request with {status}.", retry_after=RETRY_SECONDS)
        return answer


def _token(answer: JsonObject, name: str) -> SecretStr:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise SourceError(f"Gusto's answer to a token request lacks {name}.", retry_after=RETRY_SECONDS)
    return SecretStr(value)


class CompanyToken:
    """The company's access token.

    Args:
        endpoint: None where the token is fixed and cannot be renewed.
        store: told each new pair before it is used; a failure there keeps the new pair unused.
        load: asked once for the pair stored last, which wins over the one in the settings.
    """

    def __init__(
        self,
        access_token: SecretStr | None,
        refresh_token: SecretStr | None,
        endpoint: TokenEndpoint | None,
        clock: Clock,
        *,
        store: Store | None = None,
        load: Load | None = None,
    ) -> None:
        self._access = access_token
        self._refresh = refresh_token
        self._expires: datetime | None = None
        self._endpoint = endpoint
        self._clock = clock
        self._store = store
        self._load = load
        self._lock = asyncio.Lock()

    async def __call__(self) -> SecretStr:
        """A token to send now.

        Raises:
            SourceError: it has ended and cannot be renewed.
        """
        async with self._lock:
            if self._load is not None:
                stored = await self._load()
                self._load = None
                if stored is not None:
                    self._take(stored)
            if self._access is None or self._ending():
                await self._renew()
            if self._access is None:
                raise SourceError(
                    "Gusto's access token has ended and there is no refresh token.",
                    remedy="Give refresh_token, client_id and client_secret in the connection's settings.",
                )
            return self._access

    def forget(self, token: SecretStr) -> None:
        """Note that Gusto answered 401 to a token; a token that came since is kept."""
        if self._access is not None and self._access.get_secret_value() == token.get_secret_value():
            self._access = None

    def _ending(self) -> bool:
        return self._refresh is not None and self._expires is not None and self._expires - self._clock.now() <= AHEAD

    def _take(self, pair: TokenPair) -> None:
        self._access, self._refresh, self._expires = pair.access_token, pair.refresh_token, pair.expires_at

    async def _renew(self) -> None:
        if self._endpoint is None or self._refresh is None:
            return
        pair = await self._endpoint.refresh(self._refresh)
        if self._store is not None:
            await self._store(pair)
        self._take(pair)


class SystemToken:
    """The application's own token, for events and webhook subscriptions; several may be alive at once."""

    def __init__(self, given: SecretStr | None, endpoint: TokenEndpoint | None, clock: Clock) -> None:
        self._token = given
        self._expires: datetime | None = None
        self._endpoint = endpoint
        self._clock = clock
        self._lock = asyncio.Lock()

    async def __call__(self) -> SecretStr:
        """A token to send now.

        Raises:
            SourceError: there is none, and no credentials to get one with.
        """
        async with self._lock:
            if self._expires is not None and self._expires - self._clock.now() <= AHEAD:
                self._token = None
            if self._token is None and self._endpoint is not None:
                self._token, self._expires = await self._endpoint.system()
            if self._token is None:
                raise SourceError(
                    "Gusto's system access token is missing or has ended.",
                    remedy="Give client_id and client_secret in the connection's settings.",
                )
            return self._token

    def forget(self, token: SecretStr) -> None:
        """Note that Gusto answered 401 to a token."""
        if self._token is not None and self._token.get_secret_value() == token.get_secret_value():
            self._token = None
