"""Tokens in AWS Secrets Manager, one secret a company; needs the extra `aws`.

A put is no compare-and-set: of several at once the last one wins. So a new version is stored under a label of ours
first, and AWSCURRENT is then moved to it from the version that was compared: Secrets Manager refuses the move if that
one is current no longer (AWS: UpdateSecretVersionStage, RemoveFromVersionId). Encryption at rest is KMS's.
"""

import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from counterfoil.errors import ConfigurationError
from counterfoil.ports import Entropy
from counterfoil.secrets.codec import decode_owned, encode_owned
from counterfoil.secrets.tokens import TokenSet, TokenStoreError, require_next_generation

if TYPE_CHECKING:
    from types_aiobotocore_secretsmanager.client import SecretsManagerClient

_CURRENT: Final = "AWSCURRENT"
_PENDING: Final = "COUNTERFOIL_PENDING"
_CONNECT_SECONDS, _READ_SECONDS = 5.0, 10.0
_TRIES_MAX = 3


@dataclass(frozen=True, slots=True)
class _Version:
    identity: str
    tokens: TokenSet


class AwsTokenStore:
    """Keeps a company's tokens in the secret `{prefix}/{company}`. See `TokenStore`.

    Args:
        client: Secrets Manager; `open_aws_store` makes one with bounds on its waits and tries.
        prefix: what the names of the secrets begin with; an installation's own.
        entropy: names of versions.
    """

    def __init__(self, client: "SecretsManagerClient", *, prefix: str, entropy: Entropy) -> None:
        self._client = client
        self._prefix = prefix
        self._entropy = entropy

    async def get(self, company: int) -> TokenSet | None:
        """The stored tokens; None if the company is not connected.

        Raises:
            TokenStoreError: Secrets Manager does not answer, or the secret holds something else.
        """
        with _told(self._name(company)):
            found = await self._current(company)
        return found.tokens if found else None

    async def compare_and_set(self, company: int, expected_generation: int, tokens: TokenSet) -> bool:
        """Store `tokens` if the stored generation is still the expected one.

        Raises:
            ValueError: the generation does not follow the expected one.
            TokenStoreError: Secrets Manager does not answer; whether they are stored is unknown.
        """
        require_next_generation(expected_generation, tokens)
        name = self._name(company)
        text = encode_owned(tokens, company)
        version = str(uuid.UUID(bytes=self._entropy.token_bytes(16), version=4))
        with _told(name):
            if expected_generation == 0:
                return await self._create(name, version, text)
            found = await self._current(company)
            if found is None or found.tokens.generation != expected_generation:
                return False
            await self._client.put_secret_value(
                SecretId=name, ClientRequestToken=version, SecretString=text, VersionStages=[_PENDING]
            )
            return await self._promote(name, version, found.identity)

    async def delete(self, company: int) -> None:
        """Forget the company's tokens, at once and for good."""
        name = self._name(company)
        with _told(name):
            try:
                await self._client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
            except self._client.exceptions.ResourceNotFoundException:
                return

    async def _current(self, company: int) -> _Version | None:
        try:
            # The stage is named although it is the default: stand-ins get the default wrong after a promotion.
            answer = await self._client.get_secret_value(SecretId=self._name(company), VersionStage=_CURRENT)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        except self._client.exceptions.InvalidRequestException:
            return None  # being deleted
        try:
            return _Version(answer["VersionId"], decode_owned(answer["SecretString"], company))
        except (ValueError, KeyError):
            raise _foreign(self._name(company)) from None

    async def _create(self, name: str, version: str, text: str) -> bool:
        try:
            await self._client.create_secret(Name=name, ClientRequestToken=version, SecretString=text)
        except self._client.exceptions.ResourceExistsException:
            return False
        except self._client.exceptions.InvalidRequestException:
            raise TokenStoreError(
                f"The secret {name} is still being deleted by AWS.", remedy="Connect again in a minute."
            ) from None
        return True

    async def _promote(self, name: str, version: str, former: str) -> bool:
        try:
            await self._client.update_secret_version_stage(
                SecretId=name, VersionStage=_CURRENT, MoveToVersionId=version, RemoveFromVersionId=former
            )
        except self._client.exceptions.InvalidParameterException:
            return False  # somebody else was first
        return True

    def _name(self, company: int) -> str:
        return f"{self._prefix}/{company}"


def _foreign(name: str) -> TokenStoreError:
    return TokenStoreError(
        f"The secret {name} does not hold tokens of this company.",
        remedy="Choose another prefix for the token store, or remove that secret.",
    )


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Errors of the library as a sentence; its own texts may repeat what was sent."""
    try:
        yield
    except ClientError as error:
        reason = str(error.response.get("Error", {}).get("Code", "ClientError"))
    except (BotoCoreError, OSError, TimeoutError) as error:
        reason = type(error).__name__
    else:
        return
    raise TokenStoreError(
        f"AWS Secrets Manager did not serve the secret {name} ({reason}).",
        remedy="It is tried again by itself; check region, credentials and policy if it stays.",
    )


@asynccontextmanager
async def open_aws_store(
    *, region: str | None, endpoint_url: str | None, prefix: str, entropy: Entropy
) -> AsyncGenerator[AwsTokenStore]:
    """A store for the length of a block; credentials are found as the AWS SDK finds them.

    Raises:
        ConfigurationError: no region is known.
    """
    config = AioConfig(
        connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, retries={"total_max_attempts": _TRIES_MAX}
    )
    maker = get_session().create_client("secretsmanager", region_name=region, endpoint_url=endpoint_url, config=config)
    try:
        client = await maker.__aenter__()
    except NoRegionError:
        raise ConfigurationError(
            "The token store aws does not know its region.", remedy='Write region = "us-east-1" or the like.'
        ) from None
    try:
        yield AwsTokenStore(client, prefix=prefix, entropy=entropy)
    finally:
        await maker.__aexit__(None, None, None)
