"""The QuickBooks emulator as a process of its own, and other people's clients pointed at it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from counterfoil_schema.exact_json import JsonObject, dumps, loads_object

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class EmulatorProcess:
    """A running emulator and its ready line."""

    process: subprocess.Popen[str]
    ready: JsonObject

    def __getitem__(self, name: str) -> str:
        return str(self.ready[name])

    @property
    def company_url(self) -> str:
        return f"{self['base_url']}/v3/company/{self['realm_id']}"

    def control(self, path: str, body: object = None) -> JsonObject:
        """GET a control address, or POST a body to it."""
        url = self["control_url"] + path
        answer = requests.get(url, timeout=10) if body is None else requests.post(url, data=dumps(body), timeout=10)
        assert answer.status_code == 200, answer.text
        return loads_object(answer.content)


@contextmanager
def emulator_process(*arguments: str) -> Iterator[EmulatorProcess]:
    """Start the emulator, wait for its ready line, stop it by SIGTERM."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("engine", "schema"))}
    command = [sys.executable, "-m", "counterfoil.quickbooks.emulator", "--port", "0", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield EmulatorProcess(process, loads_object(process.stdout.readline()))
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=15)
