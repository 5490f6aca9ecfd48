"""`review`, `approve`, `retry`, `skip`: recorded by a command, decided by whoever holds the lease."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli import SHOP_MAPPING, Shop, make_shop, started_cli
from support.postgres import Database, admin_connection
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    """Invoices over 100 wait for approval: of the two, only 501."""
    made = make_shop(tmp_path / "shop", emulator, database)
    made.write("shop.toml", SHOP_MAPPING + '\n[post.invoice]\npost = "auto"\nreview_above = 100\n')
    return made


def test_what_waits_for_approval_goes_out_once_approved(shop: Shop, emulator: EmulatorProcess) -> None:
    synced = shop.run("sync", "--json")
    review = shop.run("review", "--json")
    status = shop.run("status", "--json")

    assert synced.json()["companies"][0]["reasons"]["waiting"] == {"approval": 1}
    [waiting] = review.json()["review"]
    assert waiting["record_key"] == "shop:order:501"
    assert waiting["amount"] == 150.5
    assert review.json()["totals"] == {"USD": 150.5}
    assert status.json()["companies"][0]["for_review"] == 1

    # Nobody serves, so the request is recorded and taken up by the next run.
    asked = shop.run("approve", "501", "--author", "Ann Smith", "--json")
    assert asked.code == 0, asked.said
    assert asked.json()["requests"][0]["taken"] is False
    after = shop.run("sync", "--json")

    assert after.json()["companies"][0]["outcomes"]["waiting"] == 0
    chain = shop.run("explain", "501")
    assert "Ann Smith asked to approve it." in chain.out
    assert "Approved by Ann Smith." in chain.out


def test_waiting_for_an_approval_does_the_work_where_nobody_serves(shop: Shop) -> None:
    shop.run("sync")

    asked = shop.run("approve", "--all", "--wait", "--json")

    assert asked.code == 0, asked.said
    assert [one["taken"] for one in asked.json()["requests"]] == [True]
    assert shop.run("review", "--json").json()["review"] == []


def test_a_serving_process_takes_a_request_up(shop: Shop) -> None:
    shop.run("sync")
    with started_cli("serve", "--port", "0", "--json", cwd=shop.folder, environment=shop.environment) as serving:
        serving.ready()
        asked = shop.run("skip", "501", "--reason", "invoiced by hand", "--wait", "--json")
        assert serving.stop() == 0

    assert asked.code == 0, asked.said
    status = shop.run("status", "--json").json()["companies"][0]
    assert status["outcomes"]["skipped"] == 1
    assert status["reasons"]["skipped"] == {"operator": 1}


def test_a_request_about_nothing_is_refused(shop: Shop) -> None:
    shop.run("sync")

    done = shop.run("approve", "502")
    unknown = shop.run("retry", "shop:order:999")
    vague = shop.run("approve")
    none = shop.run("retry", "--all")

    assert done.code == 2
    assert "502 is known, but nothing of it waits for approval." in done.err
    assert unknown.code == 2
    assert "Nothing is known under 'shop:order:999'." in unknown.err
    assert vague.code == 2
    assert "Say which record, or --all." in vague.err
    assert none.code == 0
    assert "Nothing is parked." in none.out


async def test_damage_is_found_and_told_by_its_exit_code(shop: Shop, database: Database) -> None:
    shop.run("sync")
    assert shop.run("rebuild", "--check").code == 0
    async with admin_connection(database) as admin:
        await admin.execute("update counterfoil_state.links set status = 'voided' where record_key = 'shop:order:502'")
    differing = shop.run("rebuild", "--check")
    async with admin_connection(database) as admin:
        await admin.execute("set session_replication_role = 'replica'")
        await admin.execute("update counterfoil_log.events set record_key = 'shop:order:9' where position = 9")

    rebuild = shop.run("rebuild")
    verify = shop.run("log", "verify")

    assert differing.code == 4
    assert "links [shop:order:502], status: the log says 'live', the table holds 'voided'" in differing.out
    assert rebuild.code == 4
    assert "The log itself is damaged; run `counterfoil log verify --company 1`." in rebuild.out
    assert verify.code == 4
    assert "company 1, position 9" in verify.out
