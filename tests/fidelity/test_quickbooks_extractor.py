"""Singer's extractor reads the sandbox's company whole, and after that what changed, with Intuit's own addresses in it.

It lives in an environment of its own, for it wants other versions of libraries that we use.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps, loads_object
from support.quickbooks_emulator import EmulatorProcess, emulator_process
from support.tunnel import Tunnel, tunnel_to

EXTRACTOR = "tap-quickbooks==2.5.0"
INSTALL_SECONDS = 200
EXTRACT_SECONDS = 90
# Stream, and what the emulator calls the same; the rest of its 31 are reports and what was deleted.
STREAMS = {
    "accounts": "Account", "bill_payments": "BillPayment", "bills": "Bill", "budgets": "Budget", "classes": "Class",
    "credit_memos": "CreditMemo", "customer_types": "CustomerType", "customers": "Customer",
    "departments": "Department", "deposits": "Deposit", "employees": "Employee", "estimates": "Estimate",
    "invoices": "Invoice", "items": "Item", "journal_entries": "JournalEntry", "payment_methods": "PaymentMethod",
    "payments": "Payment", "purchase_orders": "PurchaseOrder", "purchases": "Purchase",
    "refund_receipts": "RefundReceipt", "sales_receipts": "SalesReceipt", "tax_agencies": "TaxAgency",
    "tax_codes": "TaxCode", "tax_rates": "TaxRate", "terms": "Term", "time_activities": "TimeActivity",
    "transfers": "Transfer", "vendor_credits": "VendorCredit", "vendors": "Vendor",
}  # fmt: skip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extractor, installed."""
    # Tests in several processes share one run's folder, and what is installed there.
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder, refused = root / "extractor", root / "extractor.refused"
    with (root / "extractor.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not refused.exists():
            refused.write_text(_install(folder))
    if told := refused.read_text():
        pytest.skip(f"{EXTRACTOR} cannot be installed: {told.strip()[-300:]}")
    return folder / "bin" / "tap-quickbooks"


def _install(folder: Path) -> str:
    """What went wrong; empty if nothing did."""
    python = str(folder / "bin" / "python")
    uv = shutil.which("uv")
    make = [uv, "venv", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    put = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install", "--no-input"]
    for command in ([*make, str(folder)], [*put, EXTRACTOR]):
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        if done.returncode:
            return done.stderr or done.stdout or "no reason given"
    return ""


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "9", "--sample", "craig", "--tls") as process:
        yield process


@pytest.fixture(scope="module")
def tunnel(emulator: EmulatorProcess) -> Iterator[Tunnel]:
    with tunnel_to(int(emulator["base_url"].rpartition(":")[2])) as way:
        yield way


class Extraction:
    """One extractor with its files."""

    def __init__(self, program: Path, folder: Path, emulator: EmulatorProcess, tunnel: Tunnel) -> None:
        self._program = program
        self._folder = folder
        self._environment: Mapping[str, str] = {
            **{name: value for name, value in os.environ.items() if name.lower() not in {"no_proxy", "https_proxy"}},
            "HTTPS_PROXY": tunnel.address,
            "REQUESTS_CA_BUNDLE": emulator["ca_file"],
        }
        names = ("client_id", "client_secret", "refresh_token", "realm_id")
        config: JsonObject = {name: emulator[name] for name in names}
        began = datetime.now(UTC) - timedelta(days=40)
        config |= {"start_date": began.strftime("%Y-%m-%dT00:00:00Z"), "user_agent": "test", "sandbox": "true"}
        self._write("config.json", config)
        catalogue = loads_object(self._run("--discover").encode())
        streams = catalogue["streams"]
        assert isinstance(streams, list)
        for stream in streams:
            assert isinstance(stream, dict)
            stream["metadata"] = [_selected(entry) for entry in _list(stream["metadata"])]
        self.streams = {str(stream["tap_stream_id"]) for stream in streams if isinstance(stream, dict)}
        self._write("catalogue.json", catalogue)

    def read(self) -> dict[str, list[JsonObject]]:
        """The records by stream, from where the last reading ended."""
        state = self._folder / "state.json"
        more = ("--state", str(state)) if state.exists() else ()
        found: dict[str, list[JsonObject]] = {}
        for told in self._run("--catalog", str(self._folder / "catalogue.json"), *more).splitlines():
            message = loads_object(told.encode())
            if message["type"] == "STATE":
                state.write_bytes(dumps(message["value"]))
            elif message["type"] == "RECORD":
                record = message["record"]
                assert isinstance(record, dict)
                found.setdefault(str(message["stream"]), []).append(record)
        return found

    def _run(self, *arguments: str) -> str:
        command = [str(self._program), "--config", str(self._folder / "config.json"), *arguments]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=self._environment, timeout=EXTRACT_SECONDS
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def _write(self, name: str, value: JsonObject) -> None:
        (self._folder / name).write_bytes(dumps(value))


def _selected(entry: JsonValue) -> JsonValue:
    assert isinstance(entry, dict)
    about = entry["metadata"]
    assert isinstance(about, dict)
    return entry if entry["breadcrumb"] else {**entry, "metadata": {**about, "selected": True}}


def _list(value: JsonValue) -> list[JsonValue]:
    assert isinstance(value, list)
    return value


def test_it_reads_everything_and_then_what_changed(
    program: Path, emulator: EmulatorProcess, tunnel: Tunnel, tmp_path: Path
) -> None:
    extraction = Extraction(program, tmp_path, emulator, tunnel)
    assert set(STREAMS) <= extraction.streams
    state = emulator.control("/state")
    found = extraction.read()
    kept = {stream: [row["Id"] for row in _rows(state, entity)] for stream, entity in STREAMS.items()}
    assert {stream: Counter(ids) for stream, ids in kept.items() if ids} == {
        stream: Counter(record["Id"] for record in found[stream]) for stream in STREAMS if stream in found
    }
    assert found["profit_loss_report"]
    assert "deleted_objects" not in found
    assert {host.endswith(".intuit.com") for host in tunnel.hosts} == {True}

    who = made(emulator, "Customer", {"DisplayName": "Come Later"})
    detail: JsonObject = {"ItemRef": {"value": "1"}}
    sold: JsonObject = {"Amount": 9, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    gone = made(emulator, "Invoice", {"CustomerRef": {"value": who}, "Line": [sold]})
    emulator.control("/books/Invoice", {"operation": "delete", "id": gone})
    later = extraction.read()
    assert who in [record["Id"] for record in later["customers"]]
    assert [(record["Id"], record["Type"]) for record in later["deleted_objects"]] == [(gone, "Invoice")]


def made(emulator: EmulatorProcess, entity: str, body: JsonObject) -> str:
    """The Id of a record that a person makes."""
    record = emulator.control(f"/books/{entity}", {"body": body})[entity]
    assert isinstance(record, dict)
    return str(record["Id"])


def _rows(state: JsonObject, entity: str) -> list[JsonObject]:
    shown = state.get(entity, [])
    return [row for row in _list(shown) if isinstance(row, dict) and row.get("Active", True) is True]
