"""Small folders of CSV files and the context in which an adapter reads them."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp

from counterfoil.clock import SystemEntropy
from counterfoil.sources import Page, SourceChange, SourceContext
from counterfoil_adapters.csv.adapter import CsvSource

SHOP_MAPPING = """
[connection]
source = "csv"
zone = "Europe/Berlin"
currency = "EUR"

[csv.order]
file = "orders.csv"
record = "invoice"
id = "id"
columns = { customer = "customer", dated = "date", number = "id" }
constants = { status = "ordered", won = true }

[csv.order.lines]
file = "lines.csv"
key = "order"
id = "line"
columns = { quantity = "qty", unit_price = "price", discount = "discount" }

[[csv.order.charges]]
column = "freight"

[csv.customer]
file = "customers.csv"
record = "customer"
id = "id"
columns = { name = "name", email = "mail" }
"""


class StillClock:
    """A clock far in the future of every file, so that files count as settled."""

    def now(self) -> datetime:
        return datetime(2100, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        del seconds


def context_for(folder: Path, mapping: str, settings: Mapping[str, object] | None = None) -> SourceContext:
    """A context whose adapter must not touch the network: it has no session."""
    table: Mapping[str, Any] = tomllib.loads(mapping, parse_float=Decimal)
    return SourceContext(
        connection="shop",
        settings=settings or {"folder": str(folder)},
        mapping=table,
        http=cast("aiohttp.ClientSession", SimpleNamespace()),
        clock=StillClock(),
        entropy=SystemEntropy(),
    )


async def read_pages(folder: Path, mapping: str, kind: str, cursor: str | None = None) -> list[Page]:
    """All pages of one reading."""
    async with CsvSource(context_for(folder, mapping)) as source:
        return [page async for page in source.changes(kind, cursor)]


async def read_changes(folder: Path, mapping: str, kind: str) -> list[SourceChange]:
    """All changes of one reading."""
    return [change for page in await read_pages(folder, mapping, kind) for change in page.changes]
