"""Bad input to the real command line: one clear message, the remedy, and an exit code; never a traceback."""

from pathlib import Path

import pytest

from support.cli import BOOKS_AWAY_CONFIGURATION, FILES, SHOP_MAPPING, Ran, run_cli

# Port 9 of this machine discards nothing nowadays: connections to it are refused.
NOWHERE = {"COUNTERFOIL_DSN": "postgresql://counterfoil:wrong-word@127.0.0.1:9/books"}

EMULATORS = ["bamboohr", "gusto", "hubspot", "pipedrive", "quickbooks", "salesforce"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "counterfoil.toml").write_text(BOOKS_AWAY_CONFIGURATION, encoding="utf-8")
    (tmp_path / "shop.toml").write_text(SHOP_MAPPING, encoding="utf-8")
    (tmp_path / "exports").mkdir()
    for name, text in FILES.items():
        (tmp_path / "exports" / name).write_text(text, encoding="utf-8")
    return tmp_path


def refused(ran: Ran, code: int, *parts: str) -> None:
    """It left with the code and said all of this, in few lines."""
    assert code == ran.code, ran.said
    for part in parts:
        assert part in ran.err, ran.said
    assert ran.out == ""


def test_no_configuration(tmp_path: Path) -> None:
    ran = run_cli("sync", cwd=tmp_path)
    refused(ran, 2, "There is no configuration file counterfoil.toml.", "counterfoil init", "--config")


def test_a_configuration_that_is_no_toml(folder: Path) -> None:
    (folder / "counterfoil.toml").write_text("[company.1\n")
    refused(run_cli("status", cwd=folder), 2, "counterfoil.toml is no TOML file", "line 1")


def test_a_wrong_key_is_named_with_the_nearest(folder: Path) -> None:
    text = (folder / "counterfoil.toml").read_text(encoding="utf-8")
    (folder / "counterfoil.toml").write_text(text.replace("realm_id =", "realm ="), encoding="utf-8")

    ran = run_cli("status", cwd=folder)

    refused(ran, 2, '[company.1.quickbooks] has no key "realm"; did you mean "realm_id"?')


@pytest.mark.parametrize(
    "options", [("--to", "out"), ("--as-of", "5", "--check"), ("--as-of", "5", "--processes", "2")]
)
def test_a_rebuild_leaves_no_option_out_in_silence(folder: Path, options: tuple[str, ...]) -> None:
    refused(run_cli("rebuild", *options, cwd=folder), 2, "--as-of")


def test_a_company_that_is_not_configured(folder: Path) -> None:
    ran = run_cli("sync", "--company", "7", cwd=folder)
    refused(ran, 2, "Company 7 is not configured; configured are: 1.")


@pytest.mark.parametrize("command", ["sync", "status", "migrate"])
def test_a_postgres_that_does_not_answer(folder: Path, command: str) -> None:
    ran = run_cli(command, cwd=folder, environment=NOWHERE)

    refused(ran, 3, "127.0.0.1")
    assert "wrong-word" not in ran.said


def test_a_wrong_mapping_is_told_with_file_line_and_nearest_name(folder: Path) -> None:
    (folder / "wrong.toml").write_text(SHOP_MAPPING.replace("income_account", "incom_account"), encoding="utf-8")
    line = SHOP_MAPPING.splitlines().index('income_account = "Sales of Product Income"') + 1

    ran = run_cli("mapping", "check", "wrong.toml", cwd=folder)

    refused(ran, 2, f"wrong.toml, line {line}, column 1: ", 'no key "incom_account"', 'did you mean "income_account"?')


def test_a_good_mapping_is_said_to_be_good(folder: Path) -> None:
    ran = run_cli("mapping", "check", "shop.toml", "--json", cwd=folder)

    assert ran.code == 0
    assert ran.json()["usable"] is True
    assert ran.json()["source"] == "csv"


def test_a_mapping_that_is_not_there(folder: Path) -> None:
    refused(run_cli("mapping", "check", "none.toml", cwd=folder), 2, "There is no mapping none.toml.")


def test_an_emulator_that_is_not_installed(tmp_path: Path) -> None:
    ran = run_cli("emulator", "sap", "--port", "0", cwd=tmp_path)
    refused(ran, 2, f"There is no emulator called sap; installed are: {', '.join(EMULATORS)}.")


def test_an_emulator_keeps_its_own_options(tmp_path: Path) -> None:
    ran = run_cli("emulator", "quickbooks", "--help", cwd=tmp_path)

    assert ran.code == 0
    assert "--control-port" in ran.out
    listed = run_cli("emulator", "--list", "--json", cwd=tmp_path)
    assert listed.json()["emulators"] == EMULATORS


def test_an_unknown_command_or_option(tmp_path: Path) -> None:
    assert run_cli("synk", cwd=tmp_path).code == 2
    assert run_cli("sync", "--fast", cwd=tmp_path).code == 2
    assert run_cli("skip", "hubspot:deal:1", cwd=tmp_path).code == 2  # without a reason


@pytest.mark.parametrize("source", ["csv", "gusto"])
def test_init_writes_what_the_rest_can_read_and_replaces_nothing(tmp_path: Path, source: str) -> None:
    first = run_cli("init", "books", "--source", source, cwd=tmp_path)
    second = run_cli("init", "books", "--source", source, cwd=tmp_path)
    mapping = run_cli("mapping", "check", f"books/{source}.toml", cwd=tmp_path)
    status = run_cli("status", "--config", "books/counterfoil.toml", cwd=tmp_path)

    assert first.code == 0, first.said
    refused(second, 2, "exists already, and nothing was written")
    assert mapping.code == 0, mapping.said
    # The example is read up to the first secret, which is still to be given.
    refused(status, 2, "the environment variable QUICKBOOKS_CLIENT_ID, which is not set")


def test_the_example_is_whole_once_its_secrets_are_given(tmp_path: Path) -> None:
    run_cli("init", cwd=tmp_path)
    names = ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN", "VERIFIER_TOKEN")
    secrets = {f"QUICKBOOKS_{name}": "a-secret" for name in names}

    ran = run_cli("status", cwd=tmp_path, environment={**secrets, **NOWHERE})

    refused(ran, 3, "127.0.0.1")
    assert "a-secret" not in ran.said


def test_an_anchor_needs_a_key_and_a_file(folder: Path) -> None:
    refused(run_cli("log", "anchor", "a.json", cwd=folder, environment=NOWHERE), 3, "127.0.0.1")
    missing = run_cli("log", "verify", "--anchor", "none.json", cwd=folder, environment=NOWHERE)
    refused(missing, 2, "There is no anchor none.json.")
    (folder / "there.json").write_text("{}")
    no_key = run_cli("log", "verify", "--anchor", "there.json", cwd=folder, environment=NOWHERE)
    refused(no_key, 2, "COUNTERFOIL_ANCHOR_KEY")
