"""Carries values back to the sources.

Setting the same values twice is harmless, so a lost answer is repeated. Setting old values after newer ones is not:
no call outlives its deadline, which lies inside the lease, and none is repeated or overtaken before that has passed.
"""

import asyncio
from collections.abc import Mapping
from decimal import Decimal

from counterfoil.dispatch.adapters import kept_apart
from counterfoil.dispatch.ids import bytes_hash, request_id
from counterfoil.dispatch.outbox import Outbox
from counterfoil.dispatch.sender import SendingLimits
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.steps import Step
from counterfoil.planning.types import RECORD_REF
from counterfoil.ports import Clock
from counterfoil.sources import SourceAdapter, SourceError, WriteBack, WriteBackResult
from counterfoil.state.rows import IntentRow
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema import exact_json
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import (
    CallItem,
    CallSent,
    IntentAccepted,
    IntentRejected,
    IntentUncertain,
)
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import split_key


class SourceWriter:
    """Writes to the sources of one company under its lease."""

    def __init__(
        self,
        *,
        session: Session,
        outbox: Outbox,
        adapters: Mapping[str, SourceAdapter],
        limits: SendingLimits,
        clock: Clock,
        instruments: Instruments,
        step: Step,
    ) -> None:
        self._session = session
        self._clock = clock
        self._outbox = outbox
        self._adapters = adapters
        self._limits = limits
        self._instruments = instruments
        self._step = step

    async def write(self, row: IntentRow, *, trace: str | None) -> WriteBackResult:
        """Record, call, record the end.

        Raises:
            LeaseLostError: another process holds the company now.
        """
        planned = await self._outbox.planned(row)
        values = await self._resolved(planned.body.fields())
        item = CallItem(
            intent_id=row.intent_id,
            change=row.change,
            record_key=row.record_key,
            entity=row.entity,
            operation="write_back",
            body=Document.of(row.entity, values),
        )
        body = exact_json.dumps(values)
        identity = request_id(
            company=self._session.company,
            target=row.target,
            record_key=row.record_key,
            operation="write_back",
            body_hash=bytes_hash(body),
            sync_token=None,
            generation=row.generation,
        )
        sent = CallSent(
            request_id=identity,
            target=row.target,
            attempt=row.attempts + 1,
            deadline_seconds=Decimal(str(self._limits.timeout_seconds)),
            items=(item,),
            body_hash=bytes_hash(body),
        )
        with self._instruments.span("counterfoil.write_back", trace, {"target": row.target}) as span:
            # Counted from before the recording, so that the recorded instant bounds it from above.
            deadline = self._session.deadline(self._limits.timeout_seconds, self._limits.margin_seconds)
            await self._session.decide([sent], trace=span.trace)
            self._step("write_back.sent")
            result = await self._call(row, values, identity, deadline)
            self._step("write_back.answered")
            await self._session.decide([self._end(row, item, identity, result)], trace=span.trace)
            self._step("write_back.settled")
        self._instruments.outcome(f"write_back.{result.outcome}")
        return result

    async def _resolved(self, values: JsonObject) -> JsonObject:
        """The values, with the ids of documents in the places of references to them."""
        resolved: JsonObject = {}
        for name, value in values.items():
            key = value.get(RECORD_REF) if isinstance(value, dict) else None
            resolved[name] = value if not isinstance(key, str) else await self._outbox.document_id(key)
        return resolved

    async def _call(self, row: IntentRow, told: JsonObject, identity: str, deadline: float) -> WriteBackResult:
        _, kind, source_id = split_key(row.record_key)
        adapter = self._adapters.get(row.target)
        if adapter is None:
            reason = f"The connection {row.target} is not configured, so {row.record_key} cannot be written back."
            return WriteBackResult(outcome="rejected", reason=reason, fix="Configure it, then retry the record.")
        values = {name: str(value) for name, value in told.items()}
        request = WriteBack(kind=kind, source_id=source_id, values=values, request_id=identity, deadline=deadline)
        left = deadline - self._clock.monotonic()
        if left <= 0:
            return WriteBackResult(outcome="later", reason="The time for it had passed before it left.")
        try:
            async with asyncio.timeout(left):
                return await kept_apart(row.target, adapter.write_back(request))
        except TimeoutError:
            return WriteBackResult(outcome="uncertain", reason=f"{row.target} did not answer in time.")
        except SourceError as trouble:
            return WriteBackResult(
                outcome="later", reason=trouble.message, fix=trouble.remedy, retry_after=trouble.retry_after
            )

    def _end(self, row: IntentRow, item: CallItem, identity: str, result: WriteBackResult) -> Event:
        _, _, source_id = split_key(row.record_key)
        match result.outcome:
            case "accepted":
                return IntentAccepted(
                    change=row.change,
                    record_key=row.record_key,
                    intent_id=row.intent_id,
                    request_id=identity,
                    entity=row.entity,
                    document_id=source_id,
                    sync_token=result.version,
                    document=item.body,
                    how="answered",
                )
            case "uncertain":
                return IntentUncertain(
                    change=row.change,
                    record_key=row.record_key,
                    intent_id=row.intent_id,
                    request_id=identity,
                    reason=result.reason,
                )
            case "rejected" | "later":
                last = result.outcome == "rejected" or row.attempts + 1 >= self._limits.attempts_max
                return IntentRejected(
                    change=row.change,
                    record_key=row.record_key,
                    intent_id=row.intent_id,
                    request_id=identity,
                    code="write-back",
                    kind="park" if last else "retry",
                    reason=result.reason,
                    outside=result.reason,
                    fix=result.fix,
                    then="park" if last else "retry",
                )
