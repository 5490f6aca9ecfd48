"""OAuth as Gusto does it: two hours for an access token, and a refresh token that dies when its successor is used."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from counterfoil.emulating import Ids, ShiftedClock
from counterfoil_adapters.gusto.emulator.values import text, text_or_none
from counterfoil_schema.exact_json import JsonObject

LIFE = timedelta(hours=2)
Kind = Literal["company", "system"]


class OAuthError(Exception):
    """A token request that is refused; `status` is the HTTP status."""

    def __init__(self, error: str, description: str, status: int = 401) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status

    def body(self) -> JsonObject:
        return {"error": self.error, "error_description": self.description}


@dataclass(slots=True)
class Grant:
    """One access token; `supersedes` is the refresh token that dies when this access token is first used."""

    kind: Kind
    access_token: str
    refresh_token: str | None
    expires_at: datetime
    supersedes: str | None = None


class Tokens:
    """All tokens of one application at one company."""

    def __init__(self, ids: Ids, clock: ShiftedClock) -> None:
        self._ids = ids
        self._clock = clock
        self._grants: dict[str, Grant] = {}
        self._refresh: set[str] = set()
        self.client_id = ids.secret()
        self.client_secret = ids.secret()
        self.code = ids.secret()
        first = self._issue("company")
        self.access_token = first.access_token
        self.refresh_token = first.refresh_token or ""

    def exchange(self, body: JsonObject) -> JsonObject:
        """Answer a token request.

        Raises:
            OAuthError: wrong client, unknown or revoked grant.
        """
        client, secret = text_or_none(body, "client_id"), text_or_none(body, "client_secret")
        if (client, secret) != (self.client_id, self.client_secret):
            raise OAuthError("invalid_client", "Client authentication failed.")
        match text_or_none(body, "grant_type"):
            case "refresh_token":
                old = text_or_none(body, "refresh_token")
                if old is None or old not in self._refresh:
                    raise OAuthError("invalid_grant", "The refresh token is invalid, expired or revoked.")
                return self._answer(self._issue("company", supersedes=old))
            case "authorization_code":
                if text_or_none(body, "code") != self.code:
                    raise OAuthError("invalid_grant", "The authorization code is invalid or was used.")
                self.code = self._ids.secret()
                return self._answer(self._issue("company"))
            case "system_access":
                return self._answer(self._issue("system"))
            case _:
                raise OAuthError("unsupported_grant_type", "This grant type is not supported.", 400)

    def authorise(self, header: str | None) -> Grant | None:
        """The grant behind an Authorization header; using it revokes the refresh token that it replaced."""
        scheme, _, token = (header or "").partition(" ")
        grant = self._grants.get(token) if scheme.lower() == "bearer" else None
        if grant is None or grant.expires_at <= self._clock.now():
            return None
        if grant.supersedes is not None:
            self._refresh.discard(grant.supersedes)
            grant.supersedes = None
        return grant

    def expire(self) -> None:
        """End every access token now; refresh tokens live on."""
        for grant in self._grants.values():
            grant.expires_at = self._clock.now()

    def live_refresh_tokens(self) -> int:
        return len(self._refresh)

    def _issue(self, kind: Kind, supersedes: str | None = None) -> Grant:
        refresh = self._ids.secret() if kind == "company" else None
        grant = Grant(kind, self._ids.secret(), refresh, self._clock.now() + LIFE, supersedes)
        self._grants[grant.access_token] = grant
        if refresh is not None:
            self._refresh.add(refresh)
        return grant

    def _answer(self, grant: Grant) -> JsonObject:
        answer: JsonObject = {
            "access_token": grant.access_token,
            "token_type": "bearer",
            "expires_in": int(LIFE.total_seconds()),
            "scope": "public",
        }
        if grant.refresh_token is not None:
            answer["refresh_token"] = grant.refresh_token
        return answer


def read_token_request(body: JsonObject, query: JsonObject) -> JsonObject:
    """The body of a token request.

    Raises:
        OAuthError: a secret stands in the URL, where logs would keep it.
    """
    if query:
        raise OAuthError("invalid_request", "Send the parameters in the body, not in the URL.", 400)
    text(body, "grant_type", "")
    return body
