"""What the commands show of a company that was synchronised: words, JSON, chains, the log."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from counterfoil.cli.opening import open_state
from counterfoil.explain import Finder, Target, UnknownKeyError, gather
from counterfoil.settings import load_settings
from support.cli import Shop, make_shop
from support.postgres import Server, fresh_database
from support.quickbooks_emulator import emulator_process

SIGNED = {"COUNTERFOIL_ANCHOR_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, postgres_server: Server) -> Iterator[Shop]:
    """One synchronised shop for all tests here, which only look."""
    with emulator_process("--limits", "off", "--seed", "7") as emulator, asyncio.Runner() as runner:
        fresh = fresh_database(postgres_server)
        database = runner.run(fresh.__aenter__())
        made = make_shop(tmp_path_factory.mktemp("shown") / "shop", emulator, database)
        synced = made.run("sync")
        assert synced.code == 0, synced.said
        assert "Shop (company 1)" in synced.out
        assert "writing calls in this run" in synced.out
        yield made
        runner.run(fresh.__aexit__(None, None, None))


async def found(shop: Shop, key: str) -> Target | None:
    async with open_state(load_settings(shop.folder / "counterfoil.toml", shop.environment)) as opened:
        return await Finder(opened.store, opened.pool, opened.names).find(1, key)


def explained(shop: Shop, *key: str) -> dict[str, Any]:
    ran = shop.run("explain", *key, "--json")
    assert ran.code == 0, ran.said
    one: dict[str, Any] = ran.json()["explained"][0]
    return one


def test_what_people_see(shop: Shop) -> None:
    status = shop.run("status")
    parked = shop.run("parked")

    assert (status.code, parked.code) == (0, 0), status.said
    assert "Nobody works for it now." in status.out
    assert "QuickBooks: tokens are" in status.out
    assert "Nothing is parked." in parked.out


def test_the_limits_show_what_was_read_and_what_is_left(shop: Shop) -> None:
    shown = shop.run("limits", "--json")
    assert shown.code == 0, shown.said
    told = shown.json()
    (company,) = told["companies"]
    (month,) = company["metered"].values()
    assert 0 < month <= told["forecast"] == company["forecast"]
    assert (company["backlog"], company["backlog_ends_in_seconds"], company["batch_items"]) == (0, 0, 30)
    words = shop.run("limits")
    assert "metered reads" in words.out
    assert "Intuit's free tier" in words.out


def test_the_doctor_says_what_is_met_and_what_is_not(shop: Shop) -> None:
    shown = shop.run("doctor", "--json")
    assert shown.code == 1, shown.said
    (company,) = shown.json()["companies"]
    assert company["fit"] is False
    points = {one["number"]: one for one in company["points"]}
    assert points[1]["verdict"] == "ok"
    assert points[2]["verdict"] == "failed"
    assert "switched off" in points[2]["evidence"]
    assert points[3]["verdict"] == "ok"
    assert "No engine works for it" in points[5]["evidence"]
    assert all(one["remedy"] for one in points.values() if one["verdict"] == "failed")
    words = shop.run("doctor")
    assert words.code == 1
    assert "Books and sources are reconciled" in words.out
    assert "points are not met" in words.out


async def test_a_document_is_explained_from_source_to_books(shop: Shop) -> None:
    chain = explained(shop, "shop:order:501")

    summary = chain["records"][0]
    assert summary["entity"] == "Invoice"
    assert summary["doc_number"] == "501"
    assert set(summary["lines"]) == {"1", "2"}
    stages = [step["stage"] for step in chain["steps"]]
    assert stages[:5] == ["source", "decision", "call", "answer", "link"]
    sent, answered = chain["steps"][2], chain["steps"][3]
    assert sent["details"]["request_id"] == answered["details"]["request_id"]
    assert answered["details"]["intuit_tid"]
    assert answered["details"]["document"]["TotalAmt"] == 150.5

    identity = summary["document_id"]
    for key in (
        f"Invoice {identity}",
        f"quickbooks:Invoice:{identity}",
        f"invoice:{identity}",
        "501",
        "Invoice 501",
        sent["details"]["request_id"],
        sent["details"]["intent_id"],
    ):
        target = await found(shop, key)
        assert target is not None, key
        assert "shop:order:501" in target.record_keys, key
        assert ("Invoice", identity) in target.documents, key


def test_a_chain_in_words(shop: Shop) -> None:
    words = shop.run("explain", "501").out

    assert "shop:order:501 → Invoice" in words
    assert "shop showed order 501" in words
    assert "Planned: create Invoice number 501, 150.5" in words
    assert "total 150.5" in words
    assert "intuit_tid: " in words
    mapping = next(step["details"]["inputs"]["mapping"] for step in explained(shop, "501")["steps"][1:2])
    assert f"mapping {mapping[:16]}…" in words
    assert mapping not in words


async def test_personal_fields_are_opened_only_on_demand(shop: Shop) -> None:
    closed = shop.run("explain", "shop:customer:C1", "--json")
    opened = shop.run("explain", "shop:customer:C1", "--personal", "--json")
    tail = shop.run("log", "tail", "--lines", "500", "--json")

    assert "ann@shop.example" not in closed.said
    assert "ann@shop.example" in opened.out
    assert "Ann Smith" not in tail.said


async def test_an_unknown_key_is_answered_with_the_nearest(shop: Shop) -> None:
    ran = shop.run("explain", "shop:order:5O1")

    assert ran.code == 2
    assert "Nothing is known under 'shop:order:5O1'." in ran.err
    assert "shop:order:501" in ran.err
    async with open_state(load_settings(shop.folder / "counterfoil.toml", shop.environment)) as opened:
        finder = Finder(opened.store, opened.pool, opened.names)
        for strange in ("", "%", "\\", "Invoice", "Invoice 9999", "a:b:c", "quickbooks:Invoice:'; drop table x"):
            assert await finder.find(1, strange) is None
            assert isinstance(await finder.unknown([1], strange), UnknownKeyError)


async def test_a_chain_stands_in_the_order_of_the_log(shop: Shop) -> None:
    async with open_state(load_settings(shop.folder / "counterfoil.toml", shop.environment)) as opened:
        finder = Finder(opened.store, opened.pool, opened.names)
        target = await finder.find(1, "502")
        assert target is not None
        chain = await gather(target, store=opened.store, reader=opened.reader, finder=finder)

    positions = [step.position for step in chain.steps]
    assert sorted(positions) == positions
    assert {step.record_key for step in chain.steps if step.stage == "source"} == {"shop:order:502"}


def test_the_log_is_shown_verified_exported_and_anchored(shop: Shop) -> None:
    signed = Shop(shop.folder, {**shop.environment, **SIGNED})

    tail = shop.run("log", "tail", "--lines", "1")
    first = shop.run("log", "show", "1", "--json")
    export = shop.run("log", "export", "--to", "log.jsonl", "--json")
    anchor = signed.run("log", "anchor", "anchor.json")
    verify = signed.run("log", "verify", "--anchor", "anchor.json", "--json")
    again = shop.run("log", "show", tail.out.split()[0], "--json")
    full = shop.run("log", "export", "--to", "/dev/full")

    assert (tail.code, first.code, export.code, anchor.code, verify.code) == (0, 0, 0, 0, 0), verify.said
    assert len(tail.out.splitlines()) == 1
    assert f"1:{again.json()['position']}" == tail.out.split()[0]
    assert full.code == 2
    assert "/dev/full could not be written to its end" in full.err
    for wrong in ("x", "1:", ":1", "1:2:3", "-1", "9" * 30):
        refused = shop.run("log", "show", "--", wrong)
        assert refused.code == 2
        assert "is no position" in refused.err
    assert first.json()["event_type"] == "company.registered"
    lines = (shop.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == export.json()["events"] == verify.json()["events"]
    assert verify.json()["intact"] is True
