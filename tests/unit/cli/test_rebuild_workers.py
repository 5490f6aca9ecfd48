"""Processes that rebuild companies side by side: what is said of those that no process is left for."""

import shutil
import sys
from pathlib import Path

import pytest

from counterfoil.cli.tasks.rebuild_workers import Failure, in_processes


async def test_each_company_that_nobody_rebuilt_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))

    outcomes = await in_processes([4, 7, 9], 1, config=Path("none.toml"), check=True, shown=lambda *_: None)

    assert [one.company for one in outcomes] == [4, 7, 9]
    assert all(
        isinstance(one, Failure) and "Nothing was changed; run the command again." in str(one) for one in outcomes
    )
    assert str(outcomes[1]).startswith("Company 7: No process was left")
