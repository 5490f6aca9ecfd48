"""The end of a connection is told in time, once for each step; an idle one never comes to it."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import NoOpTracerProvider
from pydantic import SecretStr

from counterfoil.secrets.connections import Connection
from counterfoil.secrets.tokens import TokenSet
from counterfoil.telemetry.ports import Instruments
from counterfoil.testing.virtual_time import LoopClock, run_virtually
from counterfoil.token_watch import ConnectionWatch, due_warning

DAY = 86_400.0


@pytest.mark.parametrize(
    ("days_left", "warned", "expected"),
    [
        (100, None, (None, False)),
        (31, 30, (None, False)),
        (30, None, (30, True)),
        (29.9, 30, (30, False)),
        (14, 30, (14, True)),
        (7.5, 14, (14, False)),
        (7, 14, (7, True)),
        (0.9, 7, (1, True)),
        (0.9, 1, (1, False)),
        (-3, 1, (1, False)),
        (3, None, (7, True)),
        (20, 7, (30, False)),
    ],
)
def test_each_warning_is_due_once(days_left: float, warned: int | None, expected: tuple[int | None, bool]) -> None:
    assert expected == due_warning(timedelta(days=days_left), warned)


class Kept:
    """Keeps connections as the table does."""

    def __init__(self) -> None:
        self.rows: dict[int, Connection] = {}

    async def get(self, company: int) -> Connection | None:
        return self.rows.get(company)

    async def put(self, company: int, connection: Connection) -> None:
        self.rows[company] = connection


class Access:
    """Tokens that a refresh lengthens by 100 days, if Intuit lets it."""

    def __init__(self) -> None:
        now = LoopClock().now()
        self.current: TokenSet | None = TokenSet(
            SecretStr("a"), SecretStr("r"), now, now + timedelta(days=100), 1, hard_expires_at=now + timedelta(days=200)
        )
        self.reconnect_needed = False
        self.works = True
        self.refreshed: list[float] = []

    async def keep_alive(self, days: float) -> None:
        now = LoopClock().now()
        if self.works and self.current and self.current.refresh_expires_at - now <= timedelta(days=days):
            self.refreshed.append(LoopClock().monotonic() / DAY)
            self.current = replace(
                self.current, refresh_expires_at=now + timedelta(days=100), generation=self.current.generation + 1
            )


def watch(access: Access, kept: Kept) -> ConnectionWatch:
    instruments = Instruments(NoOpTracerProvider().get_tracer("test"), NoOpMeterProvider().get_meter("test"))
    return ConnectionWatch(7, access=access, connections=kept, clock=LoopClock(), instruments=instruments)


async def live(access: Access, kept: Kept, days: int) -> None:
    """So many days with a look twice a day, and a restart each day."""
    for _ in range(days):
        watching = watch(access, kept)
        for _ in range(2):
            await watching.look()
            await asyncio.sleep(DAY / 2)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "counterfoil"]


def test_an_idle_connection_lives_on_and_its_end_for_good_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        access, kept = Access(), Kept()
        await live(access, kept, 201)
        assert [round(day) for day in access.refreshed] == [50, 100, 150, 200]
        found = [text for text in told(caplog) if "for good" in text]
        assert len(found) == 4
        for text, days in zip(found, (30, 14, 7, 1), strict=True):
            assert f"company 7: the QuickBooks connection ends in {days} days or less" in text
        assert [text for text in told(caplog) if "unless it is used" in text] == []

    run_virtually(main())


def test_the_end_without_use_is_told_where_refreshing_does_not_work(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        access, kept = Access(), Kept()
        access.works = False
        await live(access, kept, 100)
        found = [text for text in told(caplog) if "unless it is used" in text]
        assert [f"ends in {days} days or less" in text for days, text in zip((30, 14, 7, 1), found, strict=True)] == [
            True
        ] * 4

    run_virtually(main())


def test_reconnection_is_asked_for_once_and_over_once_connected(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        access, kept = Access(), Kept()
        states = []
        for needed, days in ((False, 1), (True, 3), (False, 1)):
            access.reconnect_needed = needed
            await live(access, kept, days)
            states.append(kept.rows[7].state)
        assert states == ["connected", "reconnect", "connected"]
        said = [text for text in told(caplog) if "connected again" in text]
        assert said == [
            "company 7: QuickBooks wants to be connected again; everything queued is kept",
            "company 7: QuickBooks is connected again",
        ]

    run_virtually(main())
