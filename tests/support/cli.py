"""The real command line as a process, and a small shop for it to synchronise."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

from support.postgres import Database
from support.processes import python_environment
from support.quickbooks_emulator import EmulatorProcess

COMMAND = (sys.executable, "-m", "counterfoil.cli")
SECONDS_MAX = 120

SHOP_MAPPING = """
[connection]
source = "csv"
zone = "UTC"
currency = "USD"

[product]
income_account = "Sales of Product Income"
type = "NonInventory"

[invoice]
number = "{id}"
tax_code = "NON"

[csv.customer]
file = "customers.csv"
record = "customer"
id = "id"
columns = { name = "name", email = "mail" }

[csv.product]
file = "products.csv"
record = "product"
id = "id"
columns = { name = "name", unit_price = "price" }

[csv.order]
file = "orders.csv"
record = "invoice"
id = "id"
columns = { customer = "customer", dated = "date" }
constants = { status = "ordered", won = true }

[csv.order.lines]
file = "lines.csv"
key = "order"
id = "line"
columns = { product = "product", quantity = "qty", unit_price = "price" }
"""

CONFIGURATION = """
lease_seconds = 8
[company.1]
name = "Shop"
zone = "UTC"
[company.1.quickbooks]
environment = "emulator"
unlimited = true
server_seconds = 1
QUICKBOOKS
[company.1.source.shop]
adapter = "csv"
mapping = "shop.toml"
folder = "exports"
"""

BOOKS_AWAY_CONFIGURATION = """
[company.1]
name = "Shop"

[company.1.quickbooks]
environment = "emulator"
realm_id = "1"
client_id = "id"
client_secret = "secret"
refresh_token = "token"
base_url = "http://127.0.0.1:9"

[company.1.source.shop]
adapter = "csv"
mapping = "shop.toml"
folder = "exports"
"""
"""A shop whose books nobody answers for."""

FILES = {
    "customers.csv": "id,name,mail\nC1,Ann Smith,ann@shop.example\nC2,Öztürk & Söhne,\n",
    "products.csv": "id,name,price\nP1,Lamp,10.00\nP2,Table,120.50\n",
    "orders.csv": "id,customer,date\n501,C1,2026-03-02\n502,C2,2026-03-31\n",
    "lines.csv": "order,line,product,qty,price\n501,1,P1,3,10.00\n501,2,P2,1,120.50\n502,1,P1,2,9.99\n",
}
"""Two invoices: 501 of 3 at 10.00 + 120.50 = 150.50, and 502 of 2 at 9.99 = 19.98."""


def command_names(command: object, *path: str) -> tuple[str, ...]:
    """The whole name of each command below one: `log verify`."""
    if not isinstance(command, TyperGroup):
        return (" ".join(path),)
    return tuple(one for name, below in command.commands.items() for one in command_names(below, *path, name))


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything that it printed."""
        return self.out + self.err

    def json(self) -> Any:
        """What it printed with --json: one line."""
        return json.loads(self.out)


def run_cli(
    *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None, seconds: float = SECONDS_MAX
) -> Ran:
    """Run a command to its end; no traceback may reach whoever runs it."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=cwd,
            env=environment_of(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            timeout=seconds,
            check=False,
        )
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    ran = Ran(done.returncode, *texts)
    assert "Traceback" not in ran.said, ran.said
    return ran


def environment_of(extra: Mapping[str, str] | None) -> dict[str, str]:
    """What a command finds in its environment: nothing of ours but what a test gives it."""
    kept = {name: value for name, value in python_environment().items() if not name.startswith("COUNTERFOIL_")}
    return {**kept, "COLUMNS": "200", **(extra or {})}


@contextmanager
def started_cli(*arguments: str, cwd: Path, environment: Mapping[str, str] | None = None) -> Iterator["Started"]:
    """A command that stays, for the length of a block; ended at its end if it still runs."""
    with (cwd / "started.out").open("wb") as out, (cwd / "started.err").open("wb") as err:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=cwd,
            env=environment_of(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        try:
            yield Started(process, cwd / "started.out", cwd / "started.err")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(timeout=30)


@dataclass(frozen=True)
class Started:
    """A command that is running."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    def ready(self) -> dict[str, Any]:
        """Its first line, as JSON."""
        until = time.monotonic() + SECONDS_MAX
        while time.monotonic() < until:
            first, newline, _ = self.out.read_text().partition("\n")
            if newline:
                line: dict[str, Any] = json.loads(first)
                return line
            assert self.process.poll() is None, self.err.read_text()
            time.sleep(0.05)
        raise AssertionError("no line came")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop; its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=SECONDS_MAX)
        assert "Traceback" not in self.err.read_text(), self.err.read_text()
        return code


@dataclass(frozen=True)
class Shop:
    """A folder with a configuration, a mapping and CSV files."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, seconds: float = SECONDS_MAX) -> Ran:
        """Run a command in it."""
        return run_cli(*arguments, cwd=self.folder, environment=self.environment, seconds=seconds)

    def write(self, name: str, text: str) -> None:
        """Replace one of its files."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a text that stands in one of its files."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))


def make_shop(folder: Path, emulator: EmulatorProcess, database: Database, **quickbooks: str) -> Shop:
    """A shop whose books are the emulator and whose Postgres is a test's own database."""
    folder.mkdir(exist_ok=True)
    keys = ("realm_id", "client_id", "client_secret", "refresh_token", "verifier_token", "base_url")
    connection = {**{name: emulator[name] for name in keys}, **quickbooks}
    lines = [f'{name} = "{value}"' for name, value in connection.items()]
    shop = Shop(
        folder,
        {
            "COUNTERFOIL_DSN": database.engine_dsn.get_secret_value(),
            "COUNTERFOIL_ADMIN_DSN": database.admin_dsn.get_secret_value(),
        },
    )
    shop.write("counterfoil.toml", CONFIGURATION.replace("QUICKBOOKS", "\n".join(lines)))
    shop.write("shop.toml", SHOP_MAPPING)
    for name, text in FILES.items():
        shop.write(f"exports/{name}", text)
    return shop
