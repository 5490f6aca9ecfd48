"""Who calls: API keys and tokens, and what each may see."""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from counterfoil.emulating import Ids, ShiftedClock
from counterfoil_schema.exact_json import JsonObject

LIFE = timedelta(hours=1)


@dataclass(slots=True)
class Caller:
    """A caller; `hides` names fields (`workEmail`, `jobInfo.department`) and tables that it may not see.

    `people` are the employees that it sees, None for all; `time` whether it sees time; `edits` whether it may write.
    """

    hides: set[str] = field(default_factory=set)
    people: set[str] | None = None
    time: bool = True
    edits: bool = True

    def sees(self, employee_id: str) -> bool:
        return self.people is None or employee_id in self.people

    def shows(self, name: str) -> bool:
        """A field of a person, a table, or `table.field`."""
        return name not in self.hides and name.partition(".")[0] not in self.hides


class Callers:
    """API keys, and one application's OAuth tokens. A refresh token goes on as it is: BambooHR may not rotate it."""

    def __init__(self, ids: Ids, clock: ShiftedClock) -> None:
        self._ids = ids
        self._clock = clock
        self.keys: dict[str, Caller] = {}
        self._tokens: dict[str, datetime] = {}
        self.application = Caller()
        self.api_key = self.add(Caller())
        self.client_id = ids.secret()
        self.client_secret = ids.secret()
        self.code = ids.secret()
        self.refresh_token = ids.secret()
        self.access_token = self._issue()

    def add(self, caller: Caller) -> str:
        """A new API key."""
        key = self._ids.secret()
        self.keys[key] = caller
        return key

    def authorise(self, header: str | None) -> Caller | None:
        """The caller behind an Authorization header."""
        scheme, _, given = (header or "").partition(" ")
        if scheme.lower() == "bearer":
            ends = self._tokens.get(given)
            return self.application if ends is not None and ends > self._clock.now() else None
        if scheme.lower() != "basic":
            return None
        try:
            user = base64.b64decode(given, validate=True).decode().partition(":")[0]
        except (binascii.Error, ValueError):
            return None
        return self.keys.get(user)

    def exchange(self, body: JsonObject) -> tuple[int, JsonObject]:
        """Status and body of the answer to a token request."""
        if (body.get("client_id"), body.get("client_secret")) != (self.client_id, self.client_secret):
            return 401, {"error": "invalid_client", "error_description": "Client authentication failed"}
        grants = {"refresh_token": ("refresh_token", self.refresh_token), "authorization_code": ("code", self.code)}
        wanted = grants.get(str(body.get("grant_type")))
        if wanted is None:
            return 400, {"error": "unsupported_grant_type", "error_description": "The grant type is not supported."}
        if body.get(wanted[0]) != wanted[1]:
            return 400, {"error": "invalid_grant", "error_description": f"The {wanted[0]} is invalid or has ended."}
        answer: JsonObject = {
            "access_token": self._issue(),
            "token_type": "Bearer",
            "expires_in": int(LIFE.total_seconds()),
            "scope": "employee employee:job time_tracking offline_access",
        }
        if body.get("grant_type") == "authorization_code":
            answer["refresh_token"] = self.refresh_token
        return 200, answer

    def expire(self) -> None:
        """End every access token now."""
        self._tokens.clear()

    def _issue(self) -> str:
        token = self._ids.secret()
        self._tokens[token] = self._clock.now() + LIFE
        return token
