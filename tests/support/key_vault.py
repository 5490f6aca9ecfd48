"""A stand-in for Azure Key Vault: TLS, the bearer challenge, versions, soft deletion."""

import datetime as dt
import itertools
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from azure.core.credentials import AccessToken
from azure.keyvault.secrets.aio import SecretClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BEARER = "vault-bearer-of-the-test"
_YEAR_SECONDS = 31_536_000


class Credential:
    """Gives the token that the stand-in asks for, and remembers for what."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.scopes += scopes
        now = dt.datetime.now(dt.UTC)
        return AccessToken(BEARER, int(now.timestamp()) + _YEAR_SECONDS)

    async def close(self) -> None:
        """Nothing is held."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Nothing is held."""


@dataclass
class KeyVault:
    """The vault's contents, and what it was asked without a token.

    Attributes:
        trouble: statuses to answer next, instead of serving.
    """

    secrets: dict[str, list[str]] = field(default_factory=dict)
    deleted: dict[str, list[str]] = field(default_factory=dict)
    challenged: list[int] = field(default_factory=list)
    trouble: list[int] = field(default_factory=list)
    url: str = ""
    certificate: Path = Path()

    def application(self) -> web.Application:
        made = web.Application(middlewares=[self._guard])
        made.router.add_put("/secrets/{name}", self._set)
        made.router.add_get("/secrets/{name}/", self._get)
        made.router.add_get("/secrets/{name}", self._get)
        made.router.add_delete("/secrets/{name}", self._delete)
        made.router.add_get("/deletedsecrets/{name}", self._get_deleted)
        made.router.add_post("/deletedsecrets/{name}/recover", self._recover)
        return made

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {BEARER}":
            self.challenged.append(len(await request.read()))
            asked = (
                'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"'
            )
            return web.json_response(
                {"error": {"code": "Unauthorized"}}, status=401, headers={"WWW-Authenticate": asked}
            )
        if self.trouble:
            return web.json_response({"error": {"code": "Trouble", "message": ""}}, status=self.trouble.pop(0))
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _set(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name in self.deleted:
            return _error(409, "Conflict")
        body = await request.json()
        self.secrets.setdefault(name, []).append(body["value"])
        return web.json_response(self._bundle(name, self.secrets[name]))

    async def _get(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.secrets:
            return _error(404, "SecretNotFound")
        return web.json_response(self._bundle(name, self.secrets[name]))

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.secrets:
            return _error(404, "SecretNotFound")
        self.deleted[name] = self.secrets.pop(name)
        return web.json_response(self._deleted(name))

    async def _get_deleted(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.json_response(self._deleted(name)) if name in self.deleted else _error(404, "SecretNotFound")

    async def _recover(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.deleted:
            return _error(404, "SecretNotFound")
        self.secrets[name] = self.deleted.pop(name)
        return web.json_response(self._bundle(name, self.secrets[name]))

    def _deleted(self, name: str) -> dict[str, Any]:
        return {**self._bundle(name, self.deleted[name]), "recoveryId": f"{self.url}/deletedsecrets/{name}"}

    def _bundle(self, name: str, versions: list[str]) -> dict[str, Any]:
        identity = f"{self.url}/secrets/{name}/{len(versions):032x}"
        stamps = {"enabled": True, "created": 1_790_000_000, "updated": 1_790_000_000, "recoverableDays": 90}
        return {"value": versions[-1], "id": identity, "contentType": "application/json", "attributes": stamps}


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": code}}, status=status)


_serials = itertools.count(1)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A throw-away certificate for this machine's loopback address, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "key vault of a test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(next(_serials))
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "vault.crt", folder / "vault.key"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


@asynccontextmanager
async def key_vault(folder: Path) -> AsyncIterator[KeyVault]:
    """A vault on the loopback address for the length of a block."""
    vault = KeyVault()
    vault.certificate, key = _certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(vault.certificate, key)
    runner = web.AppRunner(vault.application())
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        (address,) = runner.addresses
        vault.url = f"https://127.0.0.1:{address[1]}"
        yield vault
    finally:
        await runner.cleanup()


def vault_client(vault: KeyVault, credential: Credential) -> SecretClient:
    """Azure's own client, pointed at the stand-in; its host name is not the vaults' one, so that is not checked."""
    return SecretClient(
        vault.url,
        credential,
        verify_challenge_resource=False,
        connection_verify=str(vault.certificate),
        retry_total=0,
    )
