"""When a synchronisation is over: quiet twice, stopped, or without patience."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from counterfoil.cli.tasks.quiet import Watched
from counterfoil.dispatch.limiter import Lane
from counterfoil.runner import CompanyRunner

PATIENCE = 25.0
LEASE = 60.0


@dataclass
class Company:
    """What a look sees of a company."""

    state: str = "working"
    turns: int = 0
    quiet: bool = False
    head: int = 0
    waiting: int = 0
    troubles: dict[str, str] = field(default_factory=dict)

    finishing: bool = False

    def finish(self) -> None:
        """What a worker is told that is to come to an end."""
        self.finishing = True

    def runner(self) -> CompanyRunner:
        snapshot = SimpleNamespace(waiting={Lane.LIVE: self.waiting}, paused_until=None)
        progress = SimpleNamespace(
            head=self.head, decided=0, turns=self.turns, quiet=self.quiet, troubles=self.troubles
        )
        runner = SimpleNamespace(
            state=self.state,
            worker=SimpleNamespace(progress=progress, finish=self.finish),
            connected=SimpleNamespace(gate=SimpleNamespace(snapshot=lambda: snapshot)),
        )
        return cast("CompanyRunner", runner)


def look(watched: Watched, company: Company, at: float) -> None:
    watched.runner = company.runner()
    watched.look(at, PATIENCE)


def watch() -> Watched:
    return Watched(Company().runner(), LEASE)


def test_it_ends_when_two_turns_were_quiet() -> None:
    watched = watch()
    company = Company(turns=5, quiet=True)
    look(watched, company, 1.0)
    assert company.finishing
    look(watched, Company(turns=5, quiet=True), 1.2)
    assert watched.ending is None
    look(watched, Company(turns=6, quiet=True), 1.4)
    assert watched.ending == "quiet"


def test_a_turn_that_is_not_quiet_begins_the_count_again() -> None:
    watched = watch()
    look(watched, Company(turns=5, quiet=True), 1.0)
    look(watched, Company(turns=6, quiet=False), 1.2)
    look(watched, Company(turns=7, quiet=True), 1.4)
    assert watched.ending is None


def test_a_stopped_company_ends_it_at_once() -> None:
    watched = watch()
    look(watched, Company(state="stopped"), 1.0)
    assert watched.ending == "stopped"


@pytest.mark.parametrize(
    ("company", "patience", "expected"),
    [
        (Company(state="failing"), PATIENCE, "failing"),
        (Company(troubles={"hubspot": "no answer"}), PATIENCE, "unreadable"),
        (Company(state="elsewhere"), PATIENCE + LEASE, "elsewhere"),
    ],
)
def test_a_trouble_ends_it_once_patience_is_lost(company: Company, patience: float, expected: str) -> None:
    watched = watch()
    look(watched, company, 1.0)
    look(watched, company, 1.0 + patience)
    assert watched.ending is None
    look(watched, company, 1.1 + patience)
    assert expected == watched.ending


def test_patience_is_kept_while_anything_moves() -> None:
    watched = watch()
    for minute in range(10):
        look(watched, Company(troubles={"hubspot": "slow"}, head=minute), 60.0 * minute)
    assert watched.ending is None


def test_work_without_trouble_may_take_for_ever() -> None:
    watched = watch()
    look(watched, Company(), 1.0)
    look(watched, Company(), 10_000.0)
    assert watched.ending is None


def test_only_time_at_the_limits_counts_as_such() -> None:
    watched = watch()
    look(watched, Company(), 10.0)
    look(watched, Company(waiting=3), 12.0)
    look(watched, Company(waiting=1), 15.0)
    look(watched, Company(), 20.0)
    assert watched.limited_seconds == 5.0
