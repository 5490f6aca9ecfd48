"""What installing us leaves behind: names that begin with ours, and nothing else."""

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel that `pip install .` builds."""
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"])
    return zipfile.ZipFile(built)


def test_every_name_at_the_top_is_ours(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    packages = {"counterfoil", "counterfoil_adapters", "counterfoil_schema"}
    assert packages == {name for name in tops if not name.endswith(".dist-info")}
    (information,) = tops - packages
    assert information.startswith("counterfoil-")
    # Files beside the packages (scripts, data) would stand in a folder of this name.
    assert not [name for name in tops if name.endswith(".data")]


def test_every_script_is_ours(wheel: zipfile.ZipFile) -> None:
    (text,) = (wheel.read(name).decode() for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    scripts = text.partition("[console_scripts]\n")[2].partition("\n\n")[0].split("\n")
    assert [line.partition("=")[0].strip() for line in scripts if line] == ["counterfoil"]
    assert "[gui_scripts]" not in text


def test_nothing_of_tests_or_of_this_machine_is_in_it(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert not [name for name in names if name.endswith((".pyc", ".pyo", ".orig")) or "/tests/" in name]
    assert any(name.endswith("migrations/0001_roles_and_schemas.sql") for name in names)
