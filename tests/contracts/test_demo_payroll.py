"""The demo's payroll ties out by account, from Gusto through adapter and planner: what the whole demo compares, in a
second, and for samples of every kind."""

import tomllib
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib import resources

import pytest

from counterfoil.demo.expected import ExpectedEntry, expect
from counterfoil.demo.generator import make_sample
from counterfoil.demo.loading import gusto_load
from counterfoil.demo.sample import FAST, Sample, SamplePayRun, Size
from counterfoil.planning.mapping import parse_mapping
from counterfoil.planning.plan import plan
from counterfoil.sources import Seen
from counterfoil_adapters.gusto.adapter import GustoSource
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import PayRun
from support.gusto import collect, gusto
from support.planning import View, lines_of, only, request

WHOLE = Size()
MAPPING = resources.files("counterfoil.demo").joinpath("mappings", "gusto.toml").read_text("utf-8")
SAMPLES = [(1, WHOLE), (6, WHOLE), (3, FAST), (5, FAST), (14, FAST), (24, FAST), (29, FAST)]
"""Seeds and sizes whose pay runs hold, each, garnishments and expenses of nobody, of one person, and of several."""


def who_has(run: SamplePayRun) -> tuple[int, int]:
    """How many people have a garnishment, and how many are paid expenses back."""
    return sum(part.deduction > 0 for part in run.parts), sum(part.reimbursement > 0 for part in run.parts)


async def records(sample: Sample) -> dict[str, PayRun]:
    """The sample's pay runs as the adapter shows them."""
    async with gusto() as company:
        await company.control("/load", gusto_load(sample))
        context = company.context({"since": date(2026, 1, 1)})
        source = GustoSource(replace(context, mapping=tomllib.loads(MAPPING)))
        changes, _ = await collect(source, "payroll")
    seen = {change.source_id: change.record for change in changes if isinstance(change, Seen)}
    assert len(changes) == len(seen)
    return {uuid: record for uuid, record in seen.items() if isinstance(record, PayRun)}


def accounts_of(entry: JsonObject) -> dict[str, Decimal]:
    """Debits less credits by the names of accounts."""
    sums: dict[str, Decimal] = {}
    for line in lines_of(entry):
        detail = line["JournalEntryLineDetail"]
        assert isinstance(detail, dict)
        account = detail["AccountRef"]
        assert isinstance(account, dict)
        sign = 1 if detail["PostingType"] == "Debit" else -1
        name = name_in(account)
        sums[name] = sums.get(name, Decimal(0)) + sign * Decimal(str(line["Amount"]))
    return sums


def name_in(reference: JsonObject) -> str:
    (named,) = reference.values()
    assert isinstance(named, list)
    name: JsonValue = named[-1]
    return str(name)


def fixed(entry: ExpectedEntry) -> dict[str, Decimal]:
    return {name: Decimal(cents) / 100 for name, cents in entry.accounts.items()}


@pytest.mark.parametrize(("seed", "size"), SAMPLES)
async def test_pay_runs_come_to_what_was_fixed_beforehand(seed: int, size: Size) -> None:
    sample = make_sample(seed, size)
    expected = expect(sample, ())
    waiting = expected.waiting
    assert waiting is not None
    wanted = {entry.uuid: fixed(entry) for entry in (*expected.entries, waiting)}
    mapping = parse_mapping(MAPPING, file="gusto.toml")
    found: dict[str, dict[str, Decimal]] = {}
    for uuid, record in (await records(sample)).items():
        assert min(line.people for line in record.lines) >= 2
        key = f"gusto:payroll:{uuid}"
        intent = only(plan(request(record, key), mapping, View(known={key})))
        found[uuid] = accounts_of(intent.body)
        amounts = {Decimal(str(line["Amount"])) for line in lines_of(intent.body)}
        assert Decimal("75.00") not in amounts, "one person's garnishment"
    assert wanted == found


def test_the_samples_hold_what_one_person_alone_has() -> None:
    runs = [who_has(run) for seed, size in SAMPLES for run in make_sample(seed, size).pay_runs]
    assert {0, 1, 2} <= {garnished for garnished, _ in runs}
    assert {0, 1, 2} <= {paid_back for _, paid_back in runs}
