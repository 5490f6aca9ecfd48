"""Tokens as Intuit hands them out: an hour, a hundred days, a new refresh token after a day, five years at most.

Sources: Intuit's OAuth page, its FAQ on refresh tokens, its announcement of the five years, and its Python client.
"""

import hmac
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from counterfoil.ports import Clock, Entropy
from counterfoil.quickbooks.emulator.identity import Identity
from counterfoil_schema.exact_json import JsonObject, JsonValue

ACCESS_LIFETIME = timedelta(seconds=3600)
REFRESH_LIFETIME = timedelta(days=100)
ROTATION = timedelta(hours=24)
HARD_CAP = timedelta(seconds=157_680_000)
CODE_LIFETIME = timedelta(minutes=10)
ACCESS_TOKENS_MAX = 1000
CODES_MAX = 1000
ACCOUNTING = "com.intuit.quickbooks.accounting"
SIGN_IN_SCOPES = frozenset({"openid", "profile", "email", "phone", "address"})
COMPANY_SCOPES = frozenset(
    {
        ACCOUNTING,
        "com.intuit.quickbooks.payment",
        "app-foundations.custom-dimensions.read",
        "app-foundations.custom-field-definitions",
        "app-foundations.custom-field-definitions.read",
        "indirect-tax.tax-calculation.quickbooks",
        "payroll.compensation.read",
        "project-management.project",
        "time-tracking.time-entry",
    }
)


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
class _Refresh:
    value: str
    issued: datetime
    used: datetime


@dataclass(frozen=True, slots=True)
class _Code:
    redirect_uri: str
    expires: datetime
    scope: str


class TokenOffice:
    """The tokens of one connection between the app and the company.

    Args:
        reuse_revokes: a refresh with a token that was replaced ends the connection, as some have found.
    """

    def __init__(self, clock: Clock, entropy: Entropy, realm_id: str, *, reuse_revokes: bool = False) -> None:
        self._reuse_revokes = reuse_revokes
        self._former: set[str] = set()
        self.deny_next = False
        self._clock = clock
        self._realm_id = realm_id
        self.identity = Identity()
        self._entropy = entropy
        self.client_id = "AB" + self._secret(24)
        self.client_secret = self._secret(24)
        self.rotations = 0
        self.refreshes = 0
        self._access: dict[str, datetime] = {}
        self._codes: dict[str, _Code] = {}
        self._connected = clock.now()
        self._scope = ACCOUNTING
        self._refresh: _Refresh | None = self._new_refresh()

    @property
    def refresh_token(self) -> str:
        """The refresh token in force; empty when the connection was revoked."""
        return self._refresh.value if self._refresh is not None else ""

    def issue_access(self) -> str:
        """A new access token."""
        token = f"eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0..{self._secret(48)}"
        self._access[token] = self._clock.now() + ACCESS_LIFETIME
        while len(self._access) > ACCESS_TOKENS_MAX:
            del self._access[next(iter(self._access))]
        return token

    def access_is_good(self, token: str) -> bool:
        """Whether the access token is known and not expired."""
        expires = self._access.get(token)
        return expires is not None and self._clock.now() < expires

    def expire_access(self) -> None:
        """All access tokens end now."""
        self._access.clear()

    def revoke(self, token: str) -> bool:
        """End the connection that a token belongs to; whether there was one."""
        known = token in self._access or (self._refresh is not None and _same(token, self._refresh.value))
        if known:
            self.disconnect()
        return known

    def disconnect(self) -> None:
        """End the connection."""
        self._access.clear()
        self._refresh = None

    def rotate(self) -> None:
        """Let the next refresh bring a new refresh token."""
        if self._refresh is not None:
            self._refresh = _Refresh(self._refresh.value, self._clock.now() - ROTATION, self._refresh.used)

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
        self._codes[code] = _Code(redirect_uri, self._clock.now() + CODE_LIFETIME, scope)
        while len(self._codes) > CODES_MAX:
            del self._codes[next(iter(self._codes))]
        return code

    def grant(self, form: Mapping[str, str], *, hard_expiry: bool) -> JsonObject:
        """Tokens for a code or for a refresh token.

        Raises:
            OAuthRefusedError: 400.
        """
        match form.get("grant_type", ""):
            case "refresh_token":
                self._use_refresh(form.get("refresh_token", ""))
            case "authorization_code":
                self._use_code(form.get("code", ""), form.get("redirect_uri", ""))
            case "":
                raise OAuthRefusedError(400, "invalid_request", "grant_type is missing")
            case _:
                raise OAuthRefusedError(400, "unsupported_grant_type")
        body: JsonObject = {
            "token_type": "bearer",
            "access_token": self.issue_access(),
            "expires_in": int(ACCESS_LIFETIME.total_seconds()),
            "refresh_token": self.refresh_token,
            "x_refresh_token_expires_in": int(min(REFRESH_LIFETIME, self._left()).total_seconds()),
        }
        if hard_expiry:
            body["x_refresh_token_hard_expires_in"] = int(self._left().total_seconds())
        if "openid" in self._scope.split():
            body["id_token"] = self.identity.token(self.client_id, self._realm_id, self._clock.now())
        return body

    def saved(self) -> JsonObject:
        """Credentials and tokens, for a run that goes on from here."""
        refresh = self._refresh
        kept: JsonValue = (
            None if refresh is None else [refresh.value, refresh.issued.isoformat(), refresh.used.isoformat()]
        )
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "connected": self._connected.isoformat(),
            "scope": self._scope,
            "refresh": kept,
            "access": {token: until.isoformat() for token, until in self._access.items()},
        }

    def restore(self, state: JsonObject) -> None:
        """Take up what another run saved.

        Raises:
            KeyError, ValueError, TypeError: it is damaged; nothing is taken up.
        """
        kept, access = state["refresh"], state["access"]
        if not isinstance(access, dict) or not (kept is None or isinstance(kept, list)):
            raise TypeError("tokens are missing")
        tokens = {token: datetime.fromisoformat(str(until)) for token, until in access.items()}
        refresh = None
        if kept is not None:
            value, issued, used = kept
            refresh = _Refresh(str(value), datetime.fromisoformat(str(issued)), datetime.fromisoformat(str(used)))
        connected = datetime.fromisoformat(str(state["connected"]))
        self.client_id, self.client_secret = str(state["client_id"]), str(state["client_secret"])
        self._connected, self._scope = connected, str(state["scope"])
        self._access, self._refresh = tokens, refresh

    def _left(self) -> timedelta:
        """What is left of the five years since the consent."""
        return self._connected + HARD_CAP - self._clock.now()

    def _use_refresh(self, value: str) -> None:
        now = self._clock.now()
        current = self._refresh
        is_over = current is not None and (now - current.used > REFRESH_LIFETIME or self._left() <= timedelta(0))
        if current is None or is_over or not _same(value, current.value):
            if self._reuse_revokes and value in self._former:
                self.disconnect()
            raise OAuthRefusedError(400, "invalid_grant", "Incorrect or invalid refresh token")
        self.refreshes += 1
        if now - current.issued >= ROTATION:
            self.rotations += 1
            self._former.add(current.value)
            self._refresh = self._new_refresh()
        else:
            self._refresh = _Refresh(current.value, current.issued, now)

    def _use_code(self, value: str, redirect_uri: str) -> None:
        code = self._codes.pop(value, None)
        if code is None or code.expires < self._clock.now() or code.redirect_uri != redirect_uri:
            raise OAuthRefusedError(400, "invalid_grant", "Token invalid")
        self._connected = self._clock.now()
        self._scope = code.scope
        self._refresh = self._new_refresh()

    def _new_refresh(self) -> _Refresh:
        now = self._clock.now()
        return _Refresh(f"RT1-{self._secret(24)}", now, now)

    def _secret(self, size: int) -> str:
        return urlsafe_b64encode(self._entropy.token_bytes(size)).decode().rstrip("=").replace("-", "x")


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
