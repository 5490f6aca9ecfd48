"""XML both ways, as the clients for PHP, Java, .NET and Ruby speak it."""

from base64 import b64encode
from collections.abc import AsyncIterator
from decimal import Decimal
from urllib.parse import quote

import pytest
from lxml import etree

from counterfoil.quickbooks.emulator import EmulatorOptions
from counterfoil.quickbooks.emulator.forms import Form, form_wanted
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from counterfoil.quickbooks.emulator.markup import read, written
from counterfoil.quickbooks.emulator.options import Switches
from counterfoil_schema.exact_json import JsonObject, loads_object
from support.quickbooks_company import Api, running

OFF = LimitNumbers(enabled=False)
NS = "{http://schema.intuit.com/finance/v3}"
OPEN = 'xmlns="http://schema.intuit.com/finance/v3"'
TIME = "2026-11-29T01:04:09.620-08:00"
INVOICE = f"""<?xml version="1.0" encoding="UTF-8"?>
<ns0:Invoice xmlns:ns0="{NS[1:-1]}" domain="QBO" sparse="true" status="Voided">
  <ns0:Id>5</ns0:Id>
  <ns0:SyncToken>2</ns0:SyncToken>
  <!-- not said -->
  <ns0:Line>
    <ns0:Amount>9.50</ns0:Amount>
    <ns0:DetailType>SalesItemLineDetail</ns0:DetailType>
    <ns0:SalesItemLineDetail>
      <ns0:ItemRef name="Services">1</ns0:ItemRef>
      <ns0:Qty>1</ns0:Qty>
    </ns0:SalesItemLineDetail>
  </ns0:Line>
  <ns0:CustomerRef name="Ann" type="Customer">3</ns0:CustomerRef>
  <ns0:CustomerMemo>Thanks &amp; bye</ns0:CustomerMemo>
  <ns0:ApplyTaxAfterDiscount>false</ns0:ApplyTaxAfterDiscount>
  <ns0:DueDate/>
  <ns0:BillAddr><ns0:Line1>1 Way</ns0:Line1></ns0:BillAddr>
</ns0:Invoice>"""


def test_a_record_is_read_by_the_table_of_its_properties() -> None:
    assert read(INVOICE.encode()) == {
        "domain": "QBO",
        "sparse": True,
        "status": "Voided",
        "Id": "5",
        "SyncToken": "2",
        "Line": [
            {
                "Amount": "9.50",
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {"ItemRef": {"value": "1", "name": "Services"}, "Qty": "1"},
            }
        ],
        "CustomerRef": {"value": "3", "name": "Ann", "type": "Customer"},
        "CustomerMemo": {"value": "Thanks & bye"},
        "ApplyTaxAfterDiscount": False,
        "DueDate": "",
        "BillAddr": {"Line1": "1 Way"},
    }


def test_a_batch_is_read_with_its_attributes() -> None:
    raw = f"""<IntuitBatchRequest {OPEN}>
      <BatchItemRequest bId="a" operation="create">
        <Customer><DisplayName>Ann</DisplayName></Customer>
      </BatchItemRequest>
      <BatchItemRequest bId="b" operation="update" optionsData="void">
        <Payment sparse="true"><Id>1</Id></Payment>
      </BatchItemRequest>
      <BatchItemRequest bId="c"><Query>select * from Customer</Query></BatchItemRequest>
    </IntuitBatchRequest>"""
    assert read(raw.encode()) == {
        "BatchItemRequest": [
            {"bId": "a", "operation": "create", "Customer": {"DisplayName": "Ann"}},
            {"bId": "b", "operation": "update", "optionsData": "void", "Payment": {"Id": "1", "sparse": True}},
            {"bId": "c", "Query": "select * from Customer"},
        ]
    }


@pytest.mark.parametrize(
    "raw",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Customer><Notes>&b;</Notes></Customer>',
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><Customer><Notes>&f;</Notes></Customer>',
        '<!DOCTYPE Customer SYSTEM "http://127.0.0.1:9/x.dtd"><Customer/>',
        "<Customer>&unknown;</Customer>",
        "<Customer><Notes></Customer>",
        "<",
        "<a>" * 300 + "</a>" * 300,
        "<a>" * 60 + "</a>" * 60,
    ],
    ids=["expansion", "file", "outside", "unknown", "unclosed", "cut", "very deep", "deep"],
)
def test_what_is_no_xml_or_would_have_something_expanded_is_not_read(raw: str) -> None:
    assert read(raw.encode()) is None


def attributes(element: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.attrib.items()}


def tree(body: JsonObject) -> etree._Element:
    raw = written(body, time=TIME)
    assert raw.startswith(b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<')
    return etree.fromstring(raw)


def test_a_record_is_written_with_its_attributes() -> None:
    root = tree(
        {
            "Invoice": {
                "Id": "5",
                "domain": "QBO",
                "sparse": False,
                "TotalAmt": Decimal("100.00"),
                "CustomerRef": {"value": "3", "name": "Ann & Bo"},
                "CustomerMemo": {"value": "Thanks"},
                "Line": [{"Id": "1"}, {"Amount": Decimal("1E+2"), "SubTotalLineDetail": {}}],
                "PrivateNote": "a\x00b\x0bc\ufffe",
            },
            "time": TIME,
        }
    )
    assert (root.tag, attributes(root)) == (f"{NS}IntuitResponse", {"time": TIME})
    [invoice] = root
    assert attributes(invoice) == {"domain": "QBO", "sparse": "false"}
    assert [etree.QName(one).localname for one in invoice] == [
        "Id", "TotalAmt", "CustomerRef", "CustomerMemo", "Line", "Line", "PrivateNote",
    ]  # fmt: skip
    customer = invoice.find(f"{NS}CustomerRef")
    assert customer is not None
    assert (customer.text, attributes(customer)) == ("3", {"name": "Ann & Bo"})
    assert [invoice.findtext(f"{NS}{name}") for name in ("TotalAmt", "CustomerMemo", "PrivateNote")] == [
        "100.00", "Thanks", "abc",
    ]  # fmt: skip
    assert invoice.findtext(f"{NS}Line/{NS}Amount") == "100"


def test_what_is_written_is_read_again() -> None:
    body: JsonObject = {
        "Id": "5",
        "sparse": False,
        "Line": [{"Id": "1", "LinkedTxn": [{"TxnId": "7", "TxnType": "Estimate"}]}],
        "CustomerRef": {"value": "3", "name": "Ann"},
        "CustomField": [{"DefinitionId": "1", "Name": "Crew", "Type": "StringType", "StringValue": "x"}],
    }
    [invoice] = tree({"Invoice": body})
    assert read(etree.tostring(invoice)) == body


def test_faults_of_both_shapes_are_written_alike() -> None:
    error: JsonObject = {"Message": "m", "Detail": "d", "code": "610", "element": "Id"}
    [fault] = tree({"Fault": {"Error": [error], "type": "ValidationFault"}, "time": TIME})
    assert (attributes(fault), attributes(fault[0])) == (
        {"type": "ValidationFault"},
        {"code": "610", "element": "Id"},
    )
    gateway: JsonObject = {
        "error": [{"message": "m", "detail": None, "code": "3001", "element": None}],
        "type": "SERVICE",
    }
    root = tree({"warnings": None, "fault": gateway, "time": 1633520295688, "batchItemResponse": []})
    assert attributes(root) == {"time": TIME}
    [fault] = root
    assert (attributes(fault), attributes(fault[0])) == ({"type": "SERVICE"}, {"code": "3001"})
    assert [etree.QName(one).localname for one in fault[0]] == ["Message"]


@pytest.mark.parametrize(
    ("accept", "content_type", "form"),
    [
        ("application/json", "", "json"),
        ("application/xml", "application/json", "xml"),
        ("text/xml, application/json", "", "xml"),
        ("application/json, text/plain, */*", "", "json"),
        ("*/*", "application/json", "json"),
        ("*/*", "text/xml; charset=utf-8", "xml"),
        ("*/*", "", "xml"),
        ("", "application/text", "xml"),
    ],
)
def test_the_form_is_what_accept_names_else_that_of_the_request_else_xml(
    accept: str, content_type: str, form: Form
) -> None:
    assert form_wanted(accept, content_type, "xml") == form


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running(EmulatorOptions(seed=1, sample="small", limits=OFF)) as made:
        yield made


async def asked(
    api: Api, method: str, tail: str, body: bytes | None = None, **headers: str
) -> tuple[int, str, etree._Element]:
    url = f"{api.emulator.base_url}/v3/company/{api.emulator.realm_id}/{tail}"
    sent = {"Accept": "application/xml", "Content-Type": "application/xml", **headers}
    sent.setdefault("Authorization", f"Bearer {api.token}")
    async with api.session.request(method, url, data=body, headers=sent) as answer:
        return answer.status, answer.headers["Content-Type"], etree.fromstring(await answer.read())


async def test_a_client_that_speaks_xml_writes_reads_asks_and_is_refused(api: Api) -> None:
    made = f"<Customer {OPEN}><DisplayName>Zed &amp; Co</DisplayName><Taxable>false</Taxable></Customer>".encode()
    status, content_type, root = await asked(api, "POST", "customer?requestid=r1", made)
    assert (status, content_type) == (200, "application/xml;charset=UTF-8")
    identifier = root.findtext(f"{NS}Customer/{NS}Id")
    # The same request asked for in the other form is answered from the same memory.
    _, again = await api.call("POST", "customer", raw=made, parameters={"requestid": "r1"})
    assert isinstance(again["Customer"], dict)
    assert again["Customer"]["Id"] == identifier
    status, _, root = await asked(api, "GET", f"customer/{identifier}")
    assert root.findtext(f"{NS}Customer/{NS}DisplayName") == "Zed & Co"
    status, _, root = await asked(api, "GET", f"query?query={quote('select * from Customer maxresults 2')}")
    assert attributes(root[0]) == {"startPosition": "1", "maxResults": "2"}
    assert [etree.QName(one).localname for one in root[0]] == ["Customer"] * 2
    status, _, root = await asked(api, "POST", "customer", made)
    assert (status, root.xpath("string(//@code)")) == (400, "6240")
    status, _, root = await asked(api, "POST", "customer", b"<!DOCTYPE a><Customer/>")
    assert (status, root.xpath("string(//@code)")) == (400, "2010")
    status, _, root = await asked(api, "GET", "customer/1", Authorization="Bearer " + "x" * 40)
    assert (status, root.xpath("string(//@code)")) == (401, "3200")
    since = quote(api.emulator.clock.now().isoformat(timespec="seconds")[:11] + "00:00:00Z")
    status, _, root = await asked(api, "GET", f"cdc?entities=Customer,Bill&changedSince={since}")
    assert [etree.QName(one).localname for one in root[0]] == ["QueryResponse"] * len(root[0])
    status, _, root = await asked(api, "GET", "reports/AccountList")
    assert root.tag == f"{NS}Report"
    assert root.xpath("//*[local-name()='ColData']/@value")


async def test_a_batch_in_xml_matches_by_its_ids(api: Api) -> None:
    batch = f"""<IntuitBatchRequest {OPEN}>
      <BatchItemRequest bId="a" operation="create">
        <Customer><DisplayName>Zed</DisplayName></Customer>
      </BatchItemRequest>
      <BatchItemRequest bId="b"><Query>select count(*) from Customer</Query></BatchItemRequest>
      <BatchItemRequest bId="c" operation="delete">
        <Invoice><Id>999</Id><SyncToken>0</SyncToken></Invoice>
      </BatchItemRequest>
    </IntuitBatchRequest>""".encode()
    _, _, root = await asked(api, "POST", "batch", batch)
    told = {item.get("bId"): etree.QName(item[0]).localname for item in root}
    assert told == {"a": "Customer", "b": "QueryResponse", "c": "Fault"}


PNG = bytes(range(256)) * 3
ATTACHABLE = f"""<?xml version="1.0" encoding="UTF-8"?>
<ns0:Attachable xmlns:ns0="{NS[1:-1]}">
  <ns0:AttachableRef><ns0:EntityRef type="Customer">1</ns0:EntityRef></ns0:AttachableRef>
  <ns0:FileName>told.png</ns0:FileName>
  <ns0:ContentType>image/png</ns0:ContentType>
  <ns0:Note>Ünï &amp; co</ns0:Note>
</ns0:Attachable>
""".encode()


def upload_as_from_php() -> bytes:
    """Metadata that end with a bare LF, their part's end; content in base64, in lines; two line ends at the end."""
    lines = b"".join(b64encode(PNG)[at : at + 76] + b"\r\n" for at in range(0, len(b64encode(PNG)), 76))
    return (
        b'--1f\r\nContent-Disposition: form-data; name="file_metadata_0"\r\n'
        b"Content-Type: application/xml; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + ATTACHABLE
        + b"--1f\r\n"
        b'Content-Disposition: form-data; name="file_content_0"; filename="sent.png"\r\n'
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines + b"\r\n--1f--\r\n\r\n"
    )


def upload_as_from_ruby() -> bytes:
    """The content comes first, as it is; the metadata are a file, too."""
    return (
        b'--1f\r\nContent-Disposition: form-data; name="file_content_0"; filename="sent.png"\r\n'
        b"Content-Length: %d\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        % len(PNG)
        + PNG
        + b'\r\n--1f\r\nContent-Disposition: form-data; name="file_metadata_0"; filename="local.path"\r\n'
        b"Content-Length: %d\r\nContent-Type: application/xml\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        % len(ATTACHABLE)
        + ATTACHABLE
        + b"\r\n--1f--\r\n\r\n"
    )


@pytest.mark.parametrize("body", [upload_as_from_php(), upload_as_from_ruby()], ids=["PHP", "Ruby"])
async def test_an_upload_described_in_xml(api: Api, body: bytes) -> None:
    multipart = {"Content-Type": "multipart/form-data; boundary=1f"}
    status, content_type, root = await asked(api, "POST", "upload?minorversion=75", body, **multipart)
    assert (status, content_type) == (200, "application/xml;charset=UTF-8")
    inside = f"{NS}AttachableResponse/{NS}Attachable/{NS}"
    told = {name: root.findtext(inside + name) for name in ("FileName", "ContentType", "Note", "Size")}
    assert told == {"FileName": "told.png", "ContentType": "image/png", "Note": "Ünï & co", "Size": "768"}
    hangs_on = root.find(f"{inside}AttachableRef/{NS}EntityRef")
    assert hangs_on is not None
    assert (hangs_on.text, attributes(hangs_on)) == ("1", {"type": "Customer"})
    async with api.session.get(str(root.findtext(inside + "TempDownloadUri"))) as answer:
        assert await answer.read() == PNG


async def test_an_attachable_whose_reference_names_nothing_hangs_on_nothing(api: Api) -> None:
    note = f"<Attachable {OPEN}><Note>x</Note><AttachableRef><EntityRef/></AttachableRef></Attachable>".encode()
    status, _, root = await asked(api, "POST", "attachable", note)
    assert (status, root.find(f"{NS}Attachable/{NS}AttachableRef")) == (200, None)


async def test_the_default_form_is_a_switch() -> None:
    async with running(EmulatorOptions(seed=1, limits=OFF, switches=Switches(unasked_form="json"))) as api:
        url = f"{api.emulator.base_url}/v3/company/{api.emulator.realm_id}/preferences"
        async with api.session.get(url, headers={"Authorization": f"Bearer {api.token}"}) as answer:
            assert "Preferences" in loads_object(await answer.read())
