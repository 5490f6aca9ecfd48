"""Draws what has come in on a topic since a place in its stream, and leaves it again."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import grpc
import grpc.aio

from counterfoil.errors import ConfigurationError
from counterfoil.sources.port import SourceError
from counterfoil_adapters.salesforce.pubsub.events import read_event
from counterfoil_adapters.salesforce.pubsub.wire import (
    CUSTOM,
    EARLIEST,
    SERVICE,
    FetchRequest,
    FetchResponse,
    MalformedMessageError,
    pack_text,
    unpack_text,
)
from counterfoil_adapters.salesforce.session import Session
from counterfoil_adapters.salesforce.telling import ChangeEvent, Drawn, ReplayLostError

BATCH = 100
"""Salesforce counts more than a hundred as a hundred."""

BATCHES_MAX = 100
AGAIN_SECONDS = 30.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class EventBus:
    """The Pub/Sub API at one address.

    Args:
        url: `https://api.pubsub.salesforce.com:7443`; in the clear (`http://`) on this machine only.
        quiet_seconds: nothing for so long means that nothing more is there: Salesforce says so only after minutes.

    Raises:
        ConfigurationError: an address that cannot be used.
    """

    def __init__(self, url: str, timeout_seconds: float, quiet_seconds: float) -> None:
        parts = urlsplit(url)
        if not parts.hostname or (parts.scheme != "https" and parts.hostname not in LOOPBACK):
            raise ConfigurationError(
                f"pubsub_url {url} is no https address.", remedy="Use https://api.pubsub.salesforce.com:7443."
            )
        self._target = parts.netloc
        self._secure = parts.scheme == "https"
        self._timeout = timeout_seconds
        self._quiet = quiet_seconds
        self._schemas: dict[str, Mapping[str, Any]] = {}

    async def draw(self, session: Session, topic: str, after: bytes | None) -> AsyncIterator[Drawn]:
        """Events of a topic in batches, from behind a place; all that is retained where there is none.

        Raises:
            ReplayLostError: the place is not known any more.
            SourceError: the API cannot be reached, or refuses.
        """
        for last in (False, True):
            token = await session.token()
            metadata = (
                ("accesstoken", token.get_secret_value()),
                ("instanceurl", session.instance),
                ("tenantid", session.org_id),
            )
            try:
                async with self._channel() as channel:
                    async for drawn in self._drawn(channel, metadata, topic, after):
                        yield drawn
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                    # Said before anything was drawn: another token, and once more.
                    session.forget(token)
                    if not last:
                        continue
                raise _understood(error, topic) from error
            except (TimeoutError, MalformedMessageError) as error:
                raise SourceError(f"Salesforce's event stream {topic} broke off.", retry_after=AGAIN_SECONDS) from error
            return

    def _channel(self) -> grpc.aio.Channel:
        if self._secure:
            return grpc.aio.secure_channel(self._target, grpc.ssl_channel_credentials())
        return grpc.aio.insecure_channel(self._target)

    async def _drawn(
        self, channel: grpc.aio.Channel, metadata: Sequence[tuple[str, str]], topic: str, after: bytes | None
    ) -> AsyncIterator[Drawn]:
        # Asked first, because it tells at once of a refused token or topic, where a subscription may be silent.
        about = channel.unary_unary(
            SERVICE + "GetTopic", request_serializer=pack_text, response_deserializer=unpack_text
        )
        await about(topic, metadata=metadata, timeout=self._timeout)
        subscribe = channel.stream_stream(
            SERVICE + "Subscribe", request_serializer=FetchRequest.pack, response_deserializer=FetchResponse.unpack
        )
        call = subscribe(metadata=metadata, timeout=self._timeout)
        try:
            await call.write(FetchRequest(topic, BATCH, CUSTOM if after else EARLIEST, after or b""))
            for _ in range(BATCHES_MAX):
                try:
                    response = await asyncio.wait_for(call.read(), self._quiet)
                except TimeoutError:
                    return
                if not isinstance(response, FetchResponse):
                    # The stream's end; if it ended badly, its code is raised here.
                    await _raise_for(call)
                    return
                events = [await self._read(channel, metadata, one.schema_id, one.payload) for one in response.events]
                place = response.latest_replay_id or (response.events[-1].replay_id if response.events else b"")
                if place:
                    yield Drawn(events, place)
                if not response.events:
                    return
                if not response.pending:
                    await call.write(FetchRequest(topic, BATCH))
        finally:
            call.cancel()

    async def _read(
        self, channel: grpc.aio.Channel, metadata: Sequence[tuple[str, str]], schema_id: str, payload: bytes
    ) -> ChangeEvent:
        if schema_id not in self._schemas:
            ask = channel.unary_unary(
                SERVICE + "GetSchema", request_serializer=pack_text, response_deserializer=unpack_text
            )
            text = await ask(schema_id, metadata=metadata, timeout=self._timeout)
            schema = json.loads(text) if text else None
            if not isinstance(schema, dict) or not isinstance(schema.get("fields"), list):
                raise SourceError(f"Salesforce's schema {schema_id} is none.", retry_after=AGAIN_SECONDS)
            self._schemas[schema_id] = schema
        return read_event(payload, self._schemas[schema_id])


async def _raise_for(call: "grpc.aio.StreamStreamCall[FetchRequest, FetchResponse]") -> None:
    code = await call.code()
    if code is not grpc.StatusCode.OK:
        raise grpc.aio.AioRpcError(
            code, await call.initial_metadata(), await call.trailing_metadata(), details=await call.details()
        )


def _understood(error: grpc.aio.AioRpcError, topic: str) -> SourceError:
    words = f"Salesforce's event stream {topic}: {(error.details() or error.code().name)[:300]}"
    match error.code():
        case grpc.StatusCode.INVALID_ARGUMENT if "replay" in (error.details() or "").lower():
            return ReplayLostError(words, retry_after=AGAIN_SECONDS)
        case grpc.StatusCode.NOT_FOUND | grpc.StatusCode.PERMISSION_DENIED | grpc.StatusCode.INVALID_ARGUMENT:
            name = topic.rpartition("/")[2].removesuffix("ChangeEvent")
            fix = f"Select {name} under Change Data Capture in Salesforce's Setup, and let the user read it."
            return SourceError(words, remedy=fix)
        case _:
            return SourceError(words, retry_after=AGAIN_SECONDS)
