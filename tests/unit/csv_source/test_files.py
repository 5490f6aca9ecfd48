"""Encodings, headers and files that are not what the mapping says."""

from pathlib import Path

import pytest

from counterfoil.errors import CounterfoilError
from counterfoil.sources import Seen, SourceError, Unreadable
from counterfoil_adapters.csv.adapter import CsvSource
from counterfoil_adapters.csv.files import inspect
from counterfoil_schema.records import Customer
from support.csv_folders import context_for, read_changes

MAPPING = """
[csv.customer]
file = "customers.csv"
record = "customer"
id = "id"
columns = { name = "name" }
"""
TABLE = "id,name\n1,Zoë\n2,Strauß & Söhne\n"


async def names_in(folder: Path, mapping: str = MAPPING) -> list[str]:
    return [
        change.record.name
        for change in await read_changes(folder, mapping, "customer")
        if isinstance(change, Seen) and isinstance(change.record, Customer)
    ]


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-16-le"),  # no mark
        TABLE.encode("utf-32"),
        TABLE.encode("cp1252"),
        TABLE.replace("\n", "\r\n").encode(),
        TABLE.replace("\n", "\r").encode(),
        TABLE.replace(",", ";").encode(),
        TABLE.replace(",", "\t").encode("utf-16"),
        TABLE.rstrip("\n").encode(),
        ("sep=;\n" + TABLE.replace(",", ";")).encode("utf-8-sig"),
        TABLE.replace("id,name", ' id , "name"'.replace(' "', '"')).encode(),
    ],
)
async def test_encodings_marks_line_ends_and_delimiters_are_found_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "customers.csv").write_bytes(content)
    expected = ["Zoë", "Strauß & Söhne"]
    assert expected == await names_in(tmp_path)


async def test_a_guess_is_announced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "customers.csv").write_bytes(TABLE.encode("cp1252"))
    async with CsvSource(context_for(tmp_path, MAPPING)) as source:
        assert [page async for page in source.changes("customer", None) if not page.changes] == []
        (notice,) = source.notices
    assert "customers.csv is not UTF-8 and was read as Windows-1252" in notice
    assert notice in caplog.text


async def test_a_few_bad_bytes_in_a_utf8_file_cost_their_rows_alone(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_bytes(TABLE.encode() + b"3,Ren\xe9\n4,D\n")
    changes = await read_changes(tmp_path, MAPPING, "customer")
    (bad,) = [change for change in changes if isinstance(change, Unreadable)]
    assert (bad.source_id, bad.place) == ("3", "customers.csv line 4")
    assert "not utf-8" in bad.problem
    assert "Ren\\\\xe9" in bad.raw
    assert await names_in(tmp_path) == ["Zoë", "Strauß & Söhne", "D"]


@pytest.mark.parametrize(
    ("declared", "content", "words"),
    [
        ("cp1252", TABLE.encode(), "customers.csv is utf-8, but the mapping says cp1252"),
        ("latin-1", TABLE.encode("utf-8-sig"), "customers.csv is utf-8, but the mapping says latin-1"),
        ("utf-8", TABLE.encode("utf-16"), "customers.csv is utf-16, but the mapping says utf-8"),
    ],
)
async def test_a_wrong_encoding_is_said(tmp_path: Path, declared: str, content: bytes, words: str) -> None:
    (tmp_path / "customers.csv").write_bytes(content)
    with pytest.raises(SourceError) as caught:
        await read_changes(tmp_path, MAPPING + f'encoding = "{declared}"\n', "customer")
    assert words in str(caught.value)


async def test_a_declared_encoding_that_does_not_fit_costs_the_rows_with_accents(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_bytes(TABLE.encode("cp1252") + b"3,plain\n")
    assert await names_in(tmp_path, MAPPING + 'encoding = "utf-8"\n') == ["plain"]


async def test_a_missing_column_names_file_column_columns_and_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("id,Names,city\n1,x,y\n", encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        await read_changes(tmp_path, MAPPING, "customer")
    assert caught.value.message == "customers.csv has no column 'name'. Did you mean 'Names'?"
    assert "its columns are id, Names, city" in caught.value.remedy


async def test_a_column_there_twice_is_said_if_it_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("id,name,note,note\n1,x,y,z\n", encoding="utf-8")
    assert await names_in(tmp_path) == ["x"]
    (tmp_path / "customers.csv").write_text("id,name,name\n1,x,y\n", encoding="utf-8")
    with pytest.raises(SourceError, match="2 columns called 'name'"):
        await read_changes(tmp_path, MAPPING, "customer")


async def test_a_missing_file_names_the_one_that_may_be_meant(tmp_path: Path) -> None:
    (tmp_path / "customer.csv").write_text(TABLE, encoding="utf-8")
    with pytest.raises(SourceError, match=r"customers\.csv is not in .* Did you mean customer\.csv\?") as caught:
        await read_changes(tmp_path, MAPPING, "customer")
    assert "no record is deleted" in caught.value.remedy


async def test_a_missing_folder_and_a_folder_in_place_of_a_file_are_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"The folder .*away is not there"):
        await read_changes(tmp_path / "away", MAPPING, "customer")
    (tmp_path / "customers.csv").mkdir()
    with pytest.raises(SourceError, match="cannot be read"):
        await read_changes(tmp_path, MAPPING, "customer")


async def test_an_empty_file_is_said_and_one_with_a_header_alone_is_fine(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_bytes(b"")
    with pytest.raises(SourceError, match="not even a header"):
        await read_changes(tmp_path, MAPPING, "customer")
    (tmp_path / "customers.csv").write_bytes(b"\xef\xbb\xbfid,name\r\n")
    assert await read_changes(tmp_path, MAPPING, "customer") == []


async def test_a_single_file_needs_no_name_in_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "export of today.csv"
    path.write_text(TABLE, encoding="utf-8")
    context = context_for(tmp_path, MAPPING.replace('file = "customers.csv"\n', ""), {"file": str(path)})
    async with CsvSource(context) as source:
        (page,) = [page async for page in source.changes("customer", None)]
    assert len(page.changes) == 2


@pytest.mark.parametrize("settings", [{"folder": 3}, {"folder": "a", "file": "b"}, {"file": "other.csv"}])
def test_settings_that_name_no_folder_or_another_file_are_refused(tmp_path: Path, settings: dict[str, object]) -> None:
    with pytest.raises(CounterfoilError, match=r"either folder or file|single file other\.csv"):
        CsvSource(context_for(tmp_path, MAPPING, settings))


def test_a_setting_that_nobody_knows_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(
        CounterfoilError, match='no setting "encoding"; known are folder, file, rejected and settle_seconds'
    ):
        CsvSource(context_for(tmp_path, MAPPING, {"folder": str(tmp_path), "encoding": "cp1252"}))


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id\n")
    # printf 'id\n' | sha256sum
    expected = "984a644ec3b56d32b0404777e1eb73390c4b0742a6a0e183f07861056b6746de"
    assert expected == inspect(path, "auto").fingerprint.sha256
