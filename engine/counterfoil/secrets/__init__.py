"""The vault: tokens under envelope encryption, behind one small interface."""

from counterfoil.secrets.envelope import MasterKeys, SealError
from counterfoil.secrets.postgres import PostgresRefreshLock, PostgresTokenStore
from counterfoil.secrets.source_tokens import PostgresSourceTokens
from counterfoil.secrets.stores import open_token_store
from counterfoil.secrets.tokens import RefreshLock, TokenSet, TokenStore, TokenStoreError

__all__ = [
    "MasterKeys",
    "PostgresRefreshLock",
    "PostgresSourceTokens",
    "PostgresTokenStore",
    "RefreshLock",
    "SealError",
    "TokenSet",
    "TokenStore",
    "TokenStoreError",
    "open_token_store",
]
