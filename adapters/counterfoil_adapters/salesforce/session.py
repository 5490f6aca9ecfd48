"""Signing in: client credentials, JWT or a refresh token; which org that leads to, and the way to its own address."""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiolimiter import AsyncLimiter
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

from counterfoil.errors import ConfigurationError
from counterfoil.sources.http import SourceHttp
from counterfoil.sources.oauth import AccessToken, TokenEndpoint
from counterfoil.sources.port import SourceContext, SourceError, SourceTokens
from counterfoil_adapters.salesforce.settings import SalesforceSettings
from counterfoil_schema import exact_json

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 180
SHORT_ID = 15
ID_PARTS = 2
REMEDY = "Check the app's client_id and secrets, its policies and its user in Salesforce."


@dataclass(frozen=True, slots=True)
class Session:
    """A way to one org; `token` and `forget` are for calls that go elsewhere than `http`."""

    http: SourceHttp
    instance: str
    org_id: str
    token: Callable[[], Awaitable[SecretStr]]
    forget: Callable[[SecretStr], None]


class SignIn:
    """Keeps one connection signed in.

    Raises:
        ConfigurationError: a key that is none.
    """

    def __init__(self, context: SourceContext, settings: SalesforceSettings) -> None:
        self._context = context
        self._settings = settings
        self._key = _key(context.connection, settings.private_key)
        client: dict[str, str | SecretStr] = {}
        if self._key is None:
            client["client_id"] = settings.client_id
            if settings.client_secret is not None:
                client["client_secret"] = settings.client_secret
        self._endpoint = TokenEndpoint(
            context.http,
            settings.login_url.rstrip("/") + "/services/oauth2/token",
            context.clock,
            "Salesforce",
            client=client,
            timeout_seconds=settings.timeout_seconds,
            remedy=REMEDY,
        )
        renew = self._endpoint.client_credentials
        if self._key is not None:
            renew = self._by_assertion
        elif settings.refresh_token is not None:
            renew = self._endpoint.refresh
        self._access = AccessToken(
            renew, context.clock, "Salesforce", refresh_token=settings.refresh_token, keeper=context.tokens
        )
        self._pace = AsyncLimiter(settings.calls_per_second, 1)
        self._ways: dict[str, SourceHttp] = {}

    async def session(self) -> Session:
        """The way to the org, signed in.

        Raises:
            SourceError: refused, in Salesforce's words, or another org than the connection is pinned to.
        """
        tokens = await self._access.tokens()
        instance, identity = tokens.granted.get("instance_url", ""), tokens.granted.get("id", "")
        parts = urlsplit(identity).path.rsplit("/", ID_PARTS)[1:]
        address = urlsplit(instance)
        # The token goes where the answer says; never in the clear where signing in was not.
        secure = address.scheme == "https" or urlsplit(self._settings.login_url).scheme == "http"
        if not address.netloc or not secure or len(parts) != ID_PARTS:
            raise SourceError("Salesforce's answer to our sign-in does not name the org's address and identity.")
        org_id = parts[0]
        wanted = self._settings.org_id
        if wanted is not None and org_id[:SHORT_ID] != wanted[:SHORT_ID]:
            raise SourceError(
                f"The connection {self._context.connection} leads to the Salesforce org {org_id}, not to {wanted}.",
                remedy="Sign in with an app and user of that org, or correct org_id.",
            )
        return Session(self._way(instance), instance, org_id, self._access, self._access.forget)

    def _way(self, instance: str) -> SourceHttp:
        if instance not in self._ways:
            settings = self._settings
            self._ways = {
                instance: SourceHttp(
                    self._context.http,
                    instance,
                    self._access,
                    self._pace,
                    self._context.clock,
                    "Salesforce",
                    entropy=self._context.entropy,
                    forget_token=self._access.forget,
                    headers={"Sforce-Call-Options": f"client={settings.client}"},
                    timeout_seconds=settings.timeout_seconds,
                )
            }
        return self._ways[instance]

    async def _by_assertion(self, refresh_token: SecretStr | None) -> SourceTokens:
        del refresh_token
        if self._key is None:
            raise SourceError("The Salesforce connection has no private key.", remedy=REMEDY)
        claims = {
            "iss": self._settings.client_id,
            "sub": self._settings.username,
            "aud": self._settings.audience,
            "exp": int(self._context.clock.now().timestamp()) + ASSERTION_SECONDS,
        }
        head = _base64(exact_json.dumps({"alg": "RS256"})) + "." + _base64(exact_json.dumps(claims))
        signature = self._key.sign(head.encode(), PKCS1v15(), SHA256())
        assertion = SecretStr(f"{head}.{_base64(signature)}")
        return await self._endpoint.ask({"grant_type": JWT_GRANT, "assertion": assertion})


def _key(connection: str, pem: SecretStr | None) -> RSAPrivateKey | None:
    if pem is None:
        return None
    try:
        key = load_pem_private_key(pem.get_secret_value().encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError(
            f"private_key of the Salesforce connection {connection} is no RSA key in PEM without a password.",
            remedy="Give the key that belongs to the certificate of the app in Salesforce.",
        )
    return key


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
