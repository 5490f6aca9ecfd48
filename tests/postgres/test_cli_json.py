"""Every command with --json, in a company that has something of everything: valid JSON and the right exit code."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from counterfoil.cli.app import make_app
from support.cli import SHOP_MAPPING, Shop, command_names, make_shop, started_cli
from support.postgres import Server, fresh_database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

RUNS: dict[str, tuple[list[str], int]] = {
    "sync": ([], 0),
    "status": ([], 0),
    "parked": ([], 1),
    "review": ([], 0),
    "explain": (["shop:order:501"], 0),
    "approve": (["shop:order:501"], 0),
    "retry": (["shop:order:502"], 0),
    "skip": (["shop:order:502", "--reason", "by hand"], 0),
    "totals": ([], 0),
    "limits": ([], 0),
    "doctor": ([], 1),
    "runs": ([], 0),
    "reconcile": ([], 0),
    "shadow": (["--export", "plans.jsonl"], 0),
    "deadletters list": ([], 1),
    "deadletters show": (["shop:order:502"], 1),
    "deadletters retry": (["shop:order:502"], 0),
    "deadletters skip": (["shop:order:502", "--reason", "by hand"], 0),
    "rebuild": (["--check"], 0),
    "log tail": (["--lines", "5"], 0),
    "log show": (["1"], 0),
    "log verify": ([], 0),
    "log export": (["--to", "log.jsonl"], 0),
    "log anchor": (["anchor.json"], 0),
    "recover": (["--anchor", "anchor.json", "--dry-run"], 0),
    "adapters setup": (["shop"], 0),
    "adapters list": ([], 0),
    "adapters new": (["harvest"], 0),
    "adapters check": (["csv", "--set", "folder=exports", "--mapping", "shop.toml"], 0),
    "mapping check": (["shop.toml"], 0),
    "mapping preview": (["--sample", "5"], 0),
    "mapping init": (["first.toml"], 0),
    "mapping schema": ([], 0),
    "init": (["example"], 0),
    "migrate": ([], 0),
    "version": ([], 0),
    "keys rotate": ([], 0),
    "disconnect quickbooks": ([], 0),
}
"""What each command is given, and its exit code: one order waits for approval, and one is parked."""

STAYING = {"serve", "emulator"}
ELSEWHERE = {
    "connect quickbooks",  # below, and in `test_connect`
    "deadletters edit",
    "deadletters map",
    "deadletters resolve",
    "demo",
    "erase",
    "export",
    "loadtest",
    "onboard",
    "redrive",
    "restore",
    "rollback",
}
"""Commands that want more than this shop, and have tests of their own."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Server, emulator: EmulatorProcess
) -> Iterator[Shop]:
    with asyncio.Runner() as runner:
        fresh = fresh_database(postgres_server)
        database = runner.run(fresh.__aenter__())
        made = make_shop(tmp_path_factory.mktemp("json") / "shop", emulator, database)
        made.write("shop.toml", SHOP_MAPPING + '\n[post.invoice]\npost = "auto"\nreview_above = 100\n')
        made.write("exports/lines.csv", "order,line,product,qty,price\n501,1,P2,1,120.50\n502,1,P1,two,9.99\n")
        yield Shop(made.folder, {**made.environment, "COUNTERFOIL_ANCHOR_KEY": KEY})
        runner.run(fresh.__aexit__(None, None, None))


def test_every_command_is_run_here_or_elsewhere() -> None:
    assert {*RUNS, *STAYING, *ELSEWHERE} == set(command_names(typer.main.get_command(make_app())))


def test_each_command_answers_in_json(shop: Shop) -> None:
    answers: dict[str, Any] = {}
    for command, (arguments, code) in RUNS.items():
        ran = shop.run(*command.split(), *arguments, "--json")
        assert code == ran.code, (command, ran.said)
        lines = [json.loads(line) for line in ran.out.splitlines()]
        assert lines, command
        assert all(isinstance(line, dict) and "error" not in line for line in lines), (command, ran.out)
        answers[command] = lines
    assert len(answers["log tail"]) == 5
    assert {name: len(lines) for name, lines in answers.items() if name != "log tail"} == {
        name: 1 for name in RUNS if name != "log tail"
    }
    (parked,) = answers["parked"]
    assert [one["record_key"] for one in parked["parked"]] == ["shop:order:502"]
    assert parked["notes"] == []
    assert answers["log verify"][0]["intact"] is True
    assert answers["rebuild"][0]["same"] is True


def test_what_stays_says_in_json_where_it_is(shop: Shop) -> None:
    with started_cli("serve", "--port", "0", "--json", cwd=shop.folder, environment=shop.environment) as serving:
        assert serving.ready()["companies"] == [1]
        assert serving.stop() == 0
    with started_cli("emulator", "gusto", "--json", cwd=shop.folder) as serving:
        assert serving.ready()["base_url"].startswith("http://127.0.0.1:")
        assert serving.stop() == 0


def test_an_error_on_the_way_is_one_line_behind_what_was_printed(shop: Shop, emulator: EmulatorProcess) -> None:
    taken = emulator["base_url"].rpartition(":")[2]
    refusals = {
        ("serve", "--port", taken): (2, f"port {taken}"),
        ("explain", "shop:order:999"): (2, "Nothing is known under"),
        ("log", "show", "999999"): (2, "has no event at 999999"),
        ("log", "export", "--to", "none/log.jsonl"): (2, "cannot be written"),
        ("log", "anchor", "none/anchor.json"): (2, "none/anchor.json"),
        ("connect", "quickbooks", "--no-browser", "--wait", "1", "--port", "0"): (2, ""),
    }
    for arguments, (code, words) in refusals.items():
        ran = shop.run(*arguments, "--json")
        assert code == ran.code, (arguments, ran.said)
        said = json.loads(ran.out.splitlines()[-1])
        assert said["exit"] == code
        assert words in said["error"]["message"], (arguments, ran.said)
        assert said["error"]["message"] in ran.err.replace("\n", " ")
