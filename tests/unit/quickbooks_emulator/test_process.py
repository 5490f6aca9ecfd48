"""The emulator as a process: one line when ready, a clean end, and help that teaches."""

import signal
import socket

import pytest
import requests

from counterfoil.quickbooks.emulator import serve
from support.quickbooks_emulator import emulator_process


def test_one_line_when_ready_and_a_clean_end() -> None:
    with emulator_process("--limits=off", "--seed", "7") as emulator:
        assert {
            "base_url",
            "realm_id",
            "client_id",
            "client_secret",
            "refresh_token",
            "verifier_token",
            "control_url",
        } <= emulator.ready.keys()
        headers = {"Authorization": f"Bearer {emulator['access_token']}", "Accept": "application/json"}
        url = f"{emulator.company_url}/companyinfo/{emulator['realm_id']}"
        answer = requests.get(url, headers=headers, timeout=10)
        assert answer.json()["CompanyInfo"]["CompanyName"] == "Sandbox Company"
        emulator.process.send_signal(signal.SIGTERM)
        assert emulator.process.wait(timeout=15) == 0
        assert emulator.process.stdout is not None
        assert emulator.process.stdout.read() == ""
    with emulator_process("--seed", "7") as again:
        assert emulator["refresh_token"] == again["refresh_token"]


def test_it_stops_while_a_client_is_kept_waiting() -> None:
    with emulator_process("--limits", "off") as emulator:
        emulator.control("/faults", {"kind": "slow", "seconds": 600})
        with pytest.raises(requests.Timeout):
            requests.get(
                f"{emulator.company_url}/preferences",
                headers={"Authorization": f"Bearer {emulator['access_token']}"},
                timeout=0.3,
            )
        emulator.process.send_signal(signal.SIGTERM)
        assert emulator.process.wait(timeout=15) == 0


async def test_help_and_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    assert await serve(["--help"]) == 0
    assert "--limits" in capsys.readouterr().out
    for wrong in (["--limits", "maybe"], ["--request-ids", "sometimes"], ["--time-scale", "0"]):
        assert await serve(wrong) == 2
        assert wrong[0] in capsys.readouterr().err


async def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert await serve(["--port", str(taken.getsockname()[1])]) == 2
    assert "cannot listen" in capsys.readouterr().err
