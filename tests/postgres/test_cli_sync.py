"""`sync`, `status`, `explain`, `log` and `serve` as processes, against the emulator and a real Postgres."""

import json
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from support.cli import Ran, Shop, make_shop, started_cli
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    return make_shop(tmp_path / "shop", emulator, database)


def writes(emulator: EmulatorProcess) -> int:
    """Effects in the emulator's own journal."""
    effects = emulator.control("/journal")["effects"]
    assert isinstance(effects, list)
    return len(effects)


def test_a_company_is_synchronised_once_and_nothing_happens_twice(shop: Shop, emulator: EmulatorProcess) -> None:
    first = shop.run("sync", "--json")

    assert first.code == 0, first.said
    company = first.json()["companies"][0]
    # Two customers, two products, two orders.
    assert company["outcomes"] == {"applied": 6, "unchanged": 0, "skipped": 0, "waiting": 0, "parked": 0}
    assert company["observed"] == 6
    assert company["ending"] == "quiet"
    effects = writes(emulator)

    # The sweep of the second run shows what the first one wrote, and nothing but that.
    second = shop.run("sync", "--json")
    third = shop.run("sync", "--full", "--json")

    assert (second.code, third.code) == (0, 0), second.said + third.said
    assert second.json()["companies"][0]["recorded"].get("call.sent", 0) == 0
    assert third.json()["companies"][0]["recorded"].get("call.sent", 0) == 0
    assert third.json()["companies"][0]["outcomes"]["applied"] == 6
    assert third.json()["companies"][0]["outcomes"]["waiting"] == 0
    assert effects == writes(emulator)


def test_a_broken_row_is_parked_with_its_place_and_the_rest_goes_on(shop: Shop) -> None:
    shop.write("exports/lines.csv", "order,line,product,qty,price\n501,1,P1,three,10.00\n502,1,P1,2,9.99\n")

    ran = shop.run("sync", "--strict", "--json")
    parked = shop.run("parked", "--json")
    words = shop.run("parked")
    chain = shop.run("explain", "shop:order:501")

    assert ran.code == 1, ran.said
    company = ran.json()["companies"][0]
    assert company["outcomes"]["parked"] == 1
    assert company["outcomes"]["applied"] == 5
    assert parked.code == 1
    one = parked.json()["parked"][0]
    assert one["record_key"] == "shop:order:501"
    assert "lines.csv line 2" in one["reason"]
    assert one["fix"]
    assert "lines.csv line 2" in words.out
    assert f"fix: {one['fix']}" in chain.out

    # Mended, the row goes through by itself.
    shop.write("exports/lines.csv", "order,line,product,qty,price\n501,1,P1,3,10.00\n502,1,P1,2,9.99\n")
    again = shop.run("sync", "--strict", "--json")
    assert again.code == 0, again.said
    assert again.json()["companies"][0]["outcomes"]["parked"] == 0


def test_other_books_stop_the_company(shop: Shop, emulator: EmulatorProcess) -> None:
    shop.run("sync")
    effects = writes(emulator)
    shop.replace("counterfoil.toml", emulator["realm_id"], "9999999999")

    ran = shop.run("sync")

    assert ran.code == 3
    assert f"pinned to QuickBooks realm {emulator['realm_id']}" in ran.out
    assert "leads to 9999999999" in ran.out
    assert effects == writes(emulator)


def test_a_company_may_change_its_name(shop: Shop, emulator: EmulatorProcess) -> None:
    shop.run("sync")
    shown: Any = emulator.control("/state?entity=CompanyInfo")
    (before,) = shown["CompanyInfo"]
    renamed = {"Id": before["Id"], "SyncToken": before["SyncToken"], "sparse": True, "CompanyName": "Renamed & Sons"}
    emulator.control("/books/CompanyInfo", {"operation": "update", "body": renamed})

    ran = shop.run("sync", "--json")
    again = shop.run("sync", "--json")
    events = shop.run("log", "tail", "--company", "1", "--lines", "1000", "--json")

    assert (ran.code, again.code) == (0, 0), ran.said
    assert events.out.count("realm.pinned") == 2, "once at first, once under the new name"


def test_a_source_that_cannot_be_read_deletes_nothing(shop: Shop, emulator: EmulatorProcess) -> None:
    shop.run("sync")
    effects = writes(emulator)
    (shop.folder / "exports" / "orders.csv").unlink()

    ran = shop.run("sync", "--json")

    assert ran.code == 3, ran.said
    company = ran.json()["companies"][0]
    assert "orders.csv" in company["troubles"]["shop"]
    assert company["outcomes"]["applied"] == 6
    assert effects == writes(emulator)


def test_serving_answers_and_drains(shop: Shop, emulator: EmulatorProcess) -> None:
    with started_cli("serve", "--port", "0", "--json", cwd=shop.folder, environment=shop.environment) as serving:
        ready = serving.ready()
        health = requests.get(f"{ready['url']}/health", timeout=10)
        forged = requests.post(
            f"{ready['webhooks']}/quickbooks", data=b"[]", headers={"intuit-signature": "wrong"}, timeout=10
        )
        large = requests.post(f"{ready['webhooks']}/quickbooks", data=b"x" * 2_000_000, timeout=10)
        other = shop.run("status", "--json")
        code = serving.stop()

    assert code == 0
    assert health.json()["live"] is True
    assert forged.status_code == 401
    assert "signature" in forged.json()["error"]
    assert large.status_code == 413
    # A second process looks on while the first one works.
    assert other.code == 0, other.said
    assert other.json()["companies"][0]["worked_by"]


def test_an_interrupt_drains_as_well(shop: Shop) -> None:
    with started_cli("serve", "--port", "0", "--json", cwd=shop.folder, environment=shop.environment) as serving:
        serving.ready()
        assert serving.stop(signal.SIGINT) == 0


def test_a_port_that_is_taken_is_told(shop: Shop, emulator: EmulatorProcess) -> None:
    taken = emulator["base_url"].rpartition(":")[2]

    ran = shop.run("serve", "--port", taken)

    assert ran.code == 2
    assert f"port {taken}" in ran.err


def test_a_payment_in_the_books_is_explained_with_its_invoice(shop: Shop, emulator: EmulatorProcess) -> None:
    shop.run("sync")
    first = shop.run("explain", "501", "--json").json()["explained"][0]
    identity = first["records"][0]["document_id"]
    document = next(step for step in first["steps"] if step["stage"] == "answer")["details"]["document"]
    line = {"Amount": 60, "LinkedTxn": [{"TxnId": identity, "TxnType": "Invoice"}]}
    customer = {"value": document["CustomerRef"]["value"]}
    body = {"CustomerRef": customer, "TotalAmt": 60, "Line": [line]}
    paid = emulator.control("/books/Payment", {"body": body})["Payment"]
    assert isinstance(paid, dict)
    shop.run("sync")

    by_invoice = shop.run("explain", "501", "--json").json()["explained"][0]
    by_payment = shop.run("explain", "Payment", str(paid["Id"]))

    # 150.50 less 60.00
    assert by_invoice["records"][0]["paid"] == 60
    shown = [step["title"] for step in by_invoice["steps"] if step["stage"] == "books"]
    assert any(f"Invoice {identity}," in title and "open 90.5" in title for title in shown), shown
    assert any(f"Payment {paid['Id']}" in title for title in shown)
    assert by_payment.code == 0
    assert f"QuickBooks showed Payment {paid['Id']}" in by_payment.out


def test_a_wrong_mapping_stops_before_anything_is_read(shop: Shop, emulator: EmulatorProcess) -> None:
    shop.replace("shop.toml", "tax_code", "tax_cod")
    line = (shop.folder / "shop.toml").read_text().splitlines().index('tax_cod = "NON"') + 1

    ran = shop.run("sync")

    assert ran.code == 2, ran.said
    assert f'shop.toml, line {line}, column 1: [invoice] has no key "tax_cod"; did you mean "tax_code"?' in ran.err
    assert writes(emulator) == 0


def test_a_number_that_is_another_document_s_id_is_told(shop: Shop) -> None:
    shop.write("exports/orders.csv", "id,customer,date\n2,C1,2026-03-02\n1,C2,2026-03-31\n")
    shop.write("exports/lines.csv", "order,line,product,qty,price\n2,1,P1,3,10.00\n1,1,P1,2,9.99\n")
    shop.run("sync")

    by_id = shop.run("explain", "Invoice 1", "--json").json()["explained"][0]
    words = shop.run("explain", "Invoice 1").out
    by_number = shop.run("explain", "1", "--json").json()["explained"][0]

    assert [(one["document_id"], one["doc_number"]) for one in by_id["records"]] == [("1", "2")]
    assert by_id["otherwise"] == ["shop:order:1"]
    assert "Another document bears this as its number: counterfoil explain shop:order:1." in words
    assert [(one["document_id"], one["doc_number"]) for one in by_number["records"]] == [("2", "1")]


def test_a_mapping_is_recorded_whole_when_it_changes_and_only_then(shop: Shop) -> None:
    def recorded(ran: Ran) -> int:
        count: int = ran.json()["companies"][0]["recorded"].get("mapping.recorded", 0)
        return count

    runs = [recorded(shop.run("sync", "--json")) for _ in range(2)]
    shop.replace("shop.toml", 'number = "{id}"', 'number = "S-{id}"')
    runs += [recorded(shop.run("sync", "--json")) for _ in range(2)]

    assert runs == [1, 0, 1, 0]
    lines = shop.run("log", "tail", "--lines", "1000", "--json").out.splitlines()
    positions = [one["position"] for one in map(json.loads, lines) if one["event_type"] == "mapping.recorded"]
    shown = [json.loads(shop.run("log", "show", f"1:{at}", "--json").out) for at in positions]
    assert (shop.folder / "shop.toml").read_text("utf-8") == shown[-1]["body"]["text"]


def test_quickbooks_out_of_reach_is_told_and_nothing_is_lost(shop: Shop, emulator: EmulatorProcess) -> None:
    shop.replace("counterfoil.toml", emulator["base_url"], "http://127.0.0.1:9")

    ran = shop.run("sync")
    again = shop.run("sync", "--timeout", "3", "--json")

    assert ran.code == 3, ran.said
    assert "Trouble with" in ran.out
    assert "127.0.0.1:9" in ran.out
    assert again.code == 3, again.said
    # The sources were read meanwhile; everything waits.
    assert again.json()["companies"][0]["outcomes"]["waiting"] == 6


def test_answers_that_are_web_pages_or_xml_are_settled_by_evidence(shop: Shop, emulator: EmulatorProcess) -> None:
    for fault in (
        {"kind": "html_error", "operation": "create", "count": 1},
        {"kind": "xml_fault", "operation": "create", "count": 1, "effect": True},
        {"kind": "html_error", "batch": True, "count": 1, "effect": True},
        {"kind": "xml_fault", "batch": True, "count": 1},
    ):
        emulator.control("/faults", fault)

    ran = shop.run("sync", "--json")

    assert ran.code == 0, ran.said
    (company,) = ran.json()["companies"]
    assert company["outcomes"] == {"applied": 6, "unchanged": 0, "skipped": 0, "waiting": 0, "parked": 0}
    assert company["recorded"]["intent.uncertain"] >= 2
    for entity, count in (("Customer", 2), ("Item", 2), ("Invoice", 2)):
        state: Any = emulator.control(f"/state?entity={entity}")
        ours = [one for one in state[entity] if entity != "Item" or one["Name"] in {"Lamp", "Table"}]
        assert count == len(ours), entity


def test_a_web_page_for_ever_is_told_without_its_text(shop: Shop, emulator: EmulatorProcess) -> None:
    emulator.control("/faults", {"kind": "html_error", "count": None})

    ran = shop.run("sync", "--timeout", "10")
    status = shop.run("status", "--json")

    assert ran.code in {1, 3}, ran.said
    assert "<" not in ran.said
    assert "QuickBooks' servers are not reachable at present." in ran.said.replace("\n", " ")
    assert status.json()["companies"][0]["outcomes"]["waiting"] == 6


def test_a_connection_that_was_revoked_asks_for_another(shop: Shop, emulator: EmulatorProcess) -> None:
    shop.run("sync")
    emulator.control("/oauth", {"revoke": True, "expire_access": True})
    shop.write("exports/orders.csv", "id,customer,date\n501,C1,2026-03-02\n502,C2,2026-03-31\n503,C2,2026-04-01\n")
    shop.write(
        "exports/lines.csv",
        "order,line,product,qty,price\n501,1,P1,3,10.00\n501,2,P2,1,120.50\n502,1,P1,2,9.99\n503,1,P1,1,10.00\n",
    )

    ran = shop.run("sync")

    assert ran.code == 3, ran.said
    assert "QuickBooks is no longer connected for company 1." in ran.out


def test_a_month_without_reads_left_stops_no_write(shop: Shop) -> None:
    shop.replace("counterfoil.toml", "unlimited = true", "unlimited = true\nmetered_reads_per_month = 1")

    ran = shop.run("sync", "--json")

    assert ran.code == 0, ran.said
    (company,) = ran.json()["companies"]
    assert company["outcomes"] == {"applied": 6, "unchanged": 0, "skipped": 0, "waiting": 0, "parked": 0}
    shown = shop.run("limits", "--json")
    (limits,) = shown.json()["companies"]
    assert limits["budget"] == 1
    assert limits["spent"] >= 1
    assert set(limits["stopped"]) == {"live", "backfill", "reconcile"}
    words = shop.run("limits")
    assert "of a budget of" in words.out
    assert "sweeps and comparisons rest until" in words.out.replace("\n", " ")
    doctor = shop.run("doctor", "--json")
    assert doctor.code == 1


def test_totals_tie_out_and_a_difference_is_a_number(shop: Shop, emulator: EmulatorProcess) -> None:
    assert shop.run("sync").code == 0

    tied = shop.run("totals", "--json")
    assert tied.code == 0, tied.said
    (row,) = tied.json()["companies"][0]["totals"]
    state: Any = emulator.control("/state?entity=Invoice")
    invoices = state["Invoice"]
    whole = sum(Decimal(str(one["TotalAmt"])) for one in invoices)
    assert (row["currency"], row["entity"], row["documents"]) == ("USD", "Invoice", 2)
    assert {Decimal(str(row[name])) for name in ("source", "log", "books", "home_source", "home_books")} == {whole}

    # A person adds a line of 12.50 to one of them.
    item = invoices[0]["Line"][0]["SalesItemLineDetail"]["ItemRef"]
    extra = {"Amount": Decimal("12.5"), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": item}}
    order = {"operation": "update", "id": invoices[0]["Id"], "add_lines": [extra]}
    emulator.control("/books/Invoice", order)
    assert shop.run("sync").code == 0
    apart = shop.run("totals", "--json")
    assert apart.code == 1, apart.said
    (row,) = apart.json()["companies"][0]["totals"]
    assert (Decimal(str(row["difference"])), row["off"]) == (Decimal("12.5"), 1)
    words = shop.run("totals")
    assert words.code == 1
    assert "12.50" in words.out
    assert "1 documents differ" in words.out
