"""A contract test that cannot fail is a defect: each is shown an adapter with just the fault that it is there for."""

from pathlib import Path

import pytest

from counterfoil.testing import SourceContract
from support.broken_sources import BROKEN
from third_party.tillbook import test_tillbook
from third_party.tillbook.tillbook import Tillbook

CHECKS = sorted(name for name in dir(SourceContract) if name.startswith("test_"))
CASES = [(check, adapter) for check, adapters in BROKEN.items() for adapter in adapters]


def test_each_check_is_shown_to_fail() -> None:
    assert sorted(BROKEN) == CHECKS


@pytest.mark.parametrize(("check", "adapter"), CASES)
async def test_the_fault_is_caught(check: str, adapter: type[Tillbook], tmp_path: Path) -> None:
    contract = type("Contract", (test_tillbook.TestTillbook,), {"adapter": adapter})()
    with pytest.raises(AssertionError):
        await getattr(contract, check)(tmp_path)
