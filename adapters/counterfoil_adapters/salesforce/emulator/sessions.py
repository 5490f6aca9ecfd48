"""Sign-in: an app, its user, and access tokens that live as long as the org's session setting says."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from counterfoil.emulating.ids import Ids
from counterfoil.ports import Clock
from counterfoil_schema import exact_json

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS_MAX = 300
SESSIONS_MAX = 2000
USERNAME = "integration@example.test"


class SignInError(Exception):
    """A token request that is refused, in the words of the token endpoint."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class App:
    """The external client app that the org knows."""

    client_id: str
    client_secret: str
    refresh_token: str
    username: str


class Sessions:
    """Issues access tokens and knows which of them are good.

    Args:
        seconds: a session's life; nothing in an answer tells it.
    """

    def __init__(self, ids: Ids, clock: Clock, org_id: str, seconds: float) -> None:
        self._ids = ids
        self._clock = clock
        self._org_id = org_id
        self._seconds = seconds
        self._good: dict[str, float] = {}
        self._key: RSAPrivateKey | None = None
        self.scopes = "api refresh_token"
        self.app = App(ids.secret(), ids.secret(), "5Aep" + ids.secret(), USERNAME)

    @property
    def key(self) -> RSAPrivateKey:
        """The key whose certificate the app was given; made when it is first asked for."""
        if self._key is None:
            self._key = generate_private_key(public_exponent=65537, key_size=2048)
        return self._key

    def private_key(self) -> str:
        """The same as PEM, as the client holds it."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def grant(self, form: Mapping[str, str]) -> str:
        """A new access token.

        Raises:
            SignInError: refused.
        """
        match form.get("grant_type"):
            case "client_credentials":
                self._client(form)
            case "refresh_token":
                self._client(form)
                if not hmac.compare_digest(form.get("refresh_token", ""), self.app.refresh_token):
                    raise SignInError("invalid_grant", "expired access/refresh token")
            case grant if grant == JWT_GRANT:
                self._assertion(form.get("assertion", ""))
            case _:
                raise SignInError("unsupported_grant_type", "grant type not supported")
        return self.issue()

    def issue(self) -> str:
        """An access token, good from now on."""
        token = f"{self._org_id[:15]}!{self._ids.secret()}"
        self._good[token] = self._clock.monotonic() + self._seconds
        while len(self._good) > SESSIONS_MAX:
            del self._good[next(iter(self._good))]
        return token

    def opens(self, token: str) -> bool:
        """Whether an access token is good now."""
        return self._good.get(token, 0.0) > self._clock.monotonic()

    def expire(self) -> int:
        """End every session; how many."""
        count = len(self._good)
        self._good.clear()
        return count

    def _client(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self.app.client_id:
            raise SignInError("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(form.get("client_secret", ""), self.app.client_secret):
            raise SignInError("invalid_client", "invalid client credentials")

    def _assertion(self, assertion: str) -> None:
        try:
            head, body, signature = assertion.split(".")
            self.key.public_key().verify(_bytes(signature), f"{head}.{body}".encode(), PKCS1v15(), SHA256())
            claims = exact_json.loads_object(_bytes(body))
            algorithm = exact_json.loads_object(_bytes(head)).get("alg")
        except (ValueError, InvalidSignature):
            raise SignInError("invalid_grant", "invalid assertion") from None
        expires = claims.get("exp")
        now = self._clock.now().timestamp()
        if algorithm != "RS256" or not isinstance(expires, int) or expires > now + ASSERTION_SECONDS_MAX:
            raise SignInError("invalid_grant", "invalid assertion")
        if expires < now:
            raise SignInError("invalid_grant", "expired authorization code")
        if claims.get("iss") != self.app.client_id:
            raise SignInError("invalid_client_id", "client identifier invalid")
        if claims.get("sub") != self.app.username:
            raise SignInError("invalid_grant", "user hasn't approved this consumer")
        if not str(claims.get("aud")).startswith(("https://login.", "https://test.", "http://127.", "https://127.")):
            raise SignInError("invalid_grant", "audience is invalid")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
