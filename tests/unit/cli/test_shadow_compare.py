"""Two exports of plans, held against each other whatever their order; what is cut or no export is said to be."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.tasks.line_files import LineFile
from counterfoil.cli.tasks.shadow_compare import compared
from counterfoil.errors import ConfigurationError
from counterfoil_schema import exact_json

HEAD = {"file": "counterfoil plans", "version": 1, "company": 1, "connection": "shop", "personal": False}


def plan(key: str, total: int, **inputs: str) -> dict[str, Any]:
    made_from = {"record": "r", "mapping": "m", "planner": "1", "preferences": "p", "rates": "", **inputs}
    document = {"record_key": key, "entity": "Invoice", "body": {"Line": [{"$line": "1", "Amount": total}]}}
    return {"record_key": key, "position": total, "inputs": made_from, "outcome": "planned", "documents": [document]}


def write(path: Path, plans: Sequence[dict[str, Any]], head: dict[str, Any] = HEAD, *, end: bool = True) -> Path:
    lines: list[dict[str, Any]] = [head, *plans, *([{"end": True, "records": len(plans)}] if end else [])]
    path.write_bytes(b"".join(exact_json.dumps(line) + b"\n" for line in lines))
    return path


def test_equal_plans_are_the_same_in_any_order(tmp_path: Path) -> None:
    plans = [plan(f"shop:order:{number}", 5) for number in range(300)]
    found = compared(write(tmp_path / "a", plans), write(tmp_path / "b", plans[::-1]), 10)
    assert (found.is_same, found.records, found.shown) == (True, 300, [])


def test_what_differs_is_named_with_its_cause(tmp_path: Path) -> None:
    before = [plan("a:b:1", 5), plan("a:b:2", 5), plan("a:b:3", 5), plan("a:b:4", 5)]
    after = [plan("a:b:5", 5), plan("a:b:4", 6, mapping="n"), plan("a:b:3", 7), plan("a:b:2", 5, record="s")]
    found = compared(write(tmp_path / "a", before), write(tmp_path / "b", after), 10)
    assert (found.records, found.only_before, found.only_after) == (3, 1, 1)
    assert (found.differing, found.unexplained, dict(found.inputs)) == (2, 1, {"mapping": 1, "record": 1})
    assert dict(found.shown)["a:b:3"] == [("documents.1.body.Line.1.Amount", 5, 7)]


@pytest.mark.parametrize(
    ("head", "end", "says"),
    [
        ({}, False, "was cut"),
        ({"company": 2}, True, "company is 1 in one and 2"),
        ({"version": 9}, True, "no file of counterfoil plans"),
    ],
)
def test_what_cannot_be_compared_is_told(tmp_path: Path, head: dict[str, int], end: bool, says: str) -> None:
    whole = write(tmp_path / "a", [plan("a:b:1", 1)])
    write(tmp_path / "b", [plan("a:b:1", 1)], {**HEAD, **head}, end=end)
    with pytest.raises(ConfigurationError, match=says):
        compared(whole, tmp_path / "b", 10)


def test_what_is_no_export_or_not_there_is_told(tmp_path: Path) -> None:
    whole = write(tmp_path / "a", [plan("a:b:1", 1)])
    (tmp_path / "b").write_text("{", "utf-8")
    with pytest.raises(ConfigurationError, match="no file of counterfoil plans"):
        compared(whole, tmp_path / "b", 10)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        compared(whole, tmp_path / "c", 10)


async def broken_off(path: Path) -> None:
    async with LineFile(path) as file:
        await file.write([{"a": 1}])
        raise RuntimeError


async def test_a_file_is_there_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "plans.jsonl"
    with pytest.raises(RuntimeError):
        await broken_off(path)
    assert list(tmp_path.iterdir()) == []
    async with LineFile(path) as file:
        await file.write([{"a": 1}, {"b": 2}])
    assert path.read_bytes() == b'{"a":1}\n{"b":2}\n'
    with pytest.raises(ConfigurationError, match="cannot be written"):
        async with LineFile(tmp_path / "none" / "plans.jsonl"):
            pass
