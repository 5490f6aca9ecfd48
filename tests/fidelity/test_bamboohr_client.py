"""PyBambooHR, a client of some years' standing, reads and writes the emulator through the gateway's old addresses."""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from counterfoil_schema.exact_json import dumps, loads
from support.bamboohr import bamboohr, person

JUDGE = """
import datetime, json, os, sys
import requests
from PyBambooHR import PyBambooHR

ready = json.loads(os.environ["EMULATOR"])

def client(key):
    made = PyBambooHR.PyBambooHR(subdomain="sample", api_key=key)
    made.base_url = ready["base_url"] + "/api/gateway.php/sample/v1/"
    return made

def refused():
    try:
        client("wrong").get_employee(100)
    except requests.HTTPError as error:
        return error.response.status_code

whole = client(ready["api_key"])
sys.stdout.write(json.dumps({
    "directory": sorted(person["id"] for person in whole.get_employee_directory()),
    "before": whole.get_employee(100, ["firstName", "lastName", "status", "department"]),
    "updated": whole.update_employee(100, {"lastName": "Client"}),
    "after": whole.get_employee(100, ["lastName"]),
    "fields": [field["alias"] for field in whole.get_meta_fields()][:2],
    "changed": sorted(whole.get_employee_changes(datetime.datetime(2020, 1, 1))["employees"]),
    "refused": refused(),
}))
"""
"""Its methods for tables read XML alone, which the emulator does not speak."""

PACKAGES = ("PyBambooHR==0.8.1", "xmltodict")
INSTALL_SECONDS = 200
JUDGE_SECONDS = 60

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the client is; it comes as source, so that nobody who only wants the tests has to build it."""
    made = tmp_path_factory.mktemp("pybamboohr")
    command = [*_installer(), "--quiet", "--no-deps", "--target", str(made), *PACKAGES]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if done.returncode:
        pytest.skip(f"PyBambooHR cannot be installed: {done.stderr.strip()[-300:]}")
    return made


def _installer() -> list[str]:
    """An environment that uv made has no pip of its own; the Python that it was made from may have one."""
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    has_pip = importlib.util.find_spec("pip") is not None
    python = sys.executable if has_pip else str(Path(sys.base_prefix) / "bin" / "python3")
    return [python, "-m", "pip", "install"]


async def test_pybamboohr_reads_and_writes(folder: Path) -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(n) for n in range(3)]})
        environment = {**os.environ, "EMULATOR": dumps(company.emulator.ready()).decode(), "PYTHONPATH": str(folder)}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", JUDGE), env=environment, stdout=pipe, stderr=pipe
        )
        told, trouble = await asyncio.wait_for(process.communicate(), JUDGE_SECONDS)

    assert process.returncode == 0, trouble.decode()
    seen: Any = loads(told)
    assert seen == {
        "directory": ["100", "101", "102"],
        "before": {
            "id": "100",
            "firstName": "Zoë0",
            "lastName": "Ødegård-0 🦊",
            "status": "Active",
            "department": "Design",
        },
        "updated": True,
        "after": {"id": "100", "lastName": "Client"},
        "fields": ["firstName", "lastName"],
        "changed": ["100", "101", "102"],
        "refused": 401,
    }
