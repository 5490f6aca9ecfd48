"""What a preview of another mapping shows is done exactly so; what has changed is put back; all of it is one run."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.tasks import redrive as redrives
from counterfoil.cli.tasks.rollback import Wish as RollbackWish
from counterfoil.cli.tasks.rollback import take_back
from counterfoil.cli.tasks.shadow import Wish, shadow_of
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.settings import Settings, load_settings
from support.cli import SHOP_MAPPING, make_shop
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process
from support.rebuilt import synchronise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
OTHER = SHOP_MAPPING.replace('number = "{id}"', 'number = "A-{id}"').replace("Sales of Product Income", "Services")
BACK = RollbackWish(
    run=None, since=None, until=None, source=None, record=None, sales="void", dated=None, later="park", out=None,
    apply=True, preview=None, yes=True, reason="was a trial", author="Ann", wait=True, personal=False, as_json=True,
)  # fmt: skip


def previewed(out: Path, mapping: Path | None = None, put_back: str | None = None) -> Wish:
    return Wish(
        mapping=mapping, connection=None, out=out, put_back=put_back, export=None, show=0, personal=False, as_json=True
    )


def applied(preview: Path, reason: str = "new numbers") -> redrives.Wish:
    return redrives.Wish(preview=preview, reason=reason, author="Ann", yes=True, wait=True, as_json=True)


def held(emulator: EmulatorProcess, entity: str) -> list[dict[str, Any]]:
    found: dict[str, Any] = dict(emulator.control(f"/state?entity={entity}"))
    rows: list[dict[str, Any]] = found[entity]
    return rows


def numbers(emulator: EmulatorProcess) -> list[str]:
    return sorted(one["DocNumber"] for one in held(emulator, "Invoice"))


def items(emulator: EmulatorProcess) -> dict[str, dict[str, Any]]:
    return {one["Name"]: one for one in held(emulator, "Item")}


def accounts(emulator: EmulatorProcess) -> dict[str, str]:
    return {name: items(emulator)[name]["IncomeAccountRef"]["name"] for name in ("Lamp", "Table")}


def steps_in(path: Path) -> list[str]:
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [line["record_key"] for line in lines if "step" in line]


async def test_a_preview_is_applied_and_rolled_back_as_one(
    tmp_path: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return found

    with emulator_process("--limits", "off", "--seed", "7") as emulator:
        shop = make_shop(tmp_path / "shop", emulator, database)

        def settings() -> Settings:
            return load_settings(shop.folder / "counterfoil.toml", shop.environment)

        await synchronise(settings())
        other, preview, again = shop.folder / "other.toml", tmp_path / "preview.jsonl", tmp_path / "again.jsonl"
        other.write_text(OTHER, encoding="utf-8")
        assert await shadow_of(settings(), previewed(preview, other)) == 0
        assert steps_in(preview) == ["shop:order:501", "shop:order:502", "shop:product:P1", "shop:product:P2"]
        with pytest.raises(ConfigurationError, match="another mapping of shop than the configured one"):
            await redrives.redrive(settings(), applied(preview))
        await a_person_edits(emulator, "Table", settings)

        # The new mapping is put in its place; the table's item has another version than the preview showed.
        shop.write("shop.toml", OTHER)
        capsys.readouterr()
        assert await redrives.redrive(settings(), applied(preview)) == 1
        first = said()
        assert [one.partition(":")[0] for one in first["ended"]["refused"]] == ["shop"]
        assert first["ended"]["refused"][0].startswith("shop:product:P2: ")
        assert (first["ended"]["done"], first["ended"]["parked"]) == (3, 0)
        assert numbers(emulator) == ["A-501", "A-502"]
        assert accounts(emulator) == {"Lamp": "Services", "Table": "Sales of Product Income"}

        assert await shadow_of(settings(), previewed(again, put_back=first["run"])) == 0
        assert steps_in(again) == ["shop:product:P2"]
        assert await redrives.redrive(settings(), applied(again)) == 0
        assert accounts(emulator) == {"Lamp": "Services", "Table": "Services"}
        assert items(emulator)["Table"]["Description"] == "Oak"

        # Applied twice, nothing is as it was previewed: all of it is put back.
        assert await redrives.redrive(settings(), applied(preview)) == 1
        assert len(said()["ended"]["refused"]) == 4

        # Of what QuickBooks lets nobody change nothing is sent, and nothing is told to have been written.
        typed = OTHER.replace('type = "NonInventory"', 'type = "Service"')
        other.write_text(typed, encoding="utf-8")
        assert await shadow_of(settings(), previewed(preview, other)) == 0
        assert steps_in(preview) == ["shop:product:P1", "shop:product:P2"]
        shop.write("shop.toml", typed)
        assert await redrives.redrive(settings(), applied(preview)) == 0
        ended = said()["ended"]
        assert (ended["done"], ended["withdrawn"], ended["refused"]) == (0, 2, [])

        await take_back(settings(), RollbackWish(**{**fields_of(BACK), "run": first["run"]}))
        assert numbers(emulator) == ["501", "502"]
        assert accounts(emulator) == {"Lamp": "Sales of Product Income", "Table": "Services"}


async def test_what_waits_for_approval_is_not_waited_for(
    tmp_path: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with emulator_process("--limits", "off", "--seed", "7") as emulator:
        shop = make_shop(tmp_path / "shop", emulator, database)

        def settings() -> Settings:
            return load_settings(shop.folder / "counterfoil.toml", shop.environment)

        await synchronise(settings())
        reviewed = f'{OTHER}\n[post.invoice]\npost = "auto"\nreview_above = 100\n'
        shop.write("other.toml", reviewed)
        preview = tmp_path / "preview.jsonl"
        assert await shadow_of(settings(), previewed(preview, shop.folder / "other.toml")) == 0
        shop.write("shop.toml", reviewed)
        capsys.readouterr()
        async with Engine(settings()) as engine:  # somebody serves, so that the command only looks on
            engine.start()
            assert await redrives.redrive(settings(), applied(preview)) == 1
        ended = json.loads(capsys.readouterr().out.splitlines()[-1])["ended"]
        assert (ended["done"], ended["open"], ended["held"]) == (3, 0, 1)
        assert numbers(emulator) == ["501", "A-502"]


def fields_of(wish: RollbackWish) -> dict[str, Any]:
    return {name: getattr(wish, name) for name in wish.__dataclass_fields__}


async def a_person_edits(emulator: EmulatorProcess, name: str, settings: Callable[[], Settings]) -> None:
    """Describes an item in the books, and the engine sees it."""
    action = {"operation": "update", "id": items(emulator)[name]["Id"], "body": {"Description": "Oak"}}
    await asyncio.to_thread(emulator.control, "/books/Item", action)
    await synchronise(settings())


async def test_what_is_no_preview_is_refused(tmp_path: Path, database: Database) -> None:
    with emulator_process("--limits", "off", "--seed", "7") as emulator:
        shop = make_shop(tmp_path / "shop", emulator, database)
    settings = load_settings(shop.folder / "counterfoil.toml", shop.environment)
    for wish, says in (
        (applied(tmp_path / "nowhere"), "cannot be read"),
        (applied(shop.folder / "shop.toml"), "no file of counterfoil previews"),
        (applied(tmp_path / "nowhere", reason=" "), "needs a reason"),
    ):
        with pytest.raises(ConfigurationError, match=says):
            await redrives.redrive(settings, wish)
