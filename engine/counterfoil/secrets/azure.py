"""Tokens in an Azure Key Vault, one secret a company; needs the extra `azure`.

Key Vault has no conditional write, so comparing and setting happen under a lock of ours, which lies in Postgres like
the one for refreshing, and is another one. A deleted secret stays recoverable for as long as the vault says; a new
connection recovers the name and puts a new version on top.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity.aio import DefaultAzureCredential
from azure.keyvault.secrets.aio import SecretClient

from counterfoil.secrets.codec import decode_owned, encode_owned
from counterfoil.secrets.tokens import RefreshLock, TokenSet, TokenStoreError, require_next_generation

_CONNECT_SECONDS, _READ_SECONDS = 5, 10
_TRIES_MAX = 2


class AzureTokenStore:
    """Keeps a company's tokens in the secret `{prefix}-{company}`. See `TokenStore`.

    Args:
        client: the vault's; `open_azure_store` makes one with bounds on its waits and tries.
        prefix: what the names of the secrets begin with: letters, digits, dashes.
        lock: one writer of a company's secret at a time across processes; not the lock for refreshing.
    """

    def __init__(self, client: SecretClient, *, prefix: str, lock: RefreshLock) -> None:
        self._client = client
        self._prefix = prefix
        self._lock = lock

    async def get(self, company: int) -> TokenSet | None:
        """The stored tokens; None if the company is not connected.

        Raises:
            TokenStoreError: the vault does not answer, or the secret holds something else.
        """
        name = self._name(company)
        with _told(name):
            try:
                secret = await self._client.get_secret(name)
            except ResourceNotFoundError:
                return None
        try:
            return decode_owned(secret.value or "", company)
        except ValueError:
            raise TokenStoreError(
                f"The secret {name} does not hold tokens of this company.",
                remedy="Choose another prefix for the token store, or remove that secret.",
            ) from None

    async def compare_and_set(self, company: int, expected_generation: int, tokens: TokenSet) -> bool:
        """Store `tokens` if the stored generation is still the expected one.

        Raises:
            ValueError: the generation does not follow the expected one.
            TokenStoreError: the vault does not answer; whether they are stored is unknown.
        """
        require_next_generation(expected_generation, tokens)
        async with self._lock.hold(company):
            stored = await self.get(company)
            if (stored.generation if stored else 0) != expected_generation:
                return False
            await self._set(self._name(company), encode_owned(tokens, company))
        return True

    async def delete(self, company: int) -> None:
        """Forget the company's tokens; the vault keeps them recoverable for as long as it is set to."""
        name = self._name(company)
        async with self._lock.hold(company):
            with _told(name):
                try:
                    await self._client.delete_secret(name)
                except ResourceNotFoundError:
                    return

    async def _set(self, name: str, text: str) -> None:
        with _told(name):
            try:
                await self._client.set_secret(name, text, content_type="application/json")
            except ResourceExistsError:
                # Deleted, and still recoverable: the name has to be taken back first.
                await self._client.recover_deleted_secret(name)
                await self._client.set_secret(name, text, content_type="application/json")

    def _name(self, company: int) -> str:
        return f"{self._prefix}-{company}"


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Errors of the library as a sentence; its own texts may repeat what was sent."""
    try:
        yield
    except HttpResponseError as error:
        reason = f"HTTP {error.status_code}" if error.status_code else type(error).__name__
    except (AzureError, OSError, TimeoutError) as error:
        reason = type(error).__name__
    else:
        return
    raise TokenStoreError(
        f"Azure Key Vault did not serve the secret {name} ({reason}).",
        remedy="It is tried again by itself; check the vault's address and access policy if it stays.",
    )


@asynccontextmanager
async def open_azure_store(*, vault_url: str, prefix: str, lock: RefreshLock) -> AsyncGenerator[AzureTokenStore]:
    """A store for the length of a block; credentials are found as Azure's SDK finds them."""
    async with AsyncExitStack() as stack:
        credential = await stack.enter_async_context(DefaultAzureCredential())
        client = await stack.enter_async_context(
            SecretClient(
                vault_url,
                credential,
                connection_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retry_total=_TRIES_MAX,
            )
        )
        yield AzureTokenStore(client, prefix=prefix, lock=lock)
