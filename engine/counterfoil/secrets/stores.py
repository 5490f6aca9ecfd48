"""Opens the token store that the configuration names; libraries are loaded only for the one that is used."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from counterfoil.errors import ConfigurationError
from counterfoil.ports import Entropy
from counterfoil.postgres import Names, Pool
from counterfoil.secrets.envelope import MasterKeys
from counterfoil.secrets.postgres import PostgresRefreshLock, PostgresTokenStore
from counterfoil.secrets.tokens import TokenStore
from counterfoil.settings import TokenStoreSettings


@asynccontextmanager
async def open_token_store(
    settings: TokenStoreSettings, pool: Pool, names: Names, *, keys: MasterKeys, entropy: Entropy
) -> AsyncGenerator[TokenStore]:
    """The store for the length of a block.

    Raises:
        ConfigurationError: its library is not installed, or its settings do not suffice.
    """
    match settings.store:
        case "postgres":
            yield PostgresTokenStore(pool, names, keys=keys, entropy=entropy)
        case "aws":
            try:
                from counterfoil.secrets.aws import open_aws_store
            except ImportError:
                raise _not_installed("aws") from None
            async with open_aws_store(
                region=settings.region, endpoint_url=settings.url, prefix=settings.prefix, entropy=entropy
            ) as aws:
                yield aws
        case "azure":
            try:
                from counterfoil.secrets.azure import open_azure_store
            except ImportError:
                raise _not_installed("azure") from None
            lock = PostgresRefreshLock(pool, names, purpose="vault")
            async with open_azure_store(vault_url=settings.url or "", prefix=settings.prefix, lock=lock) as azure:
                yield azure


def _not_installed(store: str) -> ConfigurationError:
    return ConfigurationError(
        f"The token store {store} needs a library that is not installed.",
        remedy=f"pip install 'counterfoil[{store}]'",
    )
