"""Tokens of an OAuth app, which say where the company is that they are for."""

from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr

from counterfoil.ports import Clock
from counterfoil.sources.http import BasicAuth, SourceHttp
from counterfoil.sources.oauth import AccessToken, TokenEndpoint
from counterfoil.sources.port import SourceError, TokenKeeper
from counterfoil_adapters.pipedrive.settings import PipedriveSettings

COMPANY_HOSTS = ".pipedrive.com"
ANY_HOST = "api.pipedrive.com"
LIFE_SECONDS = 3600


class CompanyToken:
    """An access token that moves the client to the address named with it."""

    def __init__(
        self, session: aiohttp.ClientSession, settings: PipedriveSettings, clock: Clock, keeper: TokenKeeper | None
    ) -> None:
        self._settings = settings
        self._http: SourceHttp | None = None
        endpoint = TokenEndpoint(
            session,
            settings.oauth_url.rstrip("/") + "/oauth/token",
            clock,
            "Pipedrive",
            basic=BasicAuth(settings.client_id or "", settings.client_secret or SecretStr("")),
            life_seconds=LIFE_SECONDS,
            timeout_seconds=settings.timeout_seconds,
            remedy="Connect the company again: unused, a refresh token ends after two months.",
        )
        self._token = AccessToken(
            endpoint.refresh, clock, "Pipedrive", refresh_token=settings.refresh_token, keeper=keeper
        )

    def use(self, http: SourceHttp) -> None:
        """The client that is to call the company."""
        self._http = http

    async def __call__(self) -> SecretStr:
        """A token to send now.

        Raises:
            SourceError: it has ended and cannot be renewed, or it is for another company.
        """
        tokens = await self._token.tokens()
        address = tokens.granted.get("api_domain")
        if address is not None and self._http is not None:
            self._admit(address)
            self._http.move(address)
        return await self._token()

    def forget(self, token: SecretStr) -> None:
        """Pipedrive answered 401 to a token."""
        self._token.forget(token)

    def _admit(self, address: str) -> None:
        """Tokens go to Pipedrive's own hosts, or to those that were configured; and to the right company's."""
        parts = urlsplit(address)
        configured = {_origin(self._settings.address), _origin(self._settings.oauth_url)}
        is_theirs = parts.scheme == "https" and (parts.hostname or "").endswith(COMPANY_HOSTS)
        if not is_theirs and _origin(address) not in configured:
            raise SourceError(
                f"Pipedrive's token answer names {address[:100]}, which is no address of Pipedrive's.",
                remedy="Check oauth_url in the connection's settings.",
            )
        domain = self._settings.company_domain
        if is_theirs and domain is not None and parts.hostname not in {f"{domain}{COMPANY_HOSTS}", ANY_HOST}:
            raise SourceError(
                f"The tokens are for {parts.hostname}, and the connection is for {domain}{COMPANY_HOSTS}.",
                remedy="Connect the right Pipedrive company, or correct company_domain.",
            )


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
