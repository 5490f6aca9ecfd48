"""Where Intuit's authorization server is: as its discovery document says, else where it has always been.

Intuit: "Discovery document" page. Only the user-info address differs between sandbox and production.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from counterfoil.quickbooks.online.oauth import AUTHORIZE_URL, GRANT_URL, REVOKE_URL
from counterfoil.quickbooks.online.transport import BodyTooLargeError, read_bounded
from counterfoil_schema.exact_json import JsonObject, loads_object

DISCOVERY: Final[Mapping[str, str]] = {
    "production": "https://developer.api.intuit.com/.well-known/openid_configuration",
    "sandbox": "https://developer.api.intuit.com/.well-known/openid_sandbox_configuration",
}
_BYTES_MAX = 64 * 1024
_OK = 200


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The three addresses that a connection needs."""

    authorize: str = AUTHORIZE_URL
    grant: str = GRANT_URL
    revoke: str = REVOKE_URL


def known_endpoints(base_url: str | None) -> Endpoints:
    """The addresses without asking: Intuit's, or those of an emulator at this address."""
    if base_url is None:
        return Endpoints()
    here = base_url.rstrip("/")
    return Endpoints(f"{here}/connect/oauth2", f"{here}/oauth2/v1/tokens/bearer", f"{here}/v2/oauth2/tokens/revoke")


def endpoints_from(document: JsonObject, known: Endpoints, *, base_url: str | None) -> Endpoints:
    """What a discovery document says, as far as it can be trusted with an app's secret; else what is known.

    Args:
        base_url: of an emulator; None for Intuit, whose addresses must be https below intuit.com.
    """

    def trusted(name: str, otherwise: str) -> str:
        url = document.get(name)
        if not isinstance(url, str):
            return otherwise
        parts = urlsplit(url)
        if base_url is not None:
            return url if parts.netloc == urlsplit(base_url).netloc else otherwise
        host = parts.hostname or ""
        is_intuit = host == "intuit.com" or host.endswith(".intuit.com")
        return url if parts.scheme == "https" and is_intuit and parts.username is None else otherwise

    return Endpoints(
        trusted("authorization_endpoint", known.authorize),
        trusted("token_endpoint", known.grant),
        trusted("revocation_endpoint", known.revoke),
    )


async def discover(
    session: aiohttp.ClientSession, environment: str, base_url: str | None, *, timeout_seconds: float = 10.0
) -> Endpoints:
    """Ask for the discovery document; what is known counts where there is no usable answer."""
    known = known_endpoints(base_url)
    url = f"{base_url.rstrip('/')}/.well-known/openid_configuration" if base_url else DISCOVERY[environment]
    try:
        async with session.get(
            url,
            headers={"Accept": "application/json"},
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            allow_redirects=False,
        ) as response:
            if response.status != _OK:
                return known
            document = loads_object(await read_bounded(response, _BYTES_MAX))
    except (aiohttp.ClientError, TimeoutError, OSError, BodyTooLargeError, ValueError, ArithmeticError, RecursionError):
        return known
    return endpoints_from(document, known, base_url=base_url)
