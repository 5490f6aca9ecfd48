"""What every token store promises, as a class to inherit; the fixture `store` says over which stores."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from counterfoil.secrets.tokens import TokenSet, TokenStore

AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
COMPANY, OTHER = 7, 8


def token_set(generation: int, name: str = "a") -> TokenSet:
    """A set that differs from all others in everything that is stored."""
    return TokenSet(
        SecretStr(f"ACCESS-{name}-{generation}"),
        SecretStr(f"REFRESH-{name}-{generation}"),
        AT + timedelta(hours=generation),
        AT + timedelta(days=100, microseconds=generation),
        generation,
        realm_id=f"91303{generation}",
        hard_expires_at=AT + timedelta(days=1826) if generation % 2 else None,
    )


class TokenStoreContract:
    """Get, compare-and-set, delete; the fixture `store` gives an empty store."""

    async def test_what_was_stored_comes_back(self, store: TokenStore) -> None:
        assert await store.get(COMPANY) is None
        assert await store.compare_and_set(COMPANY, 0, token_set(1))
        assert token_set(1) == await store.get(COMPANY)
        assert await store.compare_and_set(COMPANY, 1, token_set(2))
        assert token_set(2) == await store.get(COMPANY)
        assert await store.get(OTHER) is None

    async def test_only_the_expected_generation_is_replaced(self, store: TokenStore) -> None:
        assert not await store.compare_and_set(COMPANY, 3, token_set(4))
        assert await store.get(COMPANY) is None
        assert await store.compare_and_set(COMPANY, 0, token_set(1))
        assert not await store.compare_and_set(COMPANY, 0, token_set(1, "other"))
        assert not await store.compare_and_set(COMPANY, 2, token_set(3))
        assert token_set(1) == await store.get(COMPANY)
        with pytest.raises(ValueError, match="does not follow"):
            await store.compare_and_set(COMPANY, 1, token_set(3))

    async def test_of_many_at_once_one_wins(self, store: TokenStore) -> None:
        for expected in range(3):
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(store.compare_and_set(COMPANY, expected, token_set(expected + 1, str(n))))
                    for n in range(8)
                ]
            winners = [n for n, task in enumerate(tasks) if task.result()]
            assert len(winners) == 1
            assert token_set(expected + 1, str(winners[0])) == await store.get(COMPANY)

    async def test_what_was_deleted_is_gone_and_begins_anew(self, store: TokenStore) -> None:
        await store.compare_and_set(COMPANY, 0, token_set(1))
        await store.compare_and_set(OTHER, 0, token_set(1, "other"))
        await store.delete(COMPANY)
        await store.delete(COMPANY)
        assert await store.get(COMPANY) is None
        assert not await store.compare_and_set(COMPANY, 1, token_set(2))
        assert await store.compare_and_set(COMPANY, 0, token_set(1, "anew"))
        assert token_set(1, "anew") == await store.get(COMPANY)
        assert token_set(1, "other") == await store.get(OTHER)
