"""Exports as companies have them: some 20,000 rows in the shapes of well-known public data sets, with their dirt.

Everything is drawn from a seed. What must come out is counted here, while the rows are made, and nowhere else: how many
records are applied, skipped and parked, and what the applied ones come to. The columns are those of data sets that many
know (a web shop's invoice lines, a superstore's orders, a sales team's opportunities, a staff list, a payroll journal);
every value is invented.
"""

import csv
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

CENT = Decimal("0.01")
FAMILY = ("Ødegård", "O'Neill", "Müller-Lüdenscheidt", "García", "van der Berg", "Stéphan", "Li", "Smith", "Null")
GIVEN = ("Zoë", "Anne-Marie", "José", "Björn", "Ava", "Mei", "Noor", "Tom", "Émile", "Jo")
THINGS = ("LANTERN", "T-LIGHT HOLDER", "MUG, RED", 'CLOCK 12" WALL', "CAKE STAND", "BAG\nRETRO", "TIN; ROUND", "?", "")
NOBODY = ("", "NULL", "nan")
PRICES = ("0.00", "0.42", "0.85", "1.25", "2.95", "12.55", "165.03", "1,650.30")


@dataclass(slots=True)
class Expected:
    """Records by kind and outcome, and by kind what the applied ones come to."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    sums: dict[str, Decimal] = field(default_factory=dict)
    rows: int = 0

    def note(self, kind: str, outcome: str, amount: Decimal = Decimal(0)) -> None:
        """One record."""
        self.outcomes[kind, outcome] += 1
        if outcome == "applied":
            self.sums[kind] = self.sums.get(kind, Decimal(0)) + amount

    def of(self, outcome: str) -> int:
        """All records of an outcome."""
        return sum(count for (_, one), count in self.outcomes.items() if one == outcome)


def write_exports(folder: Path, seed: int, share: Decimal = Decimal(1)) -> Expected:
    """The folder's files, and what must come out of them; `share` is a part of 20,000 rows."""
    chance = random.Random(seed)
    expected = Expected()
    folder.mkdir(parents=True, exist_ok=True)
    _web_shop(folder / "online_retail.csv", chance, expected, int(1_300 * share))
    _superstore(folder, chance, expected, int(1_200 * share))
    _pipeline(folder, chance, expected, int(2_500 * share))
    staff = _staff(folder / "HRDataset.csv", chance, expected, int(400 * share))
    _payroll(folder / "payroll.csv", chance, expected, staff, max(3, int(12 * share)))
    return expected


def _web_shop(path: Path, chance: random.Random, expected: Expected, receipts: int) -> None:
    """Invoice lines in Windows-1252: cancellations begin with C, customers and prices are missing, a row is torn."""
    header = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
    rows: list[list[str]] = []
    for number in range(receipts):
        fault = "" if number % 8 else ("nobody", "cancelled", "no_date", "no_price", "torn")[number // 8 % 5]
        customer = chance.choice(NOBODY) if fault == "nobody" else str(12_000 + chance.randrange(300))
        invoice = f"{'C' if fault == 'cancelled' else ''}{536_365 + number}"
        when = "" if fault == "no_date" else f"{number % 12 + 1}/{number % 28 + 1}/2010 {number % 24}:{number % 60:02}"
        mine: list[list[str]] = []
        total = Decimal(0)
        for _ in range(chance.randrange(1, 13)):
            code = f"{20_000 + chance.randrange(300)}{chance.choice(['', 'A', 'B'])}"
            quantity = chance.randrange(1, 49) * (-1 if fault == "cancelled" else 1)
            price = chance.choice(PRICES)
            total += quantity * Decimal(price.replace(",", ""))
            mine.append([invoice, code, chance.choice(THINGS), str(quantity), when, price, customer, "EIRE é"])
        if fault == "no_price":
            mine[-1][5] = "n/k"
        if fault == "torn":
            mine[0] = mine[0][:5]
        rows.extend(mine)
        expected.note("receipt", "parked" if fault not in ("", "cancelled") else "applied", total)
    whole = [row for row in rows if len(row) == len(header)]
    expected.outcomes["shopper", "applied"] += len({row[6] for row in whole if row[6] not in NOBODY})
    expected.outcomes["article", "applied"] += len({row[1] for row in whole})
    _save(path, [header, *rows, ["Grand Total", "", "", "", "", "", "", ""]], "cp1252", ",")
    expected.rows += len(rows)


def _superstore(folder: Path, chance: random.Random, expected: Expected, orders: int) -> None:
    """Two years of orders, each in a file of its own form: UTF-16 with tabs, and UTF-8 with a title and semicolons."""
    header = ["Row ID", "Order ID", "Order Date", "Customer ID", "Customer Name", "Product ID", "Product Name"]
    header += ["Quantity", "Unit Price", "Discount", "Profit"]
    names = {f"{chr(65 + n % 26)}G-{n}": f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}" for n in range(150)}
    years: dict[int, list[list[str]]] = {0: [], 1: []}
    line = 0
    for number in range(orders):
        year = number % 2
        fault = "" if number % 10 else ("two_buyers", "discount", "date")[number // 10 % 3]
        buyer = chance.choice(sorted(names))
        day = date(2014 + year, 1, 1) + timedelta(days=number % 365)
        when = f"{day.month}/{day.day}/{day.year}" if year == 0 else f"{day:%d-%m-%Y}"
        total = Decimal(0)
        size = chance.randrange(1, 7) + (fault == "two_buyers")
        for place in range(size):
            line += 1
            quantity, price = chance.randrange(1, 15), Decimal(chance.randrange(50, 200_000)).scaleb(-2)
            shown, off = chance.choice([("0", "0"), ("20%", "0.2"), ("0.15", "0.15"), ("10 %", "0.1")])
            if fault == "discount" and place == size - 1:
                shown = "150%"
            total += (quantity * price * (1 - Decimal(off))).quantize(CENT, ROUND_HALF_UP)
            who = next(one for one in names if one != buyer) if fault == "two_buyers" and place == 1 else buyer
            product = f"FUR-{1000 + chance.randrange(400)}"
            cells = [str(line), f"CA-{number}", "31/31/2014" if fault == "date" else when, who, names[who], product]
            cells += [chance.choice(THINGS), str(quantity), f"${price:,.2f}", shown, f"({quantity}.50)"]
            years[year].append(cells)
        expected.note("order", "parked" if fault else "applied", total)
    rows = [*years[0], *years[1]]
    expected.outcomes["buyer", "applied"] += len({row[3] for row in rows})
    expected.outcomes["ware", "applied"] += len({row[5] for row in rows})
    total_row = ["Total", *[""] * 6, "12", "$1,234.50", "", "(3.00)"]
    _save(folder / "superstore_2014.txt", [header, *years[0], total_row], "utf-16", "\t")
    title = [["Sales of 2015", *[""] * 10], ["", *[""] * 10]]
    _save(folder / "superstore_2015.txt", [*title, header, *years[1]], "utf-8-sig", ";")
    expected.rows += len(rows)


def _pipeline(folder: Path, chance: random.Random, expected: Expected, deals: int) -> None:
    """Opportunities with European figures: open and lost ones, some worth nothing or less, some of unknown accounts."""
    accounts = [f"Konto {number} GmbH & Co. KG" for number in range(80)]
    _save(folder / "accounts.csv", [["account", "sector"], *[[one, "retail"] for one in accounts]], "utf-8", ",")
    expected.outcomes["account", "applied"] += len(accounts)
    rows = [
        [
            "opportunity_id",
            "sales_agent",
            "product",
            "account",
            "deal_stage",
            "engage_date",
            "close_date",
            "close_value",
        ]
    ]
    for number in range(deals):
        stage = ("Won", "Won", "Lost", "Engaging", "Won", "Prospecting")[number % 6]
        fault = "" if number % 12 != 4 else ("zero", "below", "nobody", "stranger", "text")[number // 12 % 5]
        cents = chance.randrange(100, 3_000_000)
        account = {"nobody": "", "stranger": "Kontoo 7"}.get(fault, f"{chance.choice(accounts)} ")
        value = f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02}"
        value = {"zero": "0,00", "below": f"-{value}", "text": "auf Anfrage"}.get(fault, value)
        value = value if stage == "Won" else ("0" if stage == "Lost" else "")
        closed = f"{number % 28 + 1:02}.{number % 12 + 1:02}.2017" if stage in ("Won", "Lost") else ""
        row = [f"OPP{number}", "Moses", "GTX Pro", account, stage, "01.01.2016", closed, value]
        rows.append(row)
        outcome = {"nobody": "parked", "stranger": "parked", "text": "parked", "zero": "skipped", "below": "skipped"}
        expected.note("deal", "skipped" if stage != "Won" else outcome.get(fault, "applied"), Decimal(cents).scaleb(-2))
        if number % 100 == 7:
            rows.append(row)
            expected.note("deal", "parked")
    _save(folder / "sales_pipeline.csv", rows, "utf-8", ";")
    expected.rows += len(rows) - 1 + len(accounts)


def _staff(path: Path, chance: random.Random, expected: Expected, people: int) -> list[str]:
    """A staff list, the names in one cell, some of them hired long before 1970; their ids."""
    rows = [["Employee_Name", "EmpID", "Department", "DateofHire", "Termd"]]
    for number in range(people):
        name = f"{chance.choice(FAMILY)}-{number}, {chance.choice(GIVEN)}  K"
        fault = "" if number % 20 else ("no_name", "one_name", "twice")[number // 20 % 3]
        name = {"no_name": "", "one_name": "Cher"}.get(fault, name)
        hired = date(1948, 3, 1) + timedelta(days=chance.randrange(25_000))
        shown = f"{hired.month}/{hired.day}/{hired.year}" if number % 7 else "N/A"
        rows.append([name, str(10_000 + number), "Production       ", shown, "0"])
        expected.note("person", "parked" if fault in ("no_name", "one_name") else "applied")
        if fault == "twice":
            rows.append(rows[-1])
            expected.note("person", "parked")
    _save(path, rows, "cp1252", ",")
    expected.rows += len(rows) - 1
    return [row[1] for row in rows[1:]]


def _payroll(path: Path, chance: random.Random, expected: Expected, staff: list[str], runs: int) -> None:
    """A payroll journal: of one run the sides differ, of one a cell is no number."""
    header = ["Check Date", "Period Start", "Period End", "Employee ID", "Regular Earnings", "Overtime Earnings"]
    rows = [[*header, "Employee Taxes", "Employer Taxes", "Net Pay"]]
    for run in range(runs):
        paid = date(2026, 1, 15) + timedelta(days=14 * run)
        debit = Decimal(0)
        for person, employee in enumerate(staff[:300]):
            regular, overtime = Decimal(chance.randrange(90_000, 400_000)), Decimal(chance.choice([0, 0, 12_345]))
            taken = ((regular + overtime) * 23 / 100).quantize(Decimal(1))
            borne = ((regular + overtime) * 8 / 100).quantize(Decimal(1))
            net = regular + overtime - taken - (1 if (run, person) == (1, 0) else 0)
            debit += (regular + overtime + borne).scaleb(-2)
            figures = [
                f"{amount.scaleb(-2):,.2f}" if amount else "-" for amount in (regular, overtime, taken, borne, net)
            ]
            if (run, person) == (2, 5):
                figures[0] = "n/k"
            days = (paid, paid - timedelta(days=15), paid - timedelta(days=2))
            rows.append([*(f"{day.month}/{day.day}/{day.year}" for day in days), employee, *figures])
        expected.note("pay_run", "parked" if run in (1, 2) else "applied", debit)
    _save(path, rows, "utf-8", ",")
    expected.rows += len(rows) - 1


def _save(path: Path, rows: list[list[str]], encoding: str, delimiter: str) -> None:
    with path.open("w", encoding=encoding, errors="replace", newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(rows)
