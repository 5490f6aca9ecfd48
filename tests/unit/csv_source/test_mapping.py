"""What a person may write under [csv], and what is said where it cannot be right."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from counterfoil.errors import ConfigurationError
from counterfoil_adapters.csv.adapter import CsvSource
from counterfoil_adapters.csv.columns import FIELDS
from counterfoil_adapters.csv.mapping import parse_mapping
from counterfoil_schema import records
from support.csv_folders import SHOP_MAPPING, context_for

MODELS: dict[str, type[BaseModel]] = {
    "customer": records.Customer,
    "product": records.Product,
    "employee": records.Employee,
    "vendor": records.Vendor,
    "invoice": records.Invoice,
    "payment": records.Payment,
    "credit_memo": records.CreditMemo,
    "refund": records.Refund,
    "payout": records.Payout,
    "line": records.InvoiceLine,
    "part": records.PayoutPart,
    "pay_run": records.PayRun,
}


def test_every_field_of_the_canonical_records_can_be_mapped() -> None:
    # Pay is a table with dates of its own, and a file keeps nothing from whoever may read it.
    made_elsewhere = {"kind", "lines", "line_id", "applied", "pay", "withheld", "parts", "part_of", "ledger"}
    expected = {name: set(model.model_fields) - made_elsewhere for name, model in MODELS.items()}
    # A part names one or the other, in columns of their own.
    expected["part"] |= {"payment", "refund"}
    assert expected == {name: set(fields) for name, fields in FIELDS.items()}


def test_kinds_are_read_after_those_that_they_name() -> None:
    table = {
        name: {"file": "f.csv", "record": record, "id": "id", "columns": {}, "charges": charges}
        for name, record, charges in [
            ("pay", "payment", []),
            ("deal", "invoice", [{"column": "amount", "role": "goods"}]),
            ("thing", "product", []),
            ("who", "customer", []),
        ]
    }
    assert list(parse_mapping(table)) == ["who", "thing", "deal", "pay"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "name"', 'nam = "name"', "'nam' is not a field of a customer. Did you mean 'name'?"),
        ('columns = { name = "name", email = "mail" }', "columns = {}", "nothing gives the name of a customer"),
        ('record = "customer"', 'record = "costumer"', "record cannot be 'costumer'"),
        ('record = "customer"', 'recrod = "customer"', "Did you mean 'record'?"),
        ('file = "customers.csv"', "", "[csv.customer] does not name its file"),
        ('file = "customers.csv"', 'file = "../customers.csv"', "is not the name of a file"),
        ('file = "customers.csv"', 'file = "/etc/passwd"', "is not the name of a file"),
        ('key = "order"', "", "[csv.order.lines]: key is missing"),
        ('key = "order"', 'kye = "order"', "[csv.order.lines]"),
        (
            'id = "id"\ncolumns = { customer',
            'repeated = "frist"\nid = "id"\ncolumns = { customer',
            "repeated cannot be",
        ),
        (
            'file = "lines.csv"',
            'file = "orders.csv"\n[csv.order.pay]\nwages = "w"\n[csv.order.more]',
            "there is no setting called 'more'",
        ),
        ('record = "customer"', 'record = "pay_run"', "nothing says what the columns of this payroll are"),
        ('record = "customer"', 'record = "customer"\npay = { wages = "w" }', "a customer pays nobody"),
        ('customer = "customer"', 'customer = { kind = "custmer", column = "c" }', "Did you mean 'customer'?"),
        ('customer = "customer"', 'customer = ["c"]', "[csv.order.columns]: customer cannot be ['c']"),
        ('dated = "date"', 'dated = { column = "date" }', "[csv.order.columns.dated] is given in a form"),
        (", won = true", "", "nothing gives the won of an invoice"),
        ('id = "id"\ncolumns = { name', "id = []\ncolumns = { name", "id cannot be []"),
        ('zone = "Europe/Berlin"', 'zone = "Europe/Berln"', "no time zone called 'Europe/Berln'"),
        (
            'id = "id"\ncolumns = { name',
            'id = "id"\nencoding = "utf-9"\ncolumns = { name',
            "no encoding called 'utf-9'",
        ),
        (
            'id = "id"\ncolumns = { name',
            'id = "id"\ndecimal = ","\nthousands = ","\ncolumns = { name',
            "same character",
        ),
        ("[csv.customer]", '[csv."a:b"]', "must not hold a colon"),
        ('column = "freight"', 'colum = "freight"', "Did you mean 'column'?"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_a_remedy(old: str, new: str, words: str, tmp_path: Path) -> None:
    assert old in SHOP_MAPPING
    with pytest.raises(ConfigurationError) as caught:
        CsvSource(context_for(tmp_path, SHOP_MAPPING.replace(old, new, 1)))
    assert words in caught.value.message
    assert caught.value.remedy


def test_no_tables_at_all_is_said() -> None:
    for table in (None, {}, {"encoding": "auto"}):
        with pytest.raises(ConfigurationError, match=r"no \[csv\.<kind>\] table"):
            parse_mapping(table)
