"""What is done with a document besides writing it: it is e-mailed, a file is put to it."""

from dataclasses import replace

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.attachments import StoredFile, Upload
from counterfoil.quickbooks.emulator.books import Books, Write, WriteOperation
from counterfoil.quickbooks.emulator.catalog import ENTITIES
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import as_object, as_text
from counterfoil.quickbooks.emulator.views import stamp
from counterfoil_schema.exact_json import JsonObject


def send(books: Books, entity: str, row: Row, to: str) -> JsonObject:
    """E-mail a document to an address, or to the one that it bears.

    Raises:
        QuickBooksFaultError: 2020 or 2210, there is no address, or none that is one.
    """
    address = to or as_text(as_object(row.body.get("BillEmail")).get("Address"))
    if not address:
        raise faults.required("BillEmail")
    if "@" not in address or "." not in address:
        raise faults.bad_email("BillEmail")
    now = books.now()
    sent: JsonObject = {
        **row.body,
        "EmailStatus": "EmailSent",
        "BillEmail": {"Address": address},
        "DeliveryInfo": {"DeliveryType": "Email", "DeliveryTime": stamp(now, books.zone)},
    }
    row = replace(row, token=row.token + 1, updated=now, body=sent)
    books.keep(ENTITIES[entity], row, "emailed", Origin())
    return books.show(entity, row)


def upload(books: Books, file: Upload, origin: Origin) -> JsonObject:
    """Keep a file; its attachable is new unless the metadata name one that is there.

    Raises:
        QuickBooksFaultError: the metadata are refused; nothing is kept.
    """
    told: JsonObject = {
        "FileName": file.name or "attachment",
        "ContentType": file.content_type,
        **file.metadata,
    }
    operation: WriteOperation = "update" if as_text(told.get("Id")) else "create"
    made = books.write(Write("Attachable", operation, told), origin)
    identifier = as_text(made["Id"])
    books.files.keep(identifier, StoredFile(file.content, file.content_type))
    return books.show("Attachable", books.tables.find("Attachable", identifier))
