"""Files and notes on documents, documents on paper and by e-mail: over HTTP, as clients send them."""

import re
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.quickbooks.emulator import EmulatorOptions
from counterfoil.quickbooks.emulator.attachments import uploads_in
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from counterfoil.quickbooks.emulator.values import as_object
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object
from support.quickbooks_company import Api, allowed_to_refuse, line, running

META = b'{"AttachableRef":[{"EntityRef":{"type":"Invoice","value":"1"}}],"FileName":"a.txt","ContentType":"text/plain"}'


def parts(content: bytes, end: bytes = b"\r\n", more: bytes = b"", metadata: bytes = META) -> bytes:
    """A body of two parts."""
    lines = (
        b"--edge",
        b'Content-Disposition: form-data; name="file_metadata_01"',
        b"Content-Type: application/json",
        b"",
        metadata,
        b"--edge",
        b'Content-Disposition: form-data; name="file_content_01"; filename="a.txt"',
        b"Content-Type: text/plain" + more,
        b"",
        content,
        b"--edge--",
        b"",
    )
    return end.join(lines)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    chosen = EmulatorOptions(seed=1, limits=LimitNumbers(enabled=False), manual_clock=True)
    async with running(chosen) as made:
        customer = await made.customer("Ann")
        item: JsonObject = {"Name": "Hours", "Type": "Service", "IncomeAccountRef": {"value": "1"}}
        await made.post("item", item)
        await made.post("invoice", {"CustomerRef": {"value": customer}, "Line": [line("1", "10.00")]})
        yield made


def address(api: Api, tail: str) -> str:
    return f"{api.emulator.base_url}/v3/company/{api.emulator.realm_id}/{tail}"


async def send(api: Api, method: str, tail: str, body: bytes = b"") -> tuple[int, str, bytes]:
    headers = {"Authorization": f"Bearer {api.token}", "Accept": "application/json"}
    async with api.session.request(method, address(api, tail), data=body, headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


async def test_what_is_known_of_a_file_stays_when_the_attachable_is_changed(api: Api) -> None:
    await send(api, "POST", "upload", parts(b"hello"))
    told = {"Size": 5, "FileAccessUri": f"/v3/company/{api.emulator.realm_id}/download/1"}
    change: JsonObject = {"Id": "1", "SyncToken": "0", "sparse": True, "Note": "signed"}
    for attachable in ((await api.post("attachable", change))[1], (await api.get("attachable/1"))[1]):
        shown = as_object(attachable["Attachable"])
        assert told == {name: shown[name] for name in told}
        assert shown["Note"] == "signed"
        async with api.session.get(str(shown["TempDownloadUri"])) as answer:
            assert await answer.read() == b"hello"
    _, note = await api.post("attachable", {"Note": "no file"})
    assert "TempDownloadUri" not in as_object(note["Attachable"])


async def test_a_file_is_uploaded_found_and_downloaded_until_its_link_expires(api: Api) -> None:
    status, _, raw = await send(api, "POST", "upload", parts(b"\x00\xffhello\r\n\r\nworld"))
    made = loads_object(raw)["AttachableResponse"]
    assert isinstance(made, list)
    (entry,) = made
    assert isinstance(entry, dict)
    attachable = entry["Attachable"]
    assert isinstance(attachable, dict)
    assert (status, attachable["Size"], attachable["FileName"]) == (200, 16, "a.txt")
    assert attachable["AttachableRef"] == [{"EntityRef": {"value": "1", "type": "Invoice"}}]
    _, _, link = await send(api, "GET", f"download/{attachable['Id']}")
    async with api.session.get(link.decode()) as answer:
        assert await answer.read() == b"\x00\xffhello\r\n\r\nworld"
        assert answer.content_type == "text/plain"
    api.emulator.clock.advance(901)
    async with api.session.get(link.decode()) as answer:
        assert answer.status == 403


async def test_an_upload_under_one_request_id_happens_once(api: Api) -> None:
    first = await send(api, "POST", "upload?requestid=r1", parts(b"x"))
    again = await send(api, "POST", "upload?requestid=r1", parts(b"x"))
    assert loads_object(first[2])["AttachableResponse"] == loads_object(again[2])["AttachableResponse"]
    assert len(api.emulator.books.tables.table("Attachable").rows) == 1


async def test_a_note_needs_no_file_and_hangs_only_on_what_is_there(api: Api) -> None:
    note: JsonObject = {"Note": "Call them", "AttachableRef": [{"EntityRef": {"type": "Invoice", "value": "1"}}]}
    status, _, raw = await send(api, "POST", "attachable", dumps(note))
    assert status == 200
    assert b"Call them" in raw
    note["AttachableRef"] = [{"EntityRef": {"type": "Invoice", "value": "99"}}]
    assert (await send(api, "POST", "attachable", dumps(note)))[0] == 400
    assert (await send(api, "GET", "download/1"))[0] == 400


async def test_an_invoice_on_paper(api: Api) -> None:
    status, kind, page = await send(api, "GET", "invoice/1/pdf")
    assert (status, kind, page[:5]) == (200, "application/pdf", b"%PDF-")
    assert b"(Total: 10.00) Tj" in page
    # Each object lies where the table of the file says.
    table = page[page.index(b"xref") :]
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", table), start=1):
        assert page[int(place) :].startswith(b"%d 0 obj" % number)
    assert (await send(api, "GET", "customer/1/pdf"))[0] == 400


async def test_an_invoice_by_e_mail(api: Api) -> None:
    assert (await send(api, "POST", "invoice/1/send"))[0] == 400
    status, _, raw = await send(api, "POST", "invoice/1/send?sendTo=ann%40example.com")
    sent = loads_object(raw)["Invoice"]
    assert isinstance(sent, dict)
    assert (status, sent["EmailStatus"], sent["SyncToken"]) == (200, "EmailSent", "1")
    assert sent["BillEmail"] == {"Address": "ann@example.com"}
    assert sent["Balance"] == Decimal("10.00")


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_parts_end_with_either_line_end_and_may_be_base64(end: bytes) -> None:
    (plain,) = uploads_in(parts(b"hello", end))
    (coded,) = uploads_in(parts(b"aGVsbG8=", end, end + b"Content-Transfer-Encoding: base64"))
    assert plain.content == coded.content == b"hello"
    assert plain.metadata["FileName"] == "a.txt"


@given(st.binary(max_size=300))
def test_whatever_is_uploaded_is_parted_or_refused(raw: bytes) -> None:
    for body in (raw, b"--edge\n" + raw, parts(raw), parts(b"x", metadata=raw)):
        with allowed_to_refuse("6040", "6041"):
            uploads_in(body)


@given(st.binary(max_size=300).filter(lambda content: b"--edge" not in content))
def test_the_content_arrives_byte_for_byte(content: bytes) -> None:
    (upload,) = uploads_in(parts(content))
    assert upload.content == content
