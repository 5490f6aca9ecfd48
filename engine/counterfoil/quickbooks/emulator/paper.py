"""A document as a PDF of one page: enough for whoever asks for one to see that it is one."""

from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject

LINES_MAX = 40


def pdf_of(entity: str, body: JsonObject) -> bytes:
    """The document's number, party, lines and total on a page."""
    party = as_object(body.get("CustomerRef") or body.get("VendorRef"))
    lines = [
        f"{entity} {as_text(body.get('DocNumber'))}",
        f"Date: {as_text(body.get('TxnDate'))}",
        f"For: {as_text(party.get('name'))}",
        *(
            f"{as_text(line.get('Description')) or as_text(line.get('DetailType'))}   {line.get('Amount', '')}"
            for line in (as_object(member) for member in as_list(body.get("Line")))
        ),
        f"Total: {body.get('TotalAmt', '')}",
    ]
    return _page(lines[:LINES_MAX])


def _page(lines: list[str]) -> bytes:
    shown = b" T* ".join(b"(" + _escaped(line) + b") Tj" for line in lines)
    stream = b"BT /F1 11 Tf 14 TL 50 780 Td " + shown + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    page = b"%PDF-1.4\n"
    places: list[int] = []
    for number, content in enumerate(objects, start=1):
        places.append(len(page))
        page += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(page))
    return page + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table) + end


def _escaped(text: str) -> bytes:
    raw = text.encode("cp1252", errors="replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
