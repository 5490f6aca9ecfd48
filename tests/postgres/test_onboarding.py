"""The first day in books that are kept already: thousands of customers with names alike, open invoices, another app.

Who is who is fixed by the generator below, and nothing here asks the code under test what is right.
"""

import csv
import io
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil import connections
from counterfoil.cli.tasks.onboard_approval import approve
from counterfoil.cli.tasks.sync import SyncOptions, sync
from counterfoil.settings import load_settings
from support.cli import BOOKS_AWAY_CONFIGURATION, Shop, make_shop, started_cli
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow

SEED = 20261129
START = "2026-11-01"
FAMILY, SAME, WORDS, MAILS, TYPOS, TWINS, NEW, STRANGERS = 150, 120, 40, 30, 40, 5, 20, 1_600


@dataclass
class Book:
    """What the books hold, what the source holds, and who is who: record id → (decision, name in the books)."""

    names: list[tuple[str, str]] = field(default_factory=list)  # in the books: name, e-mail
    rows: list[tuple[str, str, str]] = field(default_factory=list)  # at the source: id, name, e-mail
    expected: dict[str, tuple[str, str]] = field(default_factory=dict)

    def both(self, decision: str, theirs: str, ours: str, *, mail: str = "", our_mail: str = "") -> None:
        """One customer, on both sides."""
        self.names.append((theirs, mail))
        self.only_ours(decision, ours, our_mail, theirs)

    def only_ours(self, decision: str, ours: str, mail: str = "", theirs: str = "") -> None:
        """A record of the source, and which entry it may be."""
        identity = f"C{len(self.rows) + 1:05d}"
        self.rows.append((identity, ours, mail))
        self.expected[identity] = (decision, theirs)


def word(chance: random.Random, syllables: int = 4) -> str:
    """A word that is like no other."""
    return "".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(syllables)).capitalize()


def make_book() -> Book:
    chance = random.Random(SEED)
    book = Book()
    for number in range(FAMILY):  # a chain whose branches differ by a digit
        book.both("adopt", f"Novalim Store {number:04d}", f"NOVALIM  Store {number:04d}")
    for _ in range(SAME):
        name = f"{word(chance)} {word(chance)}"
        book.both("adopt", name, name)
    for _ in range(WORDS):
        first, last = word(chance), word(chance)
        book.both("adopt", f"{last}, {first} Inc.", f"{first} {last} LLC")
    for number in range(MAILS):
        first, last = word(chance), word(chance)
        mail = f"m{number}@shop.example"
        book.both("adopt", f"{first} {last}", f"{first} {last} {word(chance, 2)}", mail=mail, our_mail=mail.upper())
    for _ in range(TYPOS):
        name = f"{word(chance, 5)} {word(chance, 5)}"
        place = chance.randrange(1, 9)
        book.both("ask", name, name[:place] + "x" + name[place + 1 :])
    for _ in range(TWINS):  # the same name twice at the source
        name = f"{word(chance)} {word(chance)}"
        book.both("ask", name, name)
        book.only_ours("ask", name.upper(), theirs=name)
    for _ in range(NEW):
        book.only_ours("create", f"{word(chance)} {word(chance)}")
    book.names += [(f"{word(chance)} {word(chance)}", "") for _ in range(STRANGERS)]
    chance.shuffle(book.names)
    return book


BOOK = make_book()


def csv_text(head: str, rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head.split(","))
    writer.writerows(rows)
    return out.getvalue()


@dataclass(frozen=True)
class Sale:
    """An order of one lamp at 10.00 a piece, and what the books hold of it."""

    order: str
    customer: str
    day: str
    pieces: int
    decision: str  # "" where it is not in the review at all
    number: str = ""  # in the books; nothing where they lack it
    booked: int = 0
    booked_day: str = ""
    note: str = ""


SALES = [
    # open, and known by their number: four equal ones, one whose sum differs
    *(Sale(f"70{n}", f"C0000{n}", f"2026-10-1{n}", n, "adopt", f"70{n}", n, f"2026-10-1{n}") for n in range(1, 5)),
    Sale("705", "C00005", "2026-10-15", 5, "ask", "705", 6, "2026-10-15"),
    # another app's, since a week: known by customer, sum and day; three, so that its hand shows
    *(
        Sale(f"71{n}", f"C0000{n}", f"2026-11-0{n}", n, "ask", f"HS-90{n}", n, f"2026-11-0{n}", f"HubSpot deal 71{n}")
        for n in range(1, 4)
    ),
    # before the start, and paid long ago: in no review
    *(Sale(f"72{n}", f"C0000{n}", f"2026-09-0{n}", n, "") for n in range(1, 6)),
    # new, of November
    *(Sale(f"73{n}", f"C0000{n}", f"2026-11-1{n}", n, "create") for n in range(1, 4)),
]
NEW_TOTAL = Decimal(10 * (1 + 2 + 3))


@pytest.fixture(scope="module")
def filled() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "3") as running:
        fill(running)
        yield running


def fill(emulator: EmulatorProcess) -> None:
    """The books as others kept them."""
    item = created(
        emulator,
        [("Item", {"Name": "Lamp", "Type": "NonInventory", "IncomeAccountRef": {"value": "79"}, "UnitPrice": 10})],
    )
    made = created(
        emulator,
        [
            ("Customer", {"DisplayName": name} | ({"PrimaryEmailAddr": {"Address": mail}} if mail else {}))
            for name, mail in BOOK.names
        ],
    )
    by_name = {name: identity for (name, _), identity in zip(BOOK.names, made, strict=True)}
    bills = []
    for sale in SALES:
        if sale.number:
            line = {
                "Amount": 10 * sale.booked,
                "DetailType": "SalesItemLineDetail",
                "Description": "as agreed",
                "SalesItemLineDetail": {"ItemRef": {"value": item[0]}, "Qty": sale.booked, "UnitPrice": 10},
            }
            body = {
                "CustomerRef": {"value": by_name[BOOK.expected[sale.customer][1]]},
                "DocNumber": sale.number,
                "TxnDate": sale.booked_day,
                "Line": [line],
            }
            bills.append(("Invoice", body | ({"PrivateNote": sale.note} if sale.note else {})))
    created(emulator, bills)


def created(emulator: EmulatorProcess, actions: Sequence[tuple[str, Mapping[str, object]]]) -> list[str]:
    """Ids of records that a person made."""
    found: list[str] = []
    for start in range(0, len(actions), 500):
        part = [{"entity": entity, "body": body} for entity, body in actions[start : start + 500]]
        results: Any = emulator.control("/books", part)["results"]
        found += [next(iter(one.values()))["Id"] for one in results]
    return found


def first_day(folder: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    """A shop with these customers, a lamp, and these orders."""
    shop = make_shop(folder, emulator, database)
    shop.replace("counterfoil.toml", 'name = "Shop"', 'name = "Shop"\npreview_first = true')
    shop.write("exports/customers.csv", csv_text("id,name,mail", list(BOOK.rows)))
    shop.write("exports/products.csv", "id,name,price\nP1,Lamp,10.00\n")
    orders = [(sale.order, sale.customer, sale.day) for sale in SALES]
    shop.write("exports/orders.csv", csv_text("id,customer,date", list(orders)))
    lines = [(sale.order, "1", "P1", str(sale.pieces), "10.00") for sale in SALES]
    shop.write("exports/lines.csv", csv_text("order,line,product,qty,price", list(lines)))
    return shop


def effects(emulator: EmulatorProcess) -> int:
    found = emulator.control("/journal")["effects"]
    assert isinstance(found, list)
    return len(found)


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["record"]: row for row in csv.DictReader(file)}


def state(emulator: EmulatorProcess, entity: str) -> list[dict[str, Any]]:
    found: Any = emulator.control(f"/state?entity={entity}")[entity]
    return list(found)


def by_kind(company: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    return {(one["operation"], one["entity"]): one["documents"] for one in company["planned"]}


@pytest.mark.timeout(900)
def test_a_first_day_from_the_preview_to_the_second_sync(
    tmp_path: Path, filled: EmulatorProcess, database: Database
) -> None:
    shop = first_day(tmp_path / "shop", filled, database)
    path = shop.folder / "onboarding-1.csv"
    before, customers = effects(filled), len(state(filled, "Customer"))

    previews(shop)
    assert effects(filled) == before
    reviews(shop, path)
    decides(path)
    keeps(shop)
    refuses(shop, path)
    assert effects(filled) == before
    applies(shop, path)
    assert effects(filled) == before, "adopted without a write"
    plans_afresh(shop)
    assert effects(filled) == before
    goes_out(shop, filled)
    assert effects(filled) == before + NEW + 3
    assert len(state(filled, "Customer")) == customers + NEW
    stays_in_step(shop, filled)


def previews(shop: Shop) -> None:
    """The first run plans everything and sends nothing, and the exit code says so."""
    ran = shop.run("sync", "--json")
    assert ran.code == 5, ran.said
    company = ran.json()["companies"][0]
    assert (company["preview"], company["recorded"].get("call.sent", 0)) == (True, 0)
    # Of two records of one name the second is parked, as always.
    assert by_kind(company)["create", "Customer"] == len(BOOK.rows) - TWINS
    status = shop.run("status")
    assert "nothing is sent before a person approves it" in status.out


def reviews(shop: Shop, path: Path) -> None:
    """Who is who, as the generator has it; before the start; who else posts."""
    ran = shop.run("onboard", "--start", START, "--json")
    assert ran.code == 1, ran.said
    review = ran.json()["companies"][0]
    assert "[start]\ndate = 2026-11-01" in (shop.folder / "shop.toml").read_text(encoding="utf-8")
    rows = rows_of(path)
    decided = {
        key.rpartition(":")[2]: (row["decision"], row["books_name"])
        for key, row in rows.items()
        if row["type"] == "customer"
    }
    assert decided == BOOK.expected
    sales = {key.rpartition(":")[2]: row["decision"] for key, row in rows.items() if row["type"] == "invoice"}
    assert sales == {sale.order: sale.decision for sale in SALES if sale.decision}
    assert rows["shop:product:P1"]["decision"] == "adopt"
    assert review["before_start"] == {"invoice": 10}, "five of September, five of October"
    # Customers in pages of a thousand, items, invoices three times, sales receipts: never a read for each.
    assert review["reads"] <= 10, review["reads"]
    app, hand = review["others"]
    assert (app["level"], app["app"], app["documents"], app["like_ours"]) == ("certain", "hubspot", 3, 3)
    assert "Switch off in hubspot" in app["what_to_do"]
    assert (hand["level"], hand["app"], hand["documents"], hand["like_ours"]) == ("possible", "not named", 5, 5)


def decides(path: Path) -> None:
    """A bookkeeper goes through the file in a spreadsheet, which saves it its own way."""
    head, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig")))
    decision, record, books_id = (head.index(name) for name in ("decision", "record", "books_id"))
    taken: set[str] = set()
    for row in rows:
        if row[decision] != "ask":
            continue
        if row[record] == "shop:order:705" or row[books_id] in taken:  # corrected by hand; the second of two twins
            row[decision], row[books_id] = "skip", ""
        else:
            taken.add(row[books_id])
            row[decision] = "adopt"
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([head, *rows])
    path.write_text(out.getvalue(), encoding="utf-8")


def keeps(shop: Shop) -> None:
    """A second review keeps what was decided in the file."""
    ran = shop.run("onboard", "--json")
    assert ran.code == 1, "another app still posts: that is no decision of the file's"
    review = ran.json()["companies"][0]
    assert [one["ask"] for one in review["types"]] == [0, 0, 0]
    assert review["kept"] == TYPOS + 2 * TWINS + 4


def refuses(shop: Shop, path: Path) -> None:
    """Wrong rows are named, and then nothing is done."""
    good = path.read_text(encoding="utf-8-sig")
    path.write_text(good.replace("adopt,", "adpot,", 1) + "adopt,ask,customer,shop:customer:Nobody,,,,,,1\n")
    ran = shop.run("onboard", "--apply", str(path), "--json")
    assert ran.code == 2, ran.said
    first, last = ran.json()["wrong"]
    assert (first["line"], last["line"]) == (2, len(rows_of(path)) + 1)
    assert 'its decision is "adpot"' in first["says"]
    assert "no record shop:customer:Nobody" in last["says"]
    path.write_text(good, encoding="utf-8")


def applies(shop: Shop, path: Path) -> None:
    """Everything is done at once, and by a second application nothing."""
    ran = shop.run("onboard", "--apply", str(path), "--author", "Ann", "--json")
    assert ran.code == 0, ran.said
    told = ran.json()
    adopted = FAMILY + SAME + WORDS + MAILS + TYPOS + TWINS + 1 + 4 + 3
    assert (told["adopted"], told["skipped"], told["created"], told["left"]) == (adopted, TWINS + 1, NEW + 3, 0)
    again = shop.run("onboard", "--apply", str(path), "--json").json()
    assert (again["adopted"], again["known"]) == (0, len(rows_of(path)))


def plans_afresh(shop: Shop) -> None:
    """Nothing is planned for what is equal; what differs waits for a person, field by field."""
    ran = shop.run("sync", "--json")
    assert ran.code == 5, ran.said
    company = ran.json()["companies"][0]
    differing = FAMILY + WORDS + MAILS + TYPOS
    assert by_kind(company) == {
        ("create", "Customer"): NEW,
        ("create", "Invoice"): 3,
        ("update", "Customer"): differing,
    }
    held = shop.run("review", "--json").json()["review"]
    assert len(held) == differing
    assert all("says otherwise: DisplayName" in one["remark"] for one in held)
    skipped = company["reasons"]["skipped"]
    assert (skipped["before_start"], skipped["left-out"]) == (5, TWINS + 1)
    # The app's three invoices bear numbers of their own: they are shown, and never written over.
    parked = {one["record_key"]: one["reason"] for one in company["parked"]}
    assert set(parked) == {f"shop:order:71{n}" for n in range(1, 4)}
    assert all("differs in DocNumber" in reason for reason in parked.values())


def goes_out(shop: Shop, emulator: EmulatorProcess) -> None:
    """Once approved, new customers and invoices, and no duplicate of anything."""
    items = len(state(emulator, "Item"))
    approved = shop.run("onboard", "--approve", "--author", "Ann", "--json")
    assert approved.json()["companies"][0]["outcome"] == "approved"
    ran = shop.run("sync", "--json")
    assert ran.code == 0, ran.said
    assert ran.json()["companies"][0]["preview"] is False
    assert len(state(emulator, "Item")) == items
    booked = [(one["DocNumber"], Decimal(str(one["TotalAmt"]))) for one in state(emulator, "Invoice")]
    there = [(sale.number, Decimal(10 * sale.booked)) for sale in SALES if sale.number]
    new = [(sale.order, Decimal(10 * sale.pieces)) for sale in SALES if sale.decision == "create"]
    assert sorted(booked) == sorted(there + new)
    assert sum(amount for _, amount in new) == NEW_TOTAL
    explained = shop.run("explain", "shop:order:701").out
    assert "Ann adopted Invoice" in explained
    assert "which was there before, holds the same" in explained


def stays_in_step(shop: Shop, emulator: EmulatorProcess) -> None:
    """A change at the source of a customer that was equal goes out by itself; then all is still."""
    before = effects(emulator)
    identity = f"C{FAMILY + 1:05d}"
    changed = [(key, name, "new@shop.example" if key == identity else mail) for key, name, mail in BOOK.rows]
    shop.write("exports/customers.csv", csv_text("id,name,mail", list(changed)))
    assert shop.run("sync", "--json").code == 0
    assert effects(emulator) == before + 1
    (mended,) = [one for one in state(emulator, "Customer") if one["DisplayName"] == BOOK.expected[identity][1]]
    assert mended["PrimaryEmailAddr"]["Address"] == "new@shop.example"
    assert shop.run("sync", "--json").json()["companies"][0]["recorded"].get("call.sent", 0) == 0
    assert shop.run("rebuild", "--check").code == 0


def test_what_cannot_be_done_is_told(tmp_path: Path, filled: EmulatorProcess, database: Database) -> None:
    shop = make_shop(tmp_path / "shop", filled, database)
    shop.replace("counterfoil.toml", 'name = "Shop"', 'name = "Shop"\npreview_first = true')

    early = shop.run("onboard", "--approve")
    assert (early.code, "has not previewed anything yet" in early.err) == (2, True)
    unknown = shop.run("onboard", "--company", "7")
    assert (unknown.code, "Company 7 is not configured" in unknown.err) == (2, True)
    missing = shop.run("onboard", "--apply", "nothing.csv")
    assert (missing.code, "nothing.csv cannot be read" in missing.err) == (2, True)
    both = shop.run("onboard", "--approve", "--apply", "x.csv")
    assert (both.code, "steps of their own" in both.err) == (2, True)
    shop.write("other.csv", "record,what\n1,2\n")
    foreign = shop.run("onboard", "--file", "other.csv")
    assert (foreign.code, "names no column decision, books_id" in foreign.err) == (2, True)
    assert (shop.folder / "other.csv").read_text() == "record,what\n1,2\n", "left as it is"
    shop.write("shop.toml", (shop.folder / "shop.toml").read_text() + "\n[start]\ndate = 2026-01-01\n")
    dated = shop.run("onboard", "--start", START)
    assert (dated.code, "has a [start] of its own" in dated.err) == (2, True)

    with started_cli("serve", "--port", "0", "--json", cwd=shop.folder, environment=shop.environment) as serving:
        serving.ready()
        shop.write("mine.csv", "decision,record,books_id\nskip,shop:customer:C1,\n")
        held = shop.run("onboard", "--apply", "mine.csv")
        assert (held.code, "Another process works for company 1" in held.err) == (3, True), held.said
        serving.stop()

    (shop.folder / "exports" / "orders.csv").unlink()
    source = shop.run("onboard")
    assert source.code == 3, source.said
    assert "orders.csv" in source.err
    shop.write("counterfoil.toml", BOOKS_AWAY_CONFIGURATION)
    shop.write("exports/orders.csv", "id,customer,date\n")
    away = shop.run("onboard", "--json")
    assert away.code == 3, away.said
    assert "QuickBooks" in json.loads(away.out.splitlines()[-1])["error"]["message"]


async def test_production_previews_until_somebody_approves(
    tmp_path: Path,
    filled: EmulatorProcess,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The emulator in Intuit's place: nothing but the environment says that a preview is wanted."""
    monkeypatch.setattr(connections, "HOSTS", {"production": filled["base_url"]})
    shop = make_shop(tmp_path / "shop", filled, database)
    shop.replace("counterfoil.toml", f'base_url = "{filled["base_url"]}"', f'token_url = "{filled["token_url"]}"')
    shop.replace("counterfoil.toml", 'environment = "emulator"\nunlimited = true', 'environment = "production"')
    settings = load_settings(shop.folder / "counterfoil.toml", shop.environment)
    before = effects(filled)

    assert await sync(settings, SyncOptions(as_json=True)) == 5
    assert effects(filled) == before
    assert await approve(settings, "Ann", as_json=True) == 0
    assert await approve(settings, "Bob", as_json=True) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told[0]["companies"][0]["preview"] is True
    assert [one["companies"][0]["outcome"] for one in told[1:]] == ["approved", "approved before"]
    assert await sync(settings, SyncOptions(as_json=True)) == 0
    assert effects(filled) > before
