"""Checks for contract suites that are shipped: plain errors, no test framework needed."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)


def equal(expected: object, actual: object, what: str = "") -> None:
    """Fail unless both are equal."""
    if expected != actual:
        raise AssertionError(f"{what or 'value'}: expected {expected!r}, got {actual!r}")


async def refused(error: type[E], action: Awaitable[object]) -> E:
    """Fail unless the action raises that error, which is returned."""
    try:
        await action
    except error as caught:
        return caught
    raise AssertionError(f"expected {error.__name__}, but nothing was raised")


async def gather_all(actions: Iterable[Awaitable[T]]) -> list[T]:
    """Run all at once; the results in order."""
    return [*await asyncio.gather(*actions)]
