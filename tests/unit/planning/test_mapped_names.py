"""Whatever a mapping can name in the books is known to be such a name: a new key is not forgotten by the check."""

from collections.abc import Iterator

from pydantic import BaseModel

from counterfoil.planning.mapped_names import names_in
from counterfoil.planning.mapping import Mapping, parse_mapping
from support.planning import MINIMAL

TEXT = """
[product]
income_account = "a"
[invoice]
catch_all = "b"
freight_item = "c"
fee_item = "d"
terms = "e"
tax_code = "f"
[credit_memo]
catch_all = "g"
freight_item = "h"
fee_item = "i"
tax_code = "j"
[payment]
deposit_account = "k"
[refund]
catch_all = "l"
freight_item = "m"
fee_item = "n"
tax_code = "o"
account = "p"
[payout]
account = "q"
from_account = "r"
fee_account = "s"
[tax]
taxed = "t"
exempt = "u"
codes = { x = "v" }
[time]
item = "w"
track = "class"
names = { x = "x" }
"""


def texts(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Every key that holds a name or nothing, of the sections that speak of the books."""
    for name, field in model.model_fields.items():
        annotation = str(field.annotation)
        is_one = not any(several in annotation for several in ("dict[", "tuple["))
        is_name = is_one and "Annotated[str" in annotation and ("Optional" in annotation or "None" in annotation)
        if (is_name and name != "filter") or name.endswith(("_account", "tax_code")):
            yield f"{path}{name}"


def test_every_key_that_names_something_in_the_books_is_looked_up() -> None:
    sections = ("product", "invoice", "credit_memo", "payment", "refund", "payout", "tax", "time")
    models = {name: Mapping.model_fields[name].annotation for name in sections}
    expected = {
        key
        for name, model in models.items()
        if isinstance(model, type) and issubclass(model, BaseModel)
        for key in texts(model, f"{name}.")
    }
    found = names_in(parse_mapping(MINIMAL + TEXT, file="m.toml"), "abroad")
    assert {".".join(use.path) for use in found} == expected | {"tax.codes.x", "time.names.x"}
    assert sorted(use.name for use in found) == list("abcdefghijklmnopqrstuvwx")


def test_payroll_names_are_looked_up_by_part_and_department() -> None:
    text = '[payroll]\ntrack = "department"\n[payroll.accounts]\nwages = "W"\n[payroll.departments.D]\nnet_pay = "N"\n'
    found = names_in(parse_mapping(MINIMAL + text, file="m.toml"), "none")
    assert [(use.path[1:], use.entity, use.name) for use in found if use.path[0] == "payroll"] == [
        (("accounts", "wages"), "Account", "W"),
        (("departments", "D", "net_pay"), "Account", "N"),
        (("departments", "D"), "Department", "D"),
    ]
