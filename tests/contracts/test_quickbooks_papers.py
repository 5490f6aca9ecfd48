"""PDF, e-mail, attached files and reports, from the client over a socket to the emulator."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from counterfoil.dispatch.limiter import Lane
from counterfoil.quickbooks.online.oauth import ClientCredentials
from counterfoil.quickbooks.online.operations import OperationError
from counterfoil.quickbooks.online.outcomes import Accepted, ReadFailed, Rejected, Uncertain
from counterfoil.quickbooks.online.papers import File
from counterfoil.quickbooks.online.reports import Report, ReportError, report_from
from counterfoil.quickbooks.online.upload import Attachment, multipart
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_double import Connected, connected_client
from support.quickbooks_emulator import EmulatorProcess, emulator_process


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--seed", "5", "--sample", "craig", "--limits", "off") as process:
        yield process


@pytest.fixture
async def quickbooks(emulator: EmulatorProcess) -> AsyncIterator[Connected]:
    async with connected_client(
        emulator["base_url"],
        grant_url=emulator["token_url"],
        realm_id=emulator["realm_id"],
        credentials=ClientCredentials(emulator["client_id"], SecretStr(emulator["client_secret"])),
        refresh_token=SecretStr(emulator["refresh_token"]),
        refreshed=False,
    ) as connected:
        yield connected


async def test_an_invoice_comes_as_a_pdf(quickbooks: Connected) -> None:
    found = await quickbooks.client.papers.pdf("Invoice", "1", Lane.LIVE)
    assert isinstance(found, File)
    assert found.content.startswith(b"%PDF-")
    missing = await quickbooks.client.papers.pdf("Invoice", "99999", Lane.LIVE)
    assert isinstance(missing, ReadFailed)
    assert missing.fault is not None
    assert missing.fault.code == "610"
    with pytest.raises(OperationError):
        await quickbooks.client.papers.pdf("Bill", "1", Lane.LIVE)


async def test_an_invoice_is_mailed_once_for_one_request_id(quickbooks: Connected, emulator: EmulatorProcess) -> None:
    for _ in range(2):
        deadline = quickbooks.clock.monotonic() + 20
        sent = await quickbooks.client.papers.send(
            "Invoice", "2", "ann@example.com", request_id="mail-1", lane=Lane.LIVE, deadline=deadline
        )
        assert isinstance(sent, Accepted)
        assert sent.document["EmailStatus"] == "EmailSent"
    effects = emulator.control("/journal")["effects"]
    assert isinstance(effects, list)
    assert sum(one["operation"] == "emailed" and one["id"] == "2" for one in effects if isinstance(one, dict)) == 1


async def test_a_file_hangs_on_its_invoice_and_comes_back(quickbooks: Connected) -> None:
    content = bytes(range(256)) * 40 + b"\r\n--not the boundary--\r\n"
    attachment = Attachment("receipt.png", content, "image/png", (("Invoice", "1"),), "as signed")
    made: list[object] = []
    for _ in range(2):
        outcome = await quickbooks.client.papers.upload(
            attachment, request_id="file-1", lane=Lane.LIVE, deadline=quickbooks.clock.monotonic() + 20
        )
        assert isinstance(outcome, Accepted)
        made.append(outcome.document["Id"])
        assert outcome.document["Size"] == len(content)
    assert made[0] == made[1]
    back = await quickbooks.client.papers.download(str(made[0]), Lane.LIVE)
    assert back == File(content, "image/png")


async def test_a_refused_file_says_why(quickbooks: Connected) -> None:
    lost = Attachment("a.txt", b"a", "text/plain", (("Invoice", "99999"),))
    outcome = await quickbooks.client.papers.upload(
        lost, request_id="file-2", lane=Lane.LIVE, deadline=quickbooks.clock.monotonic() + 20
    )
    assert isinstance(outcome, Rejected)
    with pytest.raises(ValueError, match="cannot be called"):
        multipart(Attachment('a"b', b"", "text/plain"), "x")


async def test_reports_add_up(quickbooks: Connected) -> None:
    # Its dates lie before the day on which it is made.
    asked = {"start_date": "2026-01-01", "end_date": "2039-12-31"}
    balance = await quickbooks.client.papers.report("TrialBalance", asked)
    assert isinstance(balance, Report)
    sides = [row.amounts for row in balance.rows if row.kind == "data"]
    left = sum((one[0] or Decimal(0) for one in sides), Decimal(0))
    right = sum((one[1] or Decimal(0) for one in sides), Decimal(0))
    assert left == right > 0
    profit = await quickbooks.client.papers.report("ProfitAndLoss", {**asked, "summarize_column_by": "Month"})
    assert isinstance(profit, Report)
    # The sample sells for 4,858 on invoices and 445 on receipts, and gives back 100 and 87. It spends 505 on bills and
    # 185.62 at once, has 24.36 back from a vendor, and writes 250 off.
    assert (profit.total("Income"), profit.total("NetIncome")) == (Decimal(5116), Decimal("4199.74"))
    assert profit.columns[0].start is not None
    for name in ("AgedReceivables", "AgedPayables", "BalanceSheet", "CashFlow", "GeneralLedger"):
        found = await quickbooks.client.papers.report(name, {})  # the names are those of ReportName
        assert isinstance(found, Report)
        assert found.name == name
    with pytest.raises(ReportError, match="take no colour"):
        await quickbooks.client.papers.report("ProfitAndLoss", {"colour": "red"})


def report_saying(*values: str) -> JsonObject:
    cells: JsonObject = {"ColData": [{"value": value} for value in values], "type": "Data"}
    return {
        "Header": {"ReportName": "ProfitAndLoss"},
        "Columns": {"Column": [{"ColTitle": "", "ColType": "Account"}, {"ColTitle": "Total", "ColType": "Money"}]},
        "Rows": {"Row": [cells]},
    }


def test_half_a_report_is_none() -> None:
    with pytest.raises(ReportError, match="cut it off"):
        report_from(report_saying("Unable to display more data. Please reduce the date range.", ""))
    with pytest.raises(ReportError, match="where an amount belongs"):
        report_from(report_saying("Services", "ten"))
    deep: JsonObject = {}
    for _ in range(60):
        deep = {"Row": [{"Rows": deep}]}
    with pytest.raises(ReportError, match="without end"):
        report_from({**report_saying("x", "1"), "Rows": deep})


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Header", "Columns", "Column", "Rows", "Row", "ColData", "value", "Summary", "MetaData"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["Header", "Columns", "Rows"]), _json))
def test_whatever_comes_is_a_report_or_an_error(document: JsonObject) -> None:
    with contextlib.suppress(ReportError):
        assert isinstance(report_from(document), Report)


async def test_a_lost_answer_to_an_upload_is_uncertain(quickbooks: Connected, emulator: EmulatorProcess) -> None:
    emulator.control("/faults", {"kind": "lost_answer", "operation": "upload"})
    attachment = Attachment("b.txt", b"b", "text/plain")

    async def upload() -> object:
        return await quickbooks.client.papers.upload(
            attachment, request_id="file-3", lane=Lane.LIVE, deadline=quickbooks.clock.monotonic() + 20
        )

    assert isinstance(await upload(), Uncertain)
    again = await upload()
    assert isinstance(again, Accepted)
    kept = emulator.control("/state?entity=Attachable")["Attachable"]
    assert isinstance(kept, list)
    assert sum(isinstance(one, dict) and one.get("FileName") == "b.txt" for one in kept) == 1
