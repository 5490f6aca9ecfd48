"""The org's event bus over gRPC: GetTopic, GetSchema, Subscribe, with replay ids that nobody can compute."""

import asyncio
import hashlib
import io
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import fastavro
import grpc
import grpc.aio

from counterfoil_adapters.salesforce.emulator.org import Happening, Org
from counterfoil_adapters.salesforce.emulator.schema import ObjectDef
from counterfoil_adapters.salesforce.emulator.sessions import Sessions
from counterfoil_adapters.salesforce.pubsub import wire
from counterfoil_schema.exact_json import JsonValue

RETAINED_MAX = 100_000
BATCH_MAX = 100
LOOK_SECONDS = 0.02
_AVRO = {"boolean": "boolean", "double": "double", "currency": "double", "percent": "double", "int": "int"}


@dataclass(frozen=True, slots=True)
class Retained:
    """An event on the bus; nothing but its order follows from its replay id."""

    object: str
    change: str
    ids: Sequence[str]
    fields: Sequence[str]
    origin: str
    values: dict[str, JsonValue]
    number: int

    @property
    def replay_id(self) -> bytes:
        return (0x4000_0000 + self.number * 7).to_bytes(8, "big")


class EventBus:
    """What is retained, and the server that hands it out."""

    def __init__(self, org: Org, sessions: Sessions) -> None:
        self._org = org
        self._sessions = sessions
        self._events: deque[Retained] = deque(maxlen=RETAINED_MAX)
        self._count = 0
        self._schemas: dict[str, dict[str, Any]] = {}
        self.selected: set[str] | None = None
        """Objects selected for Change Data Capture; None: all."""

    def happen(self, happening: Happening) -> None:
        """A change of a record."""
        actor = happening.actor
        origin = "com/salesforce/api/rest/66.0" if actor.by_api else ""
        if actor.client:
            origin += f";client={actor.client}"
        row = happening.row
        values = {name: row.values.get(name) for name in happening.fields if name in row.values}
        self.put(row.object, happening.change, [row.id], happening.fields, origin, values)

    def put(
        self,
        name: str,
        change: str,
        ids: Sequence[str],
        fields: Sequence[str] = (),
        origin: str = "",
        values: dict[str, JsonValue] | None = None,
    ) -> None:
        """An event: of a change, of a gap, or of an overflow."""
        self._count += 1
        self._events.append(Retained(name, change, list(ids), list(fields), origin, values or {}, self._count))

    def forget(self) -> int:
        """Seventy-two hours pass: nothing is retained any more."""
        count = len(self._events)
        self._events.clear()
        return count

    async def serve(self, stack: AsyncExitStack, host: str) -> str:
        """Listen until the stack closes; the address."""
        server = grpc.aio.server()
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "GetTopic": grpc.unary_unary_rpc_method_handler(
                self._topic, request_deserializer=wire.unpack_text, response_serializer=wire.packed
            ),
            "GetSchema": grpc.unary_unary_rpc_method_handler(
                self._schema, request_deserializer=wire.unpack_text, response_serializer=wire.packed
            ),
            "Subscribe": grpc.stream_stream_rpc_method_handler(
                self._subscribe,
                request_deserializer=wire.FetchRequest.unpack,
                response_serializer=wire.FetchResponse.pack,
            ),
        }
        service = wire.SERVICE.strip("/")
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        port = server.add_insecure_port(f"{host}:0")
        await server.start()
        stack.push_async_callback(server.stop, 0)
        return f"http://{host}:{port}"

    async def _topic(self, topic: str, context: Any) -> list[tuple[int, int | str | bytes]]:
        definition = await self._admitted(topic, context)
        return [(1, topic), (2, self._org.org_id), (4, 1), (5, self._schema_of(definition))]

    async def _schema(self, schema_id: str, context: Any) -> list[tuple[int, int | str | bytes]]:
        await self._signed_in(context)
        if schema_id not in self._schemas:
            await context.abort(grpc.StatusCode.NOT_FOUND, "The requested schema does not exist.")
        return [(1, json.dumps(self._schemas[schema_id])), (2, schema_id)]

    async def _subscribe(
        self, requests: AsyncIterator[wire.FetchRequest], context: Any
    ) -> AsyncIterator[wire.FetchResponse]:
        first = await anext(requests)
        definition = await self._admitted(first.topic, context)
        after = await self._start(first, context)
        wanted = [min(first.wanted, BATCH_MAX)]

        async def listen() -> None:
            async for more in requests:
                wanted[0] += min(more.wanted, BATCH_MAX)

        listening = asyncio.create_task(listen())
        try:
            while True:
                found = [one for one in self._events if one.number > after and one.object == definition.name][
                    : wanted[0]
                ]
                if found:
                    after = found[-1].number
                    wanted[0] -= len(found)
                    events = [self._shown(definition, one) for one in found]
                    yield wire.FetchResponse(events, found[-1].replay_id, wanted[0])
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            listening.cancel()

    async def _start(self, request: wire.FetchRequest, context: Any) -> int:
        if request.preset == wire.EARLIEST:
            return 0
        if request.preset == wire.LATEST:
            return self._count
        known = {one.replay_id: one.number for one in self._events}
        if request.replay_id not in known:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                "The Replay ID validation failed. Ensure that the Replay ID is valid.",
            )
        return known[request.replay_id]

    async def _signed_in(self, context: Any) -> None:
        told = dict(context.invocation_metadata())
        if not self._sessions.opens(str(told.get("accesstoken"))) or told.get("tenantid") != self._org.org_id:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "The session is invalid or expired.")

    async def _admitted(self, topic: str, context: Any) -> ObjectDef:
        await self._signed_in(context)
        name = topic.removeprefix("/data/").removesuffix("ChangeEvent")
        definition = self._org.definition(name + "c" if name.endswith("__") else name)
        if definition is None or (self.selected is not None and definition.name not in self.selected):
            await context.abort(
                grpc.StatusCode.NOT_FOUND, f"The topic {topic} does not exist, or you have no access to it."
            )
            raise AssertionError("abort raises")
        return definition

    def _schema_of(self, definition: ObjectDef) -> str:
        fields: list[dict[str, Any]] = [{"name": "ChangeEventHeader", "type": _HEADER}]
        fields += [
            {"name": one.name, "type": ["null", _AVRO.get(one.type, "string")], "default": None}
            for one in definition.fields.values()
            if one.name not in {"Id", "IsDeleted", "SystemModstamp"}
        ]
        name = definition.name.removesuffix("c") if definition.name.endswith("__c") else definition.name
        schema = {"type": "record", "name": f"{name}ChangeEvent", "namespace": "com.sforce.eventbus", "fields": fields}
        schema_id = hashlib.sha256(json.dumps(schema).encode()).hexdigest()[:22]
        self._schemas[schema_id] = schema
        return schema_id

    def _shown(self, definition: ObjectDef, event: Retained) -> wire.ConsumerEvent:
        schema_id = self._schema_of(definition)
        schema = self._schemas[schema_id]
        places = {str(one["name"]): place for place, one in enumerate(schema["fields"])}
        types = {str(one["name"]): one["type"] for one in schema["fields"]}
        bits = sum(1 << places[name] for name in event.fields if name in places)
        header = {
            "entityName": event.object,
            "recordIds": list(event.ids),
            "changeType": event.change,
            "changeOrigin": event.origin,
            "transactionKey": f"{event.number:08x}-0000-0000-0000-000000000000",
            "sequenceNumber": 1,
            "commitTimestamp": int(self._org.now().timestamp() * 1000),
            "commitNumber": event.number,
            "commitUser": self._org.integration,
            "nulledFields": [],
            "diffFields": [],
            "changedFields": [f"0x{bits:0{(len(places) + 7) // 8 * 2}x}"] if bits else [],
        }
        body: dict[str, Any] = dict.fromkeys(places)
        body["ChangeEventHeader"] = header
        for name, value in event.values.items():
            if name in types and value is not None:
                body[name] = _as(types[name][1], value)
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, body)
        return wire.ConsumerEvent(schema_id, out.getvalue(), event.replay_id)


def _as(kind: str, value: JsonValue) -> object:
    match kind:
        case "double":
            return float(str(value))
        case "int":
            return int(str(value))
        case "boolean":
            return value is True
        case _:
            return str(value)


_TYPES = (
    *("CREATE", "UPDATE", "DELETE", "UNDELETE", "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE"),
    "GAP_OVERFLOW",
)
_TEXTS = {"type": "array", "items": "string"}
_HEADER: dict[str, Any] = {
    "type": "record",
    "name": "ChangeEventHeader",
    "fields": [
        {"name": "entityName", "type": "string"},
        {"name": "recordIds", "type": _TEXTS},
        {"name": "changeType", "type": {"type": "enum", "name": "ChangeType", "symbols": list(_TYPES)}},
        {"name": "changeOrigin", "type": "string"},
        {"name": "transactionKey", "type": "string"},
        {"name": "sequenceNumber", "type": "int"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "commitNumber", "type": "long"},
        {"name": "commitUser", "type": "string"},
        {"name": "nulledFields", "type": _TEXTS},
        {"name": "diffFields", "type": _TEXTS},
        {"name": "changedFields", "type": _TEXTS},
    ],
}
