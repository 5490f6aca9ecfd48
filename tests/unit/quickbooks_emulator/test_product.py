"""What the emulator offers beside the API: https, large companies, saved states, a page, switches."""

import json
import re
import ssl
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
import requests

from counterfoil.quickbooks import emulator as emulator_package
from counterfoil.quickbooks.emulator import EmulatorOptions, QuickBooksEmulator, Switches
from counterfoil.quickbooks.emulator.catalog import ENTITIES
from counterfoil.quickbooks.emulator.command import serve
from counterfoil.quickbooks.emulator.control import ENDPOINTS
from counterfoil.quickbooks.emulator.injection import KINDS
from counterfoil.quickbooks.emulator.known_faults import KNOWN
from counterfoil.quickbooks.emulator.options import options_from, parser
from counterfoil.quickbooks.emulator.reports import REPORTS
from counterfoil.quickbooks.emulator.snapshot import SnapshotError, restore, saved
from counterfoil.quickbooks.emulator.values import ZERO, as_list
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps, loads, loads_object
from support.quickbooks_company import Company, code_of, running
from support.quickbooks_emulator import EmulatorProcess, emulator_process


async def test_https_is_trusted_with_the_authority_and_not_without() -> None:
    async with QuickBooksEmulator(EmulatorOptions(tls=True)) as emulator, aiohttp.ClientSession() as session:
        line = emulator.ready_line()
        assert str(line["base_url"]).startswith("https://")
        url = f"{line['base_url']}/.well-known/openid_configuration"
        trusting = ssl.create_default_context(cafile=str(line["ca_file"]))
        async with session.get(url, ssl=trusting) as answer:
            assert answer.status == 200
            assert str((await answer.json())["token_endpoint"]).startswith("https://")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(url)
    assert not Path(str(line["ca_file"])).exists()


def test_a_large_company_balances() -> None:
    books = QuickBooksEmulator(EmulatorOptions(seed=3, volume=300)).books
    invoices = books.tables.table("Invoice").rows
    assert (len(invoices), len(books.tables.table("Payment").rows)) == (300, 200)
    assert sum(books.ledger.accounts().values(), ZERO) == ZERO
    owed = sum((Decimal(str(row.body["Balance"])) for row in invoices.values()), ZERO)
    assert owed == books.ledger.account("84")
    again = QuickBooksEmulator(EmulatorOptions(seed=3, volume=300)).books
    assert again.ledger.accounts() == books.ledger.accounts()


def test_a_saved_state_is_taken_up_whole() -> None:
    first = QuickBooksEmulator(EmulatorOptions(seed=1, sample="craig", manual_clock=True))
    removed = next(iter(first.books.tables.table("Estimate").rows))
    company = Company(first)
    company.write("Estimate", {"Id": removed, "SyncToken": "0"}, "delete")
    state = saved(first.books)
    second = QuickBooksEmulator(EmulatorOptions(seed=2, manual_clock=True))
    restore(second.books, loads(dumps(state)))
    assert loads(dumps(saved(second.books))) == loads(dumps(state))
    assert second.books.ledger.accounts() == first.books.ledger.accounts()
    # Balances, links and numbers go on where they were.
    made = [Company(one).write("Invoice", an_invoice()) for one in (first, second)]
    assert made[0]["Id"] == made[1]["Id"]
    assert made[0]["DocNumber"] == made[1]["DocNumber"]
    payment = next(iter(second.books.tables.table("Payment").rows))
    for one in (first, second):
        Company(one).write("Payment", Company(one).handle("Payment", payment), "void", "void")
    assert second.books.ledger.accounts() == first.books.ledger.accounts()


def an_invoice() -> JsonObject:
    detail: JsonObject = {"ItemRef": {"value": "10"}}
    line: JsonObject = {"Amount": Decimal("35.00"), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    return {"CustomerRef": {"value": "1"}, "Line": [line]}


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"counterfoil_emulator": 2},
        {"counterfoil_emulator": 1, "tables": {"Invoice": {"rows": [{"id": "1"}]}}},
        {"counterfoil_emulator": 1, "tables": {"Sheep": {"rows": []}}},
        {"counterfoil_emulator": 1, "links": [["1", "Invoice", "2", "much"]]},
    ],
)
def test_a_damaged_state_is_refused_whole(state: dict[str, object]) -> None:
    books = Company().books
    before = dumps(saved(books))
    with pytest.raises(SnapshotError):
        restore(books, loads(json.dumps(state)))
    assert dumps(saved(books)) == before


def test_a_process_saves_and_loads(tmp_path: Path) -> None:
    kept = tmp_path / "company.json"
    with emulator_process("--sample", "small", "--save", str(kept)) as first:
        first.control("/books/Customer", {"body": {"DisplayName": "Zoe's Zoo"}})
    with emulator_process("--load", str(kept)) as second:
        assert "Zoe's Zoo" in str(second.control("/state?entity=Customer"))


def test_a_client_goes_on_where_it_was(tmp_path: Path) -> None:
    kept = tmp_path / "company.json"
    body = dumps({"DisplayName": "Zoe's Zoo"})
    answers: list[object] = []
    # The seed is the same, so that new tokens would be those of the first run if it were begun anew.
    with emulator_process("--seed", "3", "--save", str(kept)) as first:
        first.control("/clock", {"advance_seconds": 86_400})
        tokens = refreshed(first, first["refresh_token"])
        answers.append(created(first, tokens["access_token"], body))
        then = first.control("/clock")["now"]
    with emulator_process("--seed", "3", "--load", str(kept)) as second:
        answers.append(created(second, tokens["access_token"], body))
        assert len(as_list(second.control("/state?entity=Customer")["Customer"])) == 1
        for name in ("client_id", "client_secret", "verifier_token"):
            assert second[name] == first[name]
        assert str(second.control("/clock")["now"]) >= str(then)
        token = str(tokens["refresh_token"])
        assert refreshed(second, token)["refresh_token"] == token
        second.control("/clock", {"advance_seconds": 86_400})
        assert refreshed(second, token)["refresh_token"] not in {token, first["refresh_token"]}
    assert answers[0] == answers[1]


def refreshed(process: EmulatorProcess, token: str) -> JsonObject:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    who = (process["client_id"], process["client_secret"])
    answer = requests.post(process["token_url"], data=form, auth=who, timeout=10)
    assert answer.status_code == 200, answer.text
    return loads_object(answer.content)


def created(process: EmulatorProcess, token: object, body: bytes) -> JsonValue:
    url = f"{process.company_url}/customer?requestid=once"
    answer = requests.post(
        url, data=body, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"}, timeout=10
    )
    assert answer.status_code == 200, answer.text
    return loads_object(answer.content)["Customer"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"counterfoil_emulator": 7}'])
async def test_a_file_that_is_no_saved_state_is_named(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "company.json"
    file.write_text(content, encoding="utf-8")
    assert await serve(["--load", str(file)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{file}: This is no saved state of this emulator")
    assert await serve(["--load", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", [["--volume", "100001"], ["--volume", "-1"], ["--load", "x", "--sample", "craig"], ["--rate", "slow"]]
)
def test_a_wrong_command_line_says_so(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        options_from(line)
    assert left.value.code == 2
    assert line[0] in capsys.readouterr().err


async def test_a_page_shows_the_books_and_escapes_names() -> None:
    options = EmulatorOptions(sample="small")
    async with QuickBooksEmulator(options) as emulator, aiohttp.ClientSession() as session:
        Company(emulator).write("Customer", {"DisplayName": "<script>alert(1)</script>"})
        async with session.get(f"{emulator.control_url}/books") as answer:
            page = await answer.text()
    assert "Trial balance" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


@pytest.mark.parametrize(("old_changes", "status", "code"), [("clipped", 200, ""), ("refused", 400, "4001")])
async def test_changes_of_long_ago(old_changes: str, status: int, code: str) -> None:
    switches = Switches(old_changes="clipped" if old_changes == "clipped" else "refused")
    async with running(EmulatorOptions(seed=1, switches=switches)) as api:
        since = (api.emulator.clock.now() - timedelta(days=31)).isoformat()
        answered, body = await api.get("cdc", entities="Customer", changedSince=since)
        assert (answered, code_of(body)) == (status, code)


README = Path(emulator_package.__file__).with_name("README.md").read_text(encoding="utf-8")
QUOTED = set(re.findall(r"`([^`]+)`", README))


def test_the_page_names_every_option_and_no_other() -> None:
    options = {name for action in parser()._actions for name in action.option_strings if name.startswith("--")}
    named = set(re.findall(r"--[a-z][a-z-]+", README))
    assert options - named == {"--help"} - named
    assert named - options == set()


def test_the_page_names_every_record_report_fault_code_and_call_and_no_other() -> None:
    kinds = {name for name in QUOTED if name in KINDS}
    assert kinds == KINDS
    assert [name for name in (*ENTITIES, *REPORTS) if not re.search(rf"\b{name}\b", README)] == []
    calls = set(re.findall(r"`((?:GET|POST|DELETE) /[a-z/{}]*)`", README))
    assert calls - {"GET /"} == listed_calls()
    told = re.search(r"Codes that a client meets.*?10200", README, re.DOTALL)
    assert told is not None
    codes = set(re.findall(r"\b\d{3,5}\b", told[0]))
    ranges = {str(number) for number in range(6290, 6391, 10)}
    assert codes - ranges == KNOWN.keys() - ranges


def test_the_table_of_features_names_every_record_and_report() -> None:
    table = Path(emulator_package.__file__).parent.with_name("README.md").read_text(encoding="utf-8")
    # A report and its detail may stand together.
    named = [(name, name.removesuffix("Detail") if name in REPORTS else name) for name in (*ENTITIES, *REPORTS)]
    assert [name for name, short in named if not re.search(rf"\b({name}|{short})s?\b", table)] == []


def listed_calls() -> set[str]:
    found: set[str] = set()
    for line, told in ENDPOINTS.items():
        methods, _, path = line.partition(" ")
        where = re.split(r"[?\[]", path)[0]
        found |= {f"{method} {where}" for method in methods.split("|")}
        # One line of the list tells of another call.
        found |= {"DELETE /faults"} if "DELETE /faults" in str(told) else set()
    return found - {"GET /"}
