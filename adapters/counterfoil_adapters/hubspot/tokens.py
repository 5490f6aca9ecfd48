"""Access tokens: a static one, or short-lived ones from a refresh token."""

import asyncio

from pydantic import SecretStr

from counterfoil.errors import ConfigurationError
from counterfoil.ports import Clock
from counterfoil.sources.http import SourceHttp
from counterfoil_adapters.hubspot.settings import HubSpotSettings

# Renewed this long before the end of its life, so that no call starts with a token that dies on the way.
AHEAD_SECONDS = 120.0


class StaticToken:
    """A service key or private app token: the same for ever."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    async def __call__(self) -> SecretStr:
        return self._token

    def use(self, http: SourceHttp) -> None:
        """It needs nobody to ask."""

    def forget(self, token: SecretStr) -> None:
        """A static token that is refused cannot be replaced by another."""


class RefreshedToken:
    """Access tokens of an OAuth app, kept in memory; HubSpot's live for half an hour (`expires_in` tells)."""

    def __init__(self, settings: HubSpotSettings, path: str, clock: Clock) -> None:
        self._settings = settings
        self._path = path
        self._clock = clock
        self._http: SourceHttp | None = None
        self._token: SecretStr | None = None
        self._good_until = 0.0
        self._lock = asyncio.Lock()

    def use(self, http: SourceHttp) -> None:
        """The client by which to ask; it in turn asks here for its tokens."""
        self._http = http

    async def __call__(self) -> SecretStr:
        async with self._lock:
            if self._token is None or self._clock.monotonic() >= self._good_until:
                self._token = await self._renew()
            return self._token

    def forget(self, token: SecretStr) -> None:
        """The token was refused: ask for another next time."""
        if self._token is not None and self._token.get_secret_value() == token.get_secret_value():
            self._token = None

    async def _renew(self) -> SecretStr:
        held = self._settings
        if self._http is None or held.client_secret is None or held.refresh_token is None:
            raise ConfigurationError("The HubSpot connection has no refresh token.", remedy="Connect it again.")
        form = {
            "grant_type": "refresh_token",
            "client_id": held.client_id or "",
            "client_secret": held.client_secret.get_secret_value(),
            "refresh_token": held.refresh_token.get_secret_value(),
        }
        answer = (await self._http.request("POST", self._path, form=form)).object()
        life = float(str(answer.get("expires_in", 1800)))
        self._good_until = self._clock.monotonic() + max(life - AHEAD_SECONDS, life / 2)
        return SecretStr(str(answer["access_token"]))


def token_source(settings: HubSpotSettings, path: str, clock: Clock) -> StaticToken | RefreshedToken:
    """The connection's tokens, by what its settings hold."""
    if settings.access_token is not None:
        return StaticToken(settings.access_token)
    return RefreshedToken(settings, path, clock)
