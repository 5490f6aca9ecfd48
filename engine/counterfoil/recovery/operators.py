"""One operator's work at a time on a company: what rebuilds, rolls back or restores takes this lock first.

It is a session's advisory lock, so it ends with its process, however that ends. The engine takes none: it works on.
"""

import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from counterfoil.errors import CounterfoilError
from counterfoil.postgres import Connection, Names, Pool, load_query


class WorkUnderWayError(CounterfoilError):
    """Another operator's work on the same company has not ended."""


@asynccontextmanager
async def operators_work(pool: Pool, names: Names, company: int, what: str) -> AsyncGenerator[None]:
    """Hold a company's lock for the length of a block; one connection of the pool is held with it.

    Args:
        what: the work in a word or two, for whoever comes second: `rebuild`, `rollback`.

    Raises:
        WorkUnderWayError: somebody else holds it.
    """
    async with pool.acquire() as connection:
        try:
            await _take(connection, names, company, what)
            yield
            await connection.execute(load_query("operator_unlock", names), _key(names, company))
        except BaseException:
            # The lock ends with the connection, whatever is known of it.
            connection.terminate()
            raise


def _key(names: Names, company: int) -> str:
    return f"{names.state_schema}.operator:{company}"


async def _take(connection: Connection, names: Names, company: int, what: str) -> None:
    if not await connection.fetchval(load_query("operator_lock", names), _key(names, company)):
        raise WorkUnderWayError(
            f"Somebody else works on company {company}: {await _holder(connection, names, company)}.",
            remedy="Wait until that has ended, or end it, and run the command again. Nothing was changed.",
        )
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    await connection.execute(load_query("operator_begin", names), company, what, holder)


async def _holder(connection: Connection, names: Names, company: int) -> str:
    found = await connection.fetchrow(load_query("operator_holder", names), company)
    if found is None:
        return "it has just begun"
    return f"{found['what']} by {found['holder']}, since {found['begun_at']:%Y-%m-%d %H:%M:%S}Z"
