"""Tokens as Intuit hands them out: an hour, a hundred days, a new refresh token after a day, five years at most.

Sources: Intuit's OAuth page, its FAQ on refresh tokens, its announcement of the five years, and its Python client.
"""

import hmac
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from counterfoil.ports import Clock, Entropy
from counterfoil.quickbooks.emulator.grants import (
    Code,
    Connection,
    Refresh,
    access_from,
    access_saved,
    connection_from,
    connection_saved,
)
from counterfoil.quickbooks.emulator.identity import Identity
from counterfoil_schema.exact_json import JsonObject

ACCESS_LIFETIME = timedelta(seconds=3600)
REFRESH_LIFETIME = timedelta(days=100)
ROTATION = timedelta(hours=24)
HARD_CAP = timedelta(seconds=157_680_000)
CODE_LIFETIME = timedelta(minutes=10)
ACCESS_TOKENS_MAX = 1000
CODES_MAX = 1000
CONNECTIONS_MAX = 1000
FIRST = 1
ACCOUNTING = "com.intuit.quickbooks.accounting"
Kept = TypeVar("Kept")
Held = TypeVar("Held")


class OAuthRefusedError(Exception):
    """An answer of the token endpoint other than 200."""

    def __init__(self, status: int, error: str, description: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.description = description

    def body(self) -> JsonObject:
        body: JsonObject = {"error": self.error}
        if self.description:
            body["error_description"] = self.description
        return body


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What Intuit's pages leave open about tokens.

    Attributes:
        reuse_revokes: a refresh with a token that was replaced ends its connection, as some have found.
        used_code_revokes: so does a code that is sent a second time.
        one_connection: a new consent ends what earlier ones gave, and a revocation ends everything.
    """

    reuse_revokes: bool = False
    used_code_revokes: bool = False
    one_connection: bool = False


class TokenOffice:
    """The tokens between the app and the company, of every consent.

    Args:
        rules: what Intuit's pages leave open.
    """

    def __init__(self, clock: Clock, entropy: Entropy, realm_id: str, rules: TokenRules | None = None) -> None:
        self._rules = rules or TokenRules()
        self.deny_next = False
        self._clock = clock
        self._realm_id = realm_id
        self.identity = Identity()
        self._entropy = entropy
        self.client_id = "AB" + self._secret(24)
        self.client_secret = self._secret(24)
        self.rotations = 0
        self.refreshes = 0
        self._access: dict[str, tuple[datetime, int]] = {}
        self._codes: dict[str, Code] = {}
        self._used_codes: dict[str, int] = {}
        self._connections: dict[int, Connection] = {}
        self._latest = 0
        self._connect(ACCOUNTING)

    @property
    def refresh_token(self) -> str:
        """The refresh token in force of the latest consent that has not ended; empty when all have."""
        living = [one.refresh.value for one in self._connections.values() if one.refresh is not None]
        return living[-1] if living else ""

    def issue_access(self, connection: int = FIRST) -> str:
        """A new access token, by default of the connection that there is from the beginning."""
        token = f"eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0..{self._secret(48)}"
        self._access[token] = (self._clock.now() + ACCESS_LIFETIME, connection)
        _bound(self._access, ACCESS_TOKENS_MAX)
        return token

    def access_is_good(self, token: str) -> bool:
        """Whether the access token is known and not expired."""
        known = self._access.get(token)
        return known is not None and self._clock.now() < known[0]

    def expire_access(self) -> None:
        """All access tokens end now."""
        self._access.clear()

    def revoke(self, token: str) -> bool:
        """End the connection that a token belongs to; whether there was one."""
        number = self._access[token][1] if token in self._access else self._holder(token)
        if number is None:
            return False
        if self._rules.one_connection:
            self.disconnect()
        else:
            self._end(number)
        return True

    def disconnect(self) -> None:
        """End every connection, as the company's owner does."""
        self._access.clear()
        for number in self._connections:
            self._end(number)

    def rotate(self) -> None:
        """Let the next refresh bring a new refresh token."""
        for one in self._connections.values():
            if one.refresh is not None:
                one.refresh = Refresh(one.refresh.value, self._clock.now() - ROTATION, one.refresh.used)

    def check_client(self, authorization: str, form: Mapping[str, str]) -> None:
        """The app's credentials, in the header or in the body.

        Raises:
            OAuthRefusedError: 401 invalid_client.
        """
        identifier, secret = _basic(authorization) or (form.get("client_id", ""), form.get("client_secret", ""))
        # Both are compared, whatever the first gives.
        if not _same(identifier, self.client_id) & _same(secret, self.client_secret):
            raise OAuthRefusedError(401, "invalid_client")

    def new_code(self, redirect_uri: str, scope: str) -> str:
        """A code for one exchange."""
        code = "AB11" + self._secret(32)
        self._codes[code] = Code(redirect_uri, self._clock.now() + CODE_LIFETIME, scope)
        _bound(self._codes, CODES_MAX)
        return code

    def grant(self, form: Mapping[str, str], *, hard_expiry: bool) -> JsonObject:
        """Tokens for a code or for a refresh token.

        Raises:
            OAuthRefusedError: 400.
        """
        match form.get("grant_type", ""):
            case "refresh_token":
                number = self._use_refresh(form.get("refresh_token", ""))
            case "authorization_code":
                number = self._use_code(form.get("code", ""), form.get("redirect_uri", ""))
            case "":
                raise OAuthRefusedError(400, "invalid_request", "grant_type is missing")
            case _:
                raise OAuthRefusedError(400, "unsupported_grant_type")
        one = self._connections[number]
        left = self._left(one)
        body: JsonObject = {
            "token_type": "bearer",
            "access_token": self.issue_access(number),
            "expires_in": int(ACCESS_LIFETIME.total_seconds()),
            "refresh_token": one.refresh.value if one.refresh is not None else "",
            "x_refresh_token_expires_in": int(min(REFRESH_LIFETIME, left).total_seconds()),
        }
        if hard_expiry:
            body["x_refresh_token_hard_expires_in"] = int(left.total_seconds())
        if "openid" in one.scope.split():
            body["id_token"] = self.identity.token(self.client_id, self._realm_id, self._clock.now())
        return body

    def saved(self) -> JsonObject:
        """Credentials and tokens, for a run that goes on from here."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "connections": [connection_saved(number, one) for number, one in self._connections.items()],
            "access": {token: access_saved(*known) for token, known in self._access.items()},
        }

    def restore(self, state: JsonObject) -> None:
        """Take up what another run saved.

        Raises:
            KeyError, ValueError, TypeError: it is damaged; nothing is taken up.
        """
        kept, access = state["connections"], state["access"]
        if not isinstance(access, dict) or not isinstance(kept, list):
            raise TypeError("tokens are missing")
        connections = dict(connection_from(one) for one in kept)
        tokens = {token: access_from(known) for token, known in access.items()}
        self.client_id, self.client_secret = str(state["client_id"]), str(state["client_secret"])
        self._connections, self._access = connections, tokens
        self._latest = max(connections, default=0)

    def _left(self, one: Connection) -> timedelta:
        """What is left of the five years since the consent."""
        return one.connected + HARD_CAP - self._clock.now()

    def _holder(self, value: str) -> int | None:
        """The connection whose refresh token in force this is."""
        for number, one in self._connections.items():
            if one.refresh is not None and _same(value, one.refresh.value):
                return number
        return None

    def _end(self, number: int) -> None:
        one = self._connections.get(number)
        if one is not None:
            one.refresh = None
        self._access = {token: known for token, known in self._access.items() if known[1] != number}

    def _connect(self, scope: str) -> int:
        self._latest += 1
        self._connections[self._latest] = Connection(self._clock.now(), scope, self._new_refresh(), set())
        _bound(self._connections, CONNECTIONS_MAX)
        return self._latest

    def _use_refresh(self, value: str) -> int:
        now = self._clock.now()
        number = self._holder(value)
        one = self._connections.get(number) if number is not None else None
        current = one.refresh if one is not None else None
        if number is None or one is None or current is None:
            for held, other in self._connections.items():
                if self._rules.reuse_revokes and value in other.former:
                    self._end(held)
            raise OAuthRefusedError(400, "invalid_grant", "Incorrect or invalid refresh token")
        if now - current.used > REFRESH_LIFETIME or self._left(one) <= timedelta(0):
            raise OAuthRefusedError(400, "invalid_grant", "Incorrect or invalid refresh token")
        self.refreshes += 1
        if now - current.issued >= ROTATION:
            self.rotations += 1
            one.former.add(current.value)
            one.refresh = self._new_refresh()
        else:
            one.refresh = Refresh(current.value, current.issued, now)
        return number

    def _use_code(self, value: str, redirect_uri: str) -> int:
        code = self._codes.pop(value, None)
        if code is None or code.expires < self._clock.now() or code.redirect_uri != redirect_uri:
            if self._rules.used_code_revokes and value in self._used_codes:
                self._end(self._used_codes[value])
            raise OAuthRefusedError(400, "invalid_grant", "Token invalid")
        if self._rules.one_connection:
            for one in self._connections.values():
                one.refresh = None
        number = self._connect(code.scope)
        self._used_codes[value] = number
        _bound(self._used_codes, CODES_MAX)
        return number

    def _new_refresh(self) -> Refresh:
        now = self._clock.now()
        return Refresh(f"RT1-{self._secret(24)}", now, now)

    def _secret(self, size: int) -> str:
        return urlsafe_b64encode(self._entropy.token_bytes(size)).decode().rstrip("=").replace("-", "x")


def _bound(kept: dict[Kept, Held], most: int) -> None:
    """Let the oldest go."""
    while len(kept) > most:
        del kept[next(iter(kept))]


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode())


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        identifier, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except (Base64Error, ValueError):
        return ("", "")
    return identifier, secret
