"""The accounting service without HTTP: a call in, an answer out, no waiting in between."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl

from counterfoil.ports import Clock
from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.attachments import uploads_in
from counterfoil.quickbooks.emulator.books import Books, Write, WriteOperation
from counterfoil.quickbooks.emulator.catalog import BY_PATH
from counterfoil.quickbooks.emulator.cdc import LEFT_OUT, changes
from counterfoil.quickbooks.emulator.currencies import rate_on
from counterfoil.quickbooks.emulator.errands import send, upload
from counterfoil.quickbooks.emulator.injection import FaultBoard
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.paper import pdf_of
from counterfoil.quickbooks.emulator.query import parse
from counterfoil.quickbooks.emulator.reports import answer as report
from counterfoil.quickbooks.emulator.requestids import Answer, RequestIds, check_item_id, check_request_id
from counterfoil.quickbooks.emulator.select import answer as select
from counterfoil.quickbooks.emulator.special import write_tax_code
from counterfoil.quickbooks.emulator.stats import Stats
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil.quickbooks.emulator.views import precise_stamp
from counterfoil_schema.exact_json import JsonObject, JsonValue

CallKind = Literal[
    "create", "update", "delete", "void", "read", "query", "cdc", "batch", "report",
    "pdf", "send", "upload", "download", "tax", "unknown",
]  # fmt: skip
WITHOUT_ENTITY = frozenset({"query", "cdc", "batch", "report", "upload", "download", "tax"})
ON_PAPER = frozenset({"CreditMemo", "Estimate", "Invoice", "Payment", "PurchaseOrder", "RefundReceipt", "SalesReceipt"})
WRITES: Mapping[str, WriteOperation] = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "void": "void",
}
RETURNED_MAX = 1000
OK = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the accounting API, understood.

    Attributes:
        tail: what follows the realm in the address, in lower case but for an Id.
        body: the JSON object of a write or a batch; None if there was none that could be read.
        text: the statement of a query.
        raw: the body of an upload.
    """

    kind: CallKind
    tail: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: JsonObject | None = None
    text: str = ""
    raw: bytes = b""

    @property
    def request_id(self) -> str:
        return self.parameters.get("requestid", "")

    @property
    def entity(self) -> str:
        spec = BY_PATH.get(self.tail[0]) if self.tail else None
        return spec.name if spec is not None and self.kind not in WITHOUT_ENTITY else ""

    @property
    def items(self) -> int:
        return len(as_list((self.body or {}).get("BatchItemRequest"))) if self.kind == "batch" else 1


class Service:
    """Answers calls from the books.

    Args:
        batch_items_max: 30 as documented; 10 is what some companies seem to get.
        batch_objects_bound: refuses what goes beyond a thousand objects in the answer to a batch.
        refuse_old_changes: what change data capture does with an instant over 30 days ago.
        shuffle: lets the items of a batch be handled at once, none seeing another: queries are answered before any
            write, and all in an order that this makes; None keeps theirs.
        cdc_leaves_out: kinds of record that change data capture does not tell of.
    """

    def __init__(
        self,
        books: Books,
        request_ids: RequestIds,
        board: FaultBoard,
        stats: Stats,
        clock: Clock,
        *,
        realm_id: str,
        batch_items_max: int,
        shuffle: Callable[[list[JsonValue]], list[JsonValue]] | None,
        refuse_old_changes: bool = False,
        batch_objects_bound: bool = False,
        cdc_leaves_out: frozenset[str] = LEFT_OUT,
    ) -> None:
        self._books = books
        self._request_ids = request_ids
        self._board = board
        self._stats = stats
        self._clock = clock
        self._realm_id = realm_id
        self._batch_items_max = batch_items_max
        self._shuffle = shuffle
        self._refuse_old_changes = refuse_old_changes
        self._batch_objects_bound = batch_objects_bound
        self._cdc_leaves_out = cdc_leaves_out
        self._room = RETURNED_MAX

    def execute(self, call: Call) -> Answer:
        """Do what is asked; a refusal is an answer too."""
        try:
            result = self._dispatch(call)
        except faults.QuickBooksFaultError as fault:
            result = Answer(fault.status, {"Fault": fault.body()})
        if result.content is not None or (call.kind == "report" and not result.is_fault):
            # A report's header has the time.
            return result
        return Answer(result.status, {**result.body, "time": precise_stamp(self._clock.now(), self._books.zone)})

    def _dispatch(self, call: Call) -> Answer:
        if call.kind in WRITES:
            return self._write(call, WRITES[call.kind])
        handlers: Mapping[CallKind, Callable[[Call], Answer]] = {
            "query": self._query,
            "cdc": self._cdc,
            "batch": self._batch,
            "read": self._read,
            "report": self._report,
            "pdf": self._on_paper,
            "send": self._on_paper,
            "upload": self._upload,
            "download": self._download,
            "tax": self._tax_service,
        }
        handler = handlers.get(call.kind)
        if handler is None:
            raise faults.unsupported_operation("/".join(call.tail)[:80])
        return handler(call)

    def _report(self, call: Call) -> Answer:
        self._stats.meter(self._clock.now())
        return Answer(OK, report(self._books, "/".join(call.tail[1:]), call.parameters))

    def _download(self, call: Call) -> Answer:
        link = self._books.files.link(call.tail[1] if len(call.tail) > 1 else "")
        return Answer(OK, {}, content=link.encode())

    def _write(self, call: Call, operation: WriteOperation) -> Answer:
        if not call.entity:
            raise faults.unsupported_operation(f"{operation} {'/'.join(call.tail)[:60]}")
        check_request_id(call.request_id, batch=False)
        if call.body is None:
            raise faults.unsupported_property("the body is not a JSON object")
        include = frozenset(call.parameters.get("include", "").lower().split(","))
        write = Write(call.entity, operation, call.body, include)
        return self._once(write, Origin("api", call.request_id), call.request_id)

    def _tax_service(self, call: Call) -> Answer:
        """Its answer comes without an envelope."""
        check_request_id(call.request_id, batch=False)
        replayed = self._request_ids.recall(call.request_id)
        if replayed is not None:
            return replayed
        if call.body is None:
            raise faults.unsupported_property("the body is not a JSON object")
        try:
            result = Answer(OK, write_tax_code(self._books, call.body, Origin("api", call.request_id)))
            self._stats.writes += 1
        except faults.QuickBooksFaultError as fault:
            result = Answer(fault.status, {"Fault": fault.body()})
        self._request_ids.store(call.request_id, result)
        return result

    def _once(self, write: Write, origin: Origin, key: str) -> Answer:
        """The write, unless its id was answered before."""
        replayed = self._request_ids.recall(key)
        if replayed is not None:
            return replayed
        try:
            self._refuse_on_purpose(write)
            result = Answer(OK, {write.entity: self._books.write(write, origin)})
            self._stats.writes += 1
        except faults.QuickBooksFaultError as fault:
            result = Answer(fault.status, {"Fault": fault.body()})
        self._request_ids.store(key, result)
        return result

    def _refuse_on_purpose(self, write: Write) -> None:
        rule = self._board.hits_write(write.entity, write.operation, write.body)
        if rule is None:
            return
        fault = rule.fault()
        if isinstance(fault, faults.GatewayFaultError):
            # Inside a batch these come in the service's own shape.
            message = f"message={fault.name}; errorCode={fault.number}; statusCode={fault.status}"
            raise faults.QuickBooksFaultError(rule.code, message, fault.detail or "", kind=fault.kind)
        raise fault

    def _read(self, call: Call) -> Answer:
        if not call.entity:
            raise faults.unsupported_operation("/".join(call.tail)[:80])
        if call.entity == "ExchangeRate":
            return self._rate(call)
        identifier = call.tail[1] if len(call.tail) > 1 else ""
        if call.entity == "Preferences" or (call.entity == "CompanyInfo" and identifier == self._realm_id):
            identifier = "1"
        row = self._books.tables.find(call.entity, identifier)
        self._stats.meter(self._clock.now())
        shown = self._books.show(call.entity, row)
        if call.entity == "Invoice" and "invoicelink" in call.parameters.get("include", "").lower().split(","):
            shown["InvoiceLink"] = _link_for_payers(shown)
        return Answer(OK, {call.entity: shown})

    def _rate(self, call: Call) -> Answer:
        """The rate of a currency on a day, today's by default."""
        asked = {name.lower(): value for name, value in call.parameters.items()}
        source = asked.get("sourcecurrencycode", "")
        if not source:
            raise faults.required("sourcecurrencycode")
        row = rate_on(self._books.tables, source.upper(), asked.get("asofdate", ""))
        if row is None:
            raise faults.not_found()
        self._stats.meter(self._clock.now())
        return Answer(OK, {call.entity: self._books.show(call.entity, row)})

    def _on_paper(self, call: Call) -> Answer:
        """A document as a PDF, or sent by e-mail."""
        if call.entity not in ON_PAPER:
            raise faults.unsupported_operation(f"{call.kind} {'/'.join(call.tail)[:60]}")
        row = self._books.tables.find(call.entity, call.tail[1])
        if call.kind == "pdf":
            page = pdf_of(call.entity, self._books.show(call.entity, row))
            return Answer(OK, {}, content=page, content_type="application/pdf")
        check_request_id(call.request_id, batch=False)
        replayed = self._request_ids.recall(call.request_id)
        if replayed is None:
            sent = send(self._books, call.entity, row, call.parameters.get("sendTo", ""))
            replayed = Answer(OK, {call.entity: sent})
            self._request_ids.store(call.request_id, replayed)
        return replayed

    def _upload(self, call: Call) -> Answer:
        """Files, each a new attachable or the new content of one that is there."""
        check_request_id(call.request_id, batch=False)
        replayed = self._request_ids.recall(call.request_id)
        if replayed is not None:
            return replayed
        answers: list[JsonValue] = []
        for file in uploads_in(call.raw):
            try:
                answers.append({"Attachable": upload(self._books, file, Origin("api", call.request_id))})
                self._stats.writes += 1
            except faults.QuickBooksFaultError as fault:
                answers.append({"Fault": fault.body()})
        result = Answer(OK, {"AttachableResponse": answers})
        self._request_ids.store(call.request_id, result)
        return result

    def _query(self, call: Call) -> Answer:
        if not call.text.strip():
            # A query without a statement is answered 200, with a fault inside.
            fault = faults.QuickBooksFaultError(
                "10000",
                "An application error has occurred while processing your request",
                "System Failure Error: query is missing",
                status=OK,
                kind="SystemFault",
            )
            return Answer(OK, {"Fault": fault.body()})
        result = select(parse(call.text), self._books)
        self._stats.meter(self._clock.now())
        return Answer(OK, {"QueryResponse": result})

    def _cdc(self, call: Call) -> Answer:
        group = self._changes(call.parameters.get("entities", ""), call.parameters.get("changedSince", ""))
        return Answer(OK, {"CDCResponse": [group]})

    def _changes(self, entities: str, changed_since: str) -> JsonObject:
        """What changed since an instant; a metered read."""
        group = changes(
            self._books,
            entities,
            changed_since,
            self._clock.now(),
            falsely_deleted=self._board.falsely_deleted(),
            refuse_old=self._refuse_old_changes,
            left_out=self._cdc_leaves_out,
        )
        self._stats.meter(self._clock.now())
        return group

    def _batch(self, call: Call) -> Answer:
        check_request_id(call.request_id, batch=True)
        items = as_list((call.body or {}).get("BatchItemRequest"))
        if not items:
            raise faults.QuickBooksFaultError("2020", "Batch Request is Empty", "Batch Request is Empty")
        if len(items) > self._batch_items_max:
            raise faults.QuickBooksFaultError(
                "1040",
                "Batch too large",
                f"A batch may hold no more than {self._batch_items_max} items. Supplied:{len(items)}",
            )
        ordered = items if self._shuffle is None else sorted(self._shuffle(items), key=_writes)
        self._room = RETURNED_MAX
        answers: list[JsonValue] = [self._item(as_object(item), call.request_id) for item in ordered]
        if self._shuffle is not None:
            answers = self._shuffle(answers)
        return Answer(OK, {"BatchItemResponse": answers})

    def _item(self, item: JsonObject, request_id: str) -> JsonObject:
        # Clients leave the bId out; then there is nothing to tell the answer, or a repetition, by.
        batch_id = as_text(item.get("bId"))
        body: JsonObject
        try:
            body = self._item_body(item, batch_id, request_id)
        except faults.QuickBooksFaultError as fault:
            body = {"Fault": fault.body()}
        if "Fault" in body:
            self._stats.item_faults += 1
        return {**body, "bId": batch_id} if batch_id else body

    def _take_room(self, results: list[JsonObject]) -> None:
        """Count the objects of an answer among those of the whole batch."""
        self._room -= sum(int(as_text(one.get("maxResults", 0))) for one in results)
        if self._room < 0 and self._batch_objects_bound:
            raise faults.too_big(f"A batch may answer no more than {RETURNED_MAX} objects.")

    def _item_body(self, item: JsonObject, batch_id: str, request_id: str) -> JsonObject:
        check_item_id(request_id, batch_id)
        if "Query" in item:
            result = select(parse(as_text(item["Query"])), self._books)
            self._take_room([result])
            self._stats.meter(self._clock.now())
            return {"QueryResponse": result}
        if "ReportQuery" in item:
            # Intuit's schema calls it text and its answer Report; of what it looks like there is no example.
            name, _, asked_for = as_text(item["ReportQuery"]).strip().removeprefix("/").partition("?")
            result = report(self._books, name.removeprefix("reports/"), dict(parse_qsl(asked_for)))
            self._stats.meter(self._clock.now())
            return {"Report": result}
        if "CDCQuery" in item:
            # Its members are those of Intuit's schema; the address of change data capture spells them otherwise.
            asked = as_object(item["CDCQuery"])
            group = self._changes(as_text(asked.get("Entities")), as_text(asked.get("ChangedSince")))
            self._take_room([as_object(one) for one in as_list(group.get("QueryResponse"))])
            return {"CDCResponse": group}
        operation = as_text(item.get("operation")).lower()
        options = as_text(item.get("optionsData")).lower()
        if operation == "update" and options == "void":
            operation = "void"
        named = [(BY_PATH[name.lower()].name, value) for name, value in item.items() if name.lower() in BY_PATH]
        if len(named) != 1 or not isinstance(named[0][1], dict):
            raise faults.required("one entity")
        entity, body = named[0]
        # What does not say is what its Id makes of it.
        operation = operation or ("update" if as_object(body).get("Id") else "create")
        if operation not in WRITES:
            raise faults.unsupported_operation(operation[:40])
        write = Write(entity, WRITES[operation], as_object(body), frozenset(options.split(",")))
        key = f"{request_id}/{batch_id}" if request_id and batch_id else ""
        return self._once(write, Origin("api", request_id, batch_id), key).body


def _writes(item: JsonValue) -> bool:
    return not {"Query", "CDCQuery", "ReportQuery"} & as_object(item).keys()


def _link_for_payers(invoice: JsonObject) -> str:
    """Where a customer pays an invoice online, if it may be paid there and has an address to send the link to."""
    online = any(invoice.get(f"AllowOnline{way}Payment") is True for way in ("CreditCard", "ACH"))
    addressed = bool(as_text(as_object(invoice.get("BillEmail")).get("Address")))
    return f"https://connect.example.com/invoice/{as_text(invoice['Id'])}" if online and addressed else ""
