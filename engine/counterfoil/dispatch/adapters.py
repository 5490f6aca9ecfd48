"""Calls to adapters, kept apart from the worker: whatever one does wrong concerns its source and nothing else."""

from collections.abc import AsyncGenerator, Awaitable
from typing import TypeVar

from counterfoil.sources import Page, SourceAdapter, SourceError

T = TypeVar("T")


async def kept_apart(connection: str, call: Awaitable[T]) -> T:
    """The call's result.

    Raises:
        SourceError: the adapter's own, or in place of anything else that it raises.
    """
    try:
        return await call
    except SourceError:
        raise
    except Exception as failed:
        raise _fault(connection, failed) from failed


async def pages(connection: str, adapter: SourceAdapter, kind: str, cursor: str | None) -> AsyncGenerator[Page]:
    """The adapter's pages, up to the one that says that nothing more was there.

    The adapter goes on behind that one as behind all others, so that it knows that it was taken.

    Raises:
        SourceError: as `kept_apart`.
    """
    done = False
    try:
        async for page in adapter.changes(kind, cursor):
            if done:
                return
            yield page
            done = page.done
    except SourceError:
        raise
    except Exception as failed:
        raise _fault(connection, failed) from failed


def _fault(connection: str, failed: Exception) -> SourceError:
    return SourceError(
        f"The adapter of {connection} failed ({type(failed).__name__}).",
        remedy="This is a fault of the adapter: report it. Nothing is lost; it is tried again.",
    )
