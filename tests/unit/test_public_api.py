"""What hosts import: complete, sorted, and costing nothing until it is used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import counterfoil


def names_shown_to_checkers() -> set[str]:
    """What the `if TYPE_CHECKING` block of the package imports."""
    tree = ast.parse(Path(str(counterfoil.__file__)).read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in imports for alias in node.names}


def test_all_is_sorted() -> None:
    assert sorted(counterfoil.__all__) == list(counterfoil.__all__)


def test_all_is_complete() -> None:
    assert names_shown_to_checkers() == set(counterfoil.__all__)


@pytest.mark.parametrize("name", counterfoil.__all__)
def test_each_name_is_there(name: str) -> None:
    assert name in dir(counterfoil)
    assert name == getattr(counterfoil, name).__name__


def test_a_name_that_is_not_there_is_said() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Motor'"):
        _ = vars(counterfoil)["__getattr__"]("Motor")


def test_importing_the_package_loads_nothing_else() -> None:
    code = (
        "import sys, counterfoil; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'asyncpg', 'aiohttp', 'pydantic'}), "
        "*sorted(name for name in sys.modules if name.startswith('counterfoil.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_star_import_gives_all_of_it() -> None:
    code = "from counterfoil import *; print(Engine.__name__, Settings.__name__, load_settings.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Engine Settings load_settings"
