"""`deadletters list | show | retry | edit | map | skip`: what is parked, by cause, and how it leaves the box."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.cli import Shop, make_shop
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow

LAMP = {"Name": "Lamp", "Type": "Service", "IncomeAccountRef": {"value": "1"}}


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    return make_shop(tmp_path / "shop", emulator, database)


def causes(shop: Shop) -> dict[str, dict[str, Any]]:
    listed = shop.run("deadletters", "list", "--json")
    assert listed.code == (1 if listed.json()["letters"] else 0)
    return {one["cause"]: one for one in listed.json()["causes"]}


def invoices(emulator: EmulatorProcess) -> dict[str, Decimal]:
    found: Any = emulator.control("/state?entity=Invoice")["Invoice"]
    return {one["DocNumber"]: Decimal(str(one["TotalAmt"])) for one in found}


def outcomes(shop: Shop) -> dict[str, int]:
    counts: dict[str, int] = shop.run("status", "--json").json()["companies"][0]["outcomes"]
    return counts


def observations(shop: Shop) -> list[str]:
    """What the log says that the source showed."""
    tail = shop.run("log", "tail", "--lines", "500").out.splitlines()
    return [line for line in tail if "source.observed" in line]


def test_what_stands_for_a_parked_record_is_named_and_its_dependants_go_out(
    shop: Shop, emulator: EmulatorProcess
) -> None:
    made: Any = emulator.control("/books/Item", {"body": LAMP})["Item"]
    shop.run("sync")

    [cause] = causes(shop).values()
    assert (cause["letters"], cause["kind"], cause["records"]) == (1, "product", ["shop:product:P1"])
    assert cause["waiting"] == 2
    assert cause["first_seen"] <= cause["last_seen"]
    shown = shop.run("deadletters", "show", "shop:product:P1", "--json").json()["letters"][0]
    assert shown["waiting"] == ["shop:order:501", "shop:order:502"]
    assert shown["fault"]["code"] == "6240"
    assert "Duplicate Name Exists" in shown["fault"]["raw"]
    assert shown["record"] is None
    assert invoices(emulator) == {}

    gone = shop.run("deadletters", "map", "shop:product:P1", "Item 9999", "--wait")
    wrong = shop.run("deadletters", "map", "shop:product:P1", "Customer 1", "--wait")
    mapped = shop.run("deadletters", "map", "shop:product:P1", "Item Lamp", "--author", "Ann", "--wait")

    assert (gone.code, wrong.code) == (1, 1)
    assert "QuickBooks has no Item 9999" in gone.out
    assert "only Item can stand for it, not Customer" in wrong.out
    assert mapped.code == 0, mapped.said
    shop.run("sync")
    assert invoices(emulator) == {"501": Decimal("150.50"), "502": Decimal("19.98")}
    assert causes(shop) == {}
    chain = shop.run("explain", "shop:product:P1").out
    assert f"Ann asked to map it to Item:{made['Id']}." in chain
    assert shop.run("rebuild", "--check").code == 0


def test_a_correction_is_an_event_and_holds_until_the_source_says_otherwise(
    shop: Shop, emulator: EmulatorProcess
) -> None:
    shop.replace("exports/lines.csv", "501,2,P2,1,120.50", "501,2,P9,1,120.50")
    shop.run("sync")
    [cause] = causes(shop).values()
    assert cause["records"] == ["shop:order:501"]
    # The order states no total: 3 at 10.00 and 1 at 120.50.
    assert (cause["at_stake"], cause["without_amount"]) == ({"USD": 150.5}, 0)

    place = "lines.1.product"
    record = ("deadletters", "edit", "shop:order:501", "--reason", "P9 is sold as P2")
    tried = shop.run(*record, "--set", f"{place}=shop:product:P2", "--dry-run", "--json")
    assert tried.json()["position"] is None
    assert tried.json()["edit"] == [{"place": place, "before": "shop:product:P9", "after": "shop:product:P2"}]
    edited = shop.run(*record, "--set", f"{place}=shop:product:P2", "--author", "Ann")
    assert edited.code == 0, edited.said
    shop.run("sync")

    assert invoices(emulator)["501"] == Decimal("150.50")
    assert causes(shop) == {}
    assert outcomes(shop)["skipped"] == 1  # the observation that the correction overtook
    chain = shop.run("explain", "shop:order:501").out
    assert "Ann corrected order 501: lines.1.product." in chain
    assert "reason: P9 is sold as P2" in chain
    # What the source still shows is no news; what it changes is.
    before = observations(shop)
    assert before
    shop.run("sync")
    assert observations(shop) == before
    shop.replace("exports/lines.csv", "501,2,P9,1,120.50", "501,2,P2,2,120.50")
    shop.run("sync")
    assert invoices(emulator)["501"] == Decimal("271.00")
    assert shop.run("rebuild", "--check").code == 0


def test_a_correction_that_cannot_be_made_records_nothing(shop: Shop, tmp_path: Path) -> None:
    shop.replace("exports/lines.csv", "501,2,P2,1,120.50", "501,2,P9,1,120.50")
    shop.run("sync")
    head = shop.run("log", "tail", "-n", "1", "--json").out
    edit = ("deadletters", "edit", "--reason", "test")
    refused = {
        "Did you mean lines.0.product?": ("shop:order:501", "--set", "lines.0.prodct=shop:product:P2"),
        "says that already": ("shop:order:501", "--set", "lines.0.quantity=3"),
        "cannot be read": ("shop:order:501", "--file", str(tmp_path / "none.json")),
        "nothing of it is parked": ("shop:order:502", "--set", "memo=x"),
    }
    for says, arguments in refused.items():
        ran = shop.run(*edit, *arguments)
        assert ran.code == 2, ran.said
        assert says in " ".join(ran.err.split())
    assert shop.run("log", "tail", "-n", "1", "--json").out == head


def test_all_letters_of_one_cause_are_retried_or_skipped_at_once(shop: Shop, emulator: EmulatorProcess) -> None:
    shop.replace("exports/lines.csv", "501,2,P2,1,120.50", "501,2,P9,1,120.50")
    shop.replace("exports/lines.csv", "502,1,P1,2,9.99", "502,1,P9,2,9.99")
    shop.run("sync")
    [cause] = causes(shop).values()
    assert cause["letters"] == 2

    near = shop.run("deadletters", "retry", "--cause", cause["cause"] + "x")
    none = shop.run("deadletters", "retry")
    assert near.code == none.code == 2
    assert f'did you mean "{cause["cause"]}"?' in near.err
    assert "Say which record, --cause CAUSE, or --all." in none.err
    again = shop.run("deadletters", "retry", "--cause", cause["code"], "--json")
    assert sorted(one["record_key"] for one in again.json()["requests"]) == ["shop:order:501", "shop:order:502"]
    shop.run("sync")
    assert causes(shop)[cause["cause"]]["letters"] == 2  # what stood in the way still does

    one = shop.run("deadletters", "skip", "shop:order:502", "--reason", "invoiced by hand", "--wait")
    assert one.code == 0, one.said
    assert causes(shop)[cause["cause"]]["records"] == ["shop:order:501"]
    rest = shop.run("deadletters", "skip", "--all", "--reason", "not ours", "--wait")
    assert rest.code == 0, rest.said
    assert causes(shop) == {}
    assert invoices(emulator) == {}
    assert outcomes(shop)["skipped"] == 2
    assert shop.run("rebuild", "--check").code == 0
