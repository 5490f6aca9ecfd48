"""The public names have the types that hosts rely on. Checked by mypy and pyright; never run."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, assert_type

from aiohttp import web
from pydantic import SecretStr

from counterfoil import (
    Clock,
    CompanySettings,
    ConfigurationError,
    CounterfoilError,
    Engine,
    Entropy,
    Names,
    QuickBooksSettings,
    RecordedEvent,
    Settings,
    SourceSettings,
    create_pool,
    load_settings,
    migrate,
)
from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.connections import Connected
from counterfoil.postgres import MigrationReport, Pool
from counterfoil_schema.events.base import Event

clock: Clock = SystemClock()
entropy: Entropy = SystemEntropy()


def settings_of_a_host() -> Settings:
    """Settings made by code."""
    quickbooks = QuickBooksSettings(
        realm_id="1", client_id=SecretStr("id"), client_secret=SecretStr("secret"), base_url="http://localhost:1"
    )
    source = SourceSettings(adapter="csv", mapping="", options={"folder": "orders"})
    company = CompanySettings(company=1, name="Northwind", quickbooks=quickbooks, sources={"orders": source})
    assert_type(load_settings(Path("counterfoil.toml")), Settings)
    return Settings(companies=(company,))


async def use(settings: Settings, dsn: SecretStr) -> None:
    """A host at work."""
    assert_type(await migrate(dsn, Names("host_books")), MigrationReport)
    pool = await create_pool(dsn, Names("host_books"))
    assert_type(pool, Pool)
    async with Engine(settings, pool=pool, clock=clock, entropy=entropy) as engine:
        assert_type(engine, Engine)
        assert_type(engine.start(), None)
        assert_type(engine.webhooks, web.Application)
        assert_type(engine.events(after={1: 0}), AsyncIterator[RecordedEvent])
        assert_type(await engine.health(), dict[str, Any])
        assert_type(engine.connected(1), Connected)
        async for recorded in engine.events():
            assert_type(recorded.company, int)
            assert_type(recorded.position, int)
            assert_type(await recorded.event(), Event)
        assert_type(await engine.wait(), None)
        assert_type(await engine.stop(), None)


def is_told(error: ConfigurationError) -> CounterfoilError:
    """Every error of ours has a message and a remedy."""
    assert_type(error.message, str)
    assert_type(error.remedy, str)
    return error
