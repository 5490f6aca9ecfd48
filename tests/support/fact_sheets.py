"""The fact sheets beside the repository, where a checkout has them."""

from pathlib import Path

import pytest

_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "facts"


def fact_sheet(name: str) -> str:
    """The text of a fact sheet; skips the test where there is none."""
    path = _FOLDER / name
    if not path.is_file():
        pytest.skip(f"the fact sheet {name} is not beside this checkout")
    return path.read_text(encoding="utf-8")
