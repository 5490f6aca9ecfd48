"""Intuit's OAuth 2.0: consent page, code for tokens, refresh, revoke (Intuit: "OAuth 2.0" pages).

A 200 is a success only if it carries usable tokens: clients have taken an error body for one
(mcohen01/node-quickbooks #171).
"""

import base64
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode, urlsplit

import aiohttp
from pydantic import SecretStr

from counterfoil.errors import CounterfoilError
from counterfoil.ports import Clock
from counterfoil.quickbooks.online.transport import BodyTooLargeError, read_bounded
from counterfoil.secrets.tokens import TokenSet
from counterfoil_schema.exact_json import JsonObject, loads_object

ACCOUNTING_SCOPE: Final = "com.intuit.quickbooks.accounting"
AUTHORIZE_URL: Final = "https://appcenter.intuit.com/connect/oauth2"
GRANT_URL: Final = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
REVOKE_URL: Final = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
REFRESH_DAYS: Final = 100
# Without it the answer does not say when the connection ends for good (Intuit's PHP client, 6.2.4).
_HARD_EXPIRY_HEADER: Final = "x-include-refresh-token-hard-expires-in"
_ANSWER_BYTES_MAX = 64 * 1024
_LIFETIME_SECONDS_MAX = 6 * 366 * 86_400
_OK, _BAD_REQUEST, _UNAUTHORIZED = 200, 400, 401


class TokenError(CounterfoilError):
    """No usable access token.

    ├── TokenEndpointError      passing trouble at the token endpoint
    ├── ClientRefusedError      Intuit does not accept the app's own credentials
    └── GrantRefusedError       the refresh token or code is dead
    """


class TokenEndpointError(TokenError):
    """The token endpoint cannot be reached, or answers with something that is no answer; worth another try."""


class ClientRefusedError(TokenError):
    """Intuit does not accept the app's client id and secret."""


class GrantRefusedError(TokenError):
    """`invalid_grant`: the refresh token or the code is expired, rotated away or revoked."""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The app's keys, one pair for sandbox and one for production."""

    client_id: str
    client_secret: SecretStr


class TokenEndpoint:
    """Speaks to Intuit's authorization server; keeps nothing.

    Args:
        session: shared HTTP session.
        credentials: the app's keys.
        clock: turns lifetimes into instants.
        grant_url, revoke_url: other addresses, for the emulator.
        timeout_seconds: for one call.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        credentials: ClientCredentials,
        *,
        clock: Clock,
        grant_url: str = GRANT_URL,
        revoke_url: str = REVOKE_URL,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._session = session
        self._credentials = credentials
        self._clock = clock
        self._grant_url = grant_url
        self._revoke_url = revoke_url
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)

    def authorize_url(self, *, redirect_uri: str, state: str, base: str = AUTHORIZE_URL) -> str:
        """The consent page to send the user to; `state` must come back unchanged."""
        fields = {
            "client_id": self._credentials.client_id,
            "response_type": "code",
            "scope": ACCOUNTING_SCOPE,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{base}?{urlencode(fields)}"

    async def exchange_code(self, code: SecretStr, *, redirect_uri: str, generation: int) -> TokenSet:
        """Turn the code of a callback into tokens. A code works once: never repeat this.

        Raises:
            TokenError: as its branches say.
        """
        return await self._grant(
            {"grant_type": "authorization_code", "code": code.get_secret_value(), "redirect_uri": redirect_uri},
            generation,
        )

    async def refresh(self, refresh_token: SecretStr, *, generation: int) -> TokenSet:
        """New tokens for a refresh token, as a set with this generation. The refresh token may be the same or new.

        Raises:
            TokenError: as its branches say.
        """
        return await self._grant(
            {"grant_type": "refresh_token", "refresh_token": refresh_token.get_secret_value()}, generation
        )

    async def revoke(self, token: SecretStr) -> None:
        """End the connection at Intuit, by either of its tokens.

        Raises:
            TokenError: as its branches say; GrantRefusedError if the token is dead already.
        """
        status, body = await self._post(self._revoke_url, json={"token": token.get_secret_value()})
        if status == _BAD_REQUEST and body.get("error") != "invalid_client":
            raise GrantRefusedError("Intuit does not know this token any more.", remedy="Nothing: it is ended already.")
        if status != _OK:
            raise _refusal(status, body)

    async def _grant(self, fields: dict[str, str], generation: int) -> TokenSet:
        status, body = await self._post(self._grant_url, data=fields)
        if status != _OK:
            raise _refusal(status, body)
        return self._token_set(body, generation)

    async def _post(
        self, url: str, *, data: dict[str, str] | None = None, json: dict[str, str] | None = None
    ) -> tuple[int, JsonObject]:
        pair = f"{self._credentials.client_id}:{self._credentials.client_secret.get_secret_value()}"
        basic = base64.b64encode(pair.encode()).decode()
        headers = {"Accept": "application/json", "Authorization": f"Basic {basic}", _HARD_EXPIRY_HEADER: "true"}
        try:
            async with self._session.post(
                url, data=data, json=json, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                body = await read_bounded(response, _ANSWER_BYTES_MAX)
                return response.status, _object_or_empty(body)
        # The texts of these errors may repeat what was sent; only their names go on.
        except (aiohttp.ClientError, TimeoutError, OSError, BodyTooLargeError) as error:
            reason = type(error).__name__
        raise TokenEndpointError(
            f"Intuit's token service at {urlsplit(url).netloc.rpartition('@')[2]} gave no answer ({reason}).",
            remedy="It is tried again by itself.",
        )

    def _token_set(self, body: JsonObject, generation: int) -> TokenSet:
        access, refresh = _opaque(body.get("access_token")), _opaque(body.get("refresh_token"))
        seconds = _seconds(body.get("expires_in"))
        if not access or not refresh or not seconds:
            raise TokenEndpointError(
                "Intuit's token service answered 200 without usable tokens.", remedy="It is tried again by itself."
            )
        now = self._clock.now()
        hard_seconds = _seconds(body.get("x_refresh_token_hard_expires_in"))
        refresh_seconds = _seconds(body.get("x_refresh_token_expires_in")) or REFRESH_DAYS * 86_400
        return TokenSet(
            access_token=SecretStr(access),
            refresh_token=SecretStr(refresh),
            access_expires_at=now + timedelta(seconds=seconds),
            refresh_expires_at=now + timedelta(seconds=refresh_seconds),
            generation=generation,
            hard_expires_at=now + timedelta(seconds=hard_seconds) if hard_seconds else None,
        )


def _refusal(status: int, body: JsonObject) -> TokenError:
    error = body.get("error")
    if error == "invalid_client" or (status == _UNAUTHORIZED and error != "invalid_grant"):
        return ClientRefusedError(
            "Intuit does not accept the app's client id and secret.",
            remedy="Check the keys in the settings: development keys are for the sandbox only.",
        )
    if status == _BAD_REQUEST and error == "invalid_grant":
        return GrantRefusedError(
            "Intuit does not accept the refresh token any more.", remedy="Connect QuickBooks again."
        )
    return TokenEndpointError(f"Intuit's token service answered HTTP {status}.", remedy="It is tried again by itself.")


def _object_or_empty(body: bytes) -> JsonObject:
    try:
        return loads_object(body)
    except (ValueError, ArithmeticError, RecursionError):
        return {}


def _opaque(value: object) -> str:
    """A token fit for a header: visible ASCII; "" for anything else."""
    return value if isinstance(value, str) and re.fullmatch(r"[!-~]{1,8192}", value) else ""


def _seconds(value: object) -> int | None:
    """A lifetime: a positive whole number, also one written as text, of a size that dates can hold."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LIFETIME_SECONDS_MAX:
        return value
    return None
