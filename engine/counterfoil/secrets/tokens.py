"""What is kept of a connection, and the two ports that keep it."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from counterfoil.errors import CounterfoilError


class TokenStoreError(CounterfoilError):
    """A token store outside Postgres does not answer, or holds something else."""


@dataclass(frozen=True, slots=True)
class TokenSet:
    """The tokens of one QuickBooks connection.

    Attributes:
        access_token: opaque; good for about an hour.
        refresh_token: opaque; rolls on, and changes about once a day.
        access_expires_at: aware UTC.
        refresh_expires_at: aware UTC; 100 days from the last use.
        generation: counts the stored sets of a company from 1; each stored set has the next number.
        realm_id: the books that consent was given for; "" if it was given elsewhere.
        hard_expires_at: aware UTC; the end that no refresh puts off (five years from consent), where Intuit says it.
    """

    access_token: SecretStr
    refresh_token: SecretStr
    access_expires_at: datetime
    refresh_expires_at: datetime
    generation: int
    realm_id: str = ""
    hard_expires_at: datetime | None = None


class TokenStore(Protocol):
    """Keeps the tokens of companies; a set is either stored whole and durably, or not at all."""

    async def get(self, company: int) -> TokenSet | None:
        """The stored tokens; None if the company is not connected."""
        ...

    async def compare_and_set(self, company: int, expected_generation: int, tokens: TokenSet) -> bool:
        """Store `tokens` if the stored generation is still the expected one (0: none stored yet).

        Returns:
            True once they are durable; False, with nothing changed, if somebody else was first.

        Raises:
            ValueError: `tokens.generation` is not the expected one plus 1.
        """
        ...

    async def delete(self, company: int) -> None:
        """Forget the company's tokens; nothing happens if there are none."""
        ...


class RefreshLock(Protocol):
    """Lets one process at a time refresh the tokens of a company."""

    def hold(self, company: int) -> AbstractAsyncContextManager[None]:
        """Wait for the lock and hold it inside the context; freed as well when its process dies."""
        ...


def require_next_generation(expected_generation: int, tokens: TokenSet) -> None:
    """The rule that every store keeps.

    Raises:
        ValueError: the new set does not follow the expected one.
    """
    if tokens.generation != expected_generation + 1:
        raise ValueError(f"generation {tokens.generation} does not follow {expected_generation}")
