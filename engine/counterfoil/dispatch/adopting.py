"""A person says which document of the books stands for a record: it is read, judged, and linked. Nothing is written."""

from counterfoil.dispatch.books import Books, BooksUnreadableError, Shown
from counterfoil.dispatch.view import ViewLoader
from counterfoil.planning.ownership import ENTITIES
from counterfoil.state.onboarding import LISTS
from counterfoil.state.rows import DocumentRow, LinkRow, RecordRow, RequestRow
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import Document
from counterfoil_schema.events.decisions import RecordAdopted
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Employee

KINDS = ("customer", "vendor", "employee", "product", "invoice")
"""Kinds of record for which a document that was in the books before can stand."""

BY_HAND = "a person named it"


class Adopter:
    """Decides which documents stand for which records, where operators say so."""

    def __init__(self, *, company: int, store: StateStore, view: ViewLoader, books: Books) -> None:
        self._company = company
        self._store = store
        self._view = view
        self._books = books

    async def adopt(self, request: RequestRow) -> RecordAdopted | str:
        """The adoption, or in words why there can be none."""
        entity, _, document_id = (request.document or "").partition(":")
        record = await self._store.one(RecordRow, self._company, request.record_key)
        before = await self._who_left(request, entity, document_id)
        problem = _unfit(request.record_key, record, entity) or await self._taken(request, entity, document_id, before)
        if problem:
            return problem
        try:
            shown = await self._books.read(entity, [document_id], "live")
        except BooksUnreadableError as unreadable:
            return f"QuickBooks could not be asked for {entity} {document_id}: {unreadable} Ask again."
        found = next((one for one in shown if one.document_id == document_id), None)
        if found is None or found.status != "live":
            return f"QuickBooks has no {entity} {document_id}."
        if found.document.get("Active") is False and before is None:
            return f"{entity} {document_id} is inactive in QuickBooks; make it active there first."
        return await self._adopted(request, record, found)

    async def _who_left(self, request: RequestRow, entity: str, document_id: str) -> str | None:
        """Whose an entry of a list is, where they are gone at their source: it may go on under a new id."""
        document = await self._store.one(DocumentRow, self._company, entity, document_id)
        owner = document.record_key if document is not None and entity in LISTS else None
        if owner is None or owner == request.record_key:
            return None
        row = await self._store.one(RecordRow, self._company, owner)
        if row is not None and row.removed:
            return owner
        record = await self._view.run(owner, lambda view: view.record(owner))
        return owner if isinstance(record, Employee) and not record.active else None

    async def _taken(self, request: RequestRow, entity: str, document_id: str, who_left: str | None) -> str:
        """Why the two cannot be linked, as far as the links say so."""
        link = await self._store.one(LinkRow, self._company, request.record_key)
        if link is not None and link.status == "live":
            return f"{link.entity} {link.document_id} stands for {request.record_key} already."
        document = await self._store.one(DocumentRow, self._company, entity, document_id)
        if document is not None and document.record_key not in {None, request.record_key, who_left}:
            return f"{entity} {document_id} stands for {document.record_key} already."
        return ""

    async def _adopted(self, request: RequestRow, record: RecordRow | None, found: Shown) -> RecordAdopted:
        fields, token = found.document, found.document.get("SyncToken")
        name = _text(fields, "DisplayName") or _text(fields, "Name")
        return RecordAdopted(
            record_key=request.record_key,
            person=await self._party(request.record_key) if record is not None and record.kind == "invoice" else None,
            entity=found.entity,
            document_id=found.document_id,
            sync_token=token if isinstance(token, str) else None,
            document=Document.of(found.entity, fields),
            doc_number=_text(fields, "DocNumber") or None,
            name_key=await self._view.name_key(name) if name and found.entity in LISTS else None,
            why=BY_HAND,
            author=request.author,
        )

    async def _party(self, record_key: str) -> str | None:
        """Whose data an invoice bears."""
        record = await self._view.run(record_key, lambda view: view.record(record_key))
        customer = getattr(record, "customer", None)
        return customer if isinstance(customer, str) else None


def _unfit(record_key: str, record: RecordRow | None, entity: str) -> str:
    """Why nothing of that entity can stand for the record."""
    if record is None or record.removed:
        return f"{record_key} is not there at its source."
    if record.kind not in KINDS:
        return f"{record_key} is a {record.kind}: nothing that is in the books already can stand for one."
    wanted = ENTITIES[record.kind]
    return "" if entity == wanted else f"{record_key} is a {record.kind}: only {wanted} can stand for it, not {entity}."


def _text(fields: JsonObject, name: str) -> str:
    value = fields.get(name)
    return value.strip() if isinstance(value, str) else ""
