"""`shadow` on a company that a real engine synchronised: what another mapping makes of it, to the cent."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.tasks.shadow import Wish, shadow_of
from counterfoil.cli.tasks.shadow_compare import compare_exports
from counterfoil.errors import ConfigurationError
from support.cli import SHOP_MAPPING
from support.postgres import Server
from support.rebuilt import Books, Synced, copied, drop, synced_shop

WISH = Wish(mapping=None, connection=None, out=None, put_back=None, export=None, show=50, personal=False, as_json=True)
OTHER = SHOP_MAPPING.replace('number = "{id}"', 'number = "A-{id}"').replace("Sales of Product Income", "Services")


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory, postgres_server: Server) -> Iterator[Synced]:
    with synced_shop(tmp_path_factory.mktemp("synced"), postgres_server) as shop:
        yield shop


@pytest.fixture
async def books(synced: Synced) -> AsyncIterator[Books]:
    copy = await copied(synced)
    try:
        yield copy
    finally:
        await drop(copy)


async def shown(books: Books, wish: Wish, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert await shadow_of(books.settings, wish) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


async def test_another_mapping_to_the_cent(books: Books, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One order is whole: 3 at 10.00 and 1 at 120.50 are 150.50; the other has a broken row, and no document."""
    before = await books.value("select max(position) from counterfoil_log.events")
    same, other, out = tmp_path / "same.toml", tmp_path / "other.toml", tmp_path / "out.jsonl"
    same.write_text(SHOP_MAPPING, encoding="utf-8")
    other.write_text(OTHER, encoding="utf-8")
    found = await shown(books, replace(WISH, mapping=same), capsys)
    assert (found["differing"], found["changes"]) == (0, [])
    assert {each["account"]: (each["before"], each["after"]) for each in found["totals"]} == {
        "Accounts Receivable (A/R)": (150.5, 150.5),
        "Sales of Product Income": (-150.5, -150.5),
    }
    found = await shown(books, replace(WISH, mapping=other, out=out), capsys)
    assert found["documents"] == {"more": 0, "fewer": 0, "changed": 3}
    assert {each["account"]: (each["before"], each["after"]) for each in found["totals"]} == {
        "Accounts Receivable (A/R)": (150.5, 150.5),
        "Sales of Product Income": (-150.5, 0),
        "Services": (0, -150.5),
    }
    fields = {
        (document["record_key"], field["path"]): (field["before"], field["after"])
        for change in found["changes"]
        for document in change["documents"]
        for field in document["fields"]
    }
    assert fields["shop:order:501", "DocNumber"] == ("501", "A-501")
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [line["record_key"] for line in lines[1:-1]] == ["shop:order:501", "shop:product:P1", "shop:product:P2"]
    assert await books.value("select max(position) from counterfoil_log.events") == before


async def test_exports_bear_hashes_and_no_names(
    books: Books, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(OTHER, encoding="utf-8")
    one, two, open_ = (tmp_path / name for name in ("one.jsonl", "two.jsonl", "open.jsonl"))
    await shadow_of(books.settings, replace(WISH, export=one))
    await shadow_of(books.settings, replace(WISH, export=two, mapping=other))
    await shadow_of(books.settings, replace(WISH, export=open_, personal=True))
    capsys.readouterr()
    plans = [json.loads(line) for line in one.read_text("utf-8").splitlines()]
    ann = next(plan for plan in plans if plan.get("record_key") == "shop:customer:C1")
    assert set(ann["inputs"]) == {"record", "mapping", "planner", "preferences", "rates"}
    assert "Ann" not in one.read_text("utf-8")
    assert "Ann Smith" in open_.read_text("utf-8")
    assert await compare_exports(one, one, show=9, as_json=True) == 0
    capsys.readouterr()
    assert await compare_exports(one, two, show=9, as_json=True) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["differing"], found["unexplained"]) == (3, 0)
    with pytest.raises(ConfigurationError, match="personal"):
        await compare_exports(one, open_, show=9, as_json=True)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (WISH, "Which mapping is to be tried"),
        (replace(WISH, mapping=Path("nowhere.toml")), "There is no mapping nowhere.toml"),
        (replace(WISH, mapping=Path("nowhere.toml"), connection="crm"), "There is no source crm"),
        (replace(WISH, export=Path("a"), out=Path("b")), "one of them at a time"),
    ],
)
async def test_what_cannot_be_asked_is_told(books: Books, wish: Wish, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        await shadow_of(books.settings, wish)
