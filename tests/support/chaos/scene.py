"""Everything of one round put together: companies, Postgres, engines, and the proxies between them."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.chaos.cluster import Cluster, SmallDisk
from support.chaos.fleet import Fleet, Slot
from support.chaos.proxy import TcpProxy, Weather
from support.chaos.trade import Trade, open_trade
from support.shelf import MAPPING

LEASE_SECONDS: Final = 8.0
TIMEOUT_SECONDS: Final = 2.0
SERVER_SECONDS: Final = 4.0
BOOKS_SHARE, DATABASE_SHARE, DELIVERY_SHARE = 0.05, 0.002, 0.1


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of what."""

    engines: int = 3
    companies: int = 3


@dataclass
class Scene:
    """A round's parts.

    Attributes:
        weathers: of all proxies.
    """

    folder: Path
    disk: SmallDisk
    cluster: Cluster
    trades: Mapping[int, Trade]
    fleet: Fleet
    front: TcpProxy
    weathers: list[Weather]

    @property
    def proxies(self) -> list[TcpProxy]:
        """All of them."""
        return [self.front, *(slot.proxy for slot in self.fleet.slots), *(one.proxy for one in self.trades.values())]

    def aside(self) -> Path:
        """A configuration for commands that are run aside, past every proxy to Postgres."""
        dsn = self.cluster.engine_dsn.get_secret_value()
        return _write_config(self.folder / "aside.toml", self.folder, dsn, self.trades)

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        for weather in self.weathers:
            weather.share = 0.0
        self.fleet.points_on = False


@asynccontextmanager
async def open_scene(
    folder: Path, seed: int, size: Size, *, small_disk: bool = True, points: bool = True
) -> AsyncIterator[Scene]:
    """A round's parts for the length of a block; nobody trades yet."""
    dice = random.Random(f"scene {seed}")
    weathers: list[Weather] = []

    def weather(share: float) -> Weather:
        weathers.append(Weather(random.Random(dice.getrandbits(64)), share))
        return weathers[-1]

    async with AsyncExitStack() as stack:
        disk = SmallDisk(folder / "disk")
        if small_disk:
            stack.enter_context(disk)
        else:
            disk.refused = "it was not asked for"
            disk.place.mkdir(parents=True)
        chance = random.Random(dice.getrandbits(64))
        cluster = await stack.enter_async_context(Cluster(disk.place / "postgres", chance, told=folder))
        trades = {}
        for company in range(1, size.companies + 1):
            opening = open_trade(company, folder / f"company-{company}", weather(BOOKS_SHARE), dice.getrandbits(32))
            trades[company] = await stack.enter_async_context(opening)
        (folder / "shelf.toml").write_text(MAPPING, encoding="utf-8")
        slots = []
        for number in range(1, size.engines + 1):
            proxy = TcpProxy(lambda: cluster.socket, weather(DATABASE_SHARE))
            await stack.enter_async_context(proxy)
            login = cluster.engine_dsn.get_secret_value().partition("@")[0]
            dsn = f"{login}@127.0.0.1:{proxy.port}/{_database_of(cluster)}?sslmode=disable"
            slots.append(Slot(number, _write_config(folder / f"engine-{number}.toml", folder, dsn, trades), proxy))
        fleet = Fleet(folder, slots, random.Random(dice.getrandbits(64)), points_on=points)
        front = await stack.enter_async_context(TcpProxy(fleet.front, weather(DELIVERY_SHARE)))
        scene = Scene(folder, disk, cluster, trades, fleet, front, weathers)
        await subscribe(scene)
        for trade in trades.values():
            trade.open()
        await stack.enter_async_context(fleet)
        yield scene


async def subscribe(scene: Scene) -> None:
    """Tell each company's books where notifications go; what failed before is delivered at once."""
    url = f"http://127.0.0.1:{scene.front.port}/webhooks/quickbooks"
    for trade in scene.trades.values():
        await trade.control("/webhooks", {"url": url})


def _database_of(cluster: Cluster) -> str:
    return cluster.engine_dsn.get_secret_value().rpartition("@/")[2].partition("?")[0]


def _write_config(path: Path, folder: Path, dsn: str, trades: Mapping[int, Trade]) -> Path:
    lines = [f'home = "{folder / "home"}"', f'dsn = "{dsn}"', f"lease_seconds = {LEASE_SECONDS}"]
    lines.append('metered_reads_per_month = "off"')
    for company, trade in trades.items():
        ready = trade.emulator.ready
        lines += [
            f"[company.{company}]",
            f'name = "Trade {company}"',
            'zone = "America/New_York"',
            "poll_seconds = 0.7",
            "sweep_seconds = 2.0",
            f"[company.{company}.quickbooks]",
            *(f'{name} = "{ready[name]}"' for name in ("realm_id", "client_id", "client_secret", "refresh_token")),
            f'verifier_token = "{ready["verifier_token"]}"',
            f'base_url = "http://127.0.0.1:{trade.proxy.port}"',
            f"timeout_seconds = {TIMEOUT_SECONDS}",
            f"server_seconds = {SERVER_SECONDS}",
            f"[company.{company}.source.shelf]",
            'mapping = "shelf.toml"',
            f'folder = "{trade.folder}"',
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
