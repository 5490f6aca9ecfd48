"""The contract of webhooks and of values written back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from counterfoil.sources import (
    BadSignatureError,
    MalformedDeliveryError,
    Seen,
    SourceAdapter,
    WebhookRequest,
)
from counterfoil.testing.sources.bench import HastyClock
from counterfoil.testing.sources.breaking import refused_for_now
from counterfoil.testing.sources.proxy import FaultProxy, Strike
from counterfoil.testing.sources.reading import expect, last_of, written
from counterfoil.testing.sources.stage import Stage, Staged, capable, fresh, needed

LATE = timedelta(days=1)
WRITES_MAX = 5


class HearingContract(Staged):
    """What a source owes to deliveries and write-backs."""

    async def test_a_delivery_hints_at_its_record(self, tmp_path: Path) -> None:
        capable(self.has_webhooks, "has_webhooks")
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            deliver = needed(stage.deliver, "deliver")
            kind, source_id = stage.any_id()
            delivery = adapter.receive(deliver(kind, source_id))
            expect(delivery.delivery_id, "a delivery has no id to tell its repetition by")
            hinted = {(hint.kind, hint.source_id) for hint in delivery.hints}
            expect((kind, source_id) in hinted, f"a delivery about {kind} {source_id} hints at {hinted or 'nothing'}")

    async def test_a_repeated_delivery_is_told_and_another_is_not_taken_for_it(self, tmp_path: Path) -> None:
        capable(self.has_webhooks, "has_webhooks")
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            deliver = needed(stage.deliver, "deliver")
            ids = [(kind, source_id) for kind, all_ids in stage.readable.items() for source_id in all_ids][:2]
            sent = [deliver(*record) for record in ids]
            there = [adapter.receive(request) for request in sent]
            back = [adapter.receive(request) for request in reversed(sent)]
            expect(there == back[::-1], "a delivery says something else when it comes again, or in another order")
            expect(
                len({delivery.delivery_id for delivery in there}) == len(sent),
                "two deliveries about two records bear one id: the second would be dropped as a repetition",
            )

    async def test_a_bad_signature_is_refused(self, tmp_path: Path) -> None:
        capable(self.has_webhooks, "has_webhooks")
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            deliver = needed(stage.deliver, "deliver")
            good = deliver(*stage.any_id())
            adapter.receive(good)
            if self.signs_bodies:
                other = good.body.replace(b"1", b"2", 1) if b"1" in good.body else good.body + b" "
                for body in (good.body + b" ", other, b"{}", b""):
                    self._refused(adapter, replace(good, body=body), "another body under the same signature")
            self._refused(adapter, replace(good, headers={}), "no headers")
            bare = {name: value for name, value in good.headers.items() if not _is_secret(value, good)}
            self._refused(adapter, replace(good, headers=bare), "no signature")
            for name, value in good.headers.items():
                if _is_secret(value, good):
                    self._refused(
                        adapter, replace(good, headers={**good.headers, name: _other(value)}), f"another {name}"
                    )

    async def test_an_old_delivery_is_refused(self, tmp_path: Path) -> None:
        capable(self.has_webhooks, "has_webhooks")
        capable(self.has_delivery_ages, "has_delivery_ages")
        async with self.stage(tmp_path) as stage, stage.opened(clock=HastyClock(LATE)) as adapter:
            deliver = needed(stage.deliver, "deliver")
            self._refused(adapter, deliver(*stage.any_id()), "an age of a day")

    async def test_a_signed_body_that_is_nonsense_is_malformed(self, tmp_path: Path) -> None:
        capable(self.has_webhooks, "has_webhooks")
        async with self.stage(tmp_path) as stage, stage.opened() as adapter:
            good = needed(stage.deliver, "deliver")(*stage.any_id())
            for body in (b"[" * 100_000, b"\xff\xfe", b"null"):
                try:
                    adapter.receive(replace(good, body=body))
                except (BadSignatureError, MalformedDeliveryError):
                    continue
                raise AssertionError(f"a delivery of {body[:10]!r} was accepted")

    def _refused(self, adapter: SourceAdapter, request: WebhookRequest, what: str) -> None:
        try:
            adapter.receive(request)
        except BadSignatureError:
            return
        raise AssertionError(f"a delivery with {what} was accepted")

    async def test_a_webhook_before_its_record_can_be_read(self, tmp_path: Path) -> None:
        capable(self.has_webhooks, "has_webhooks")
        async with self.proxied(tmp_path) as (stage, proxy):
            deliver = needed(stage.deliver, "deliver")
            kind, source_id = stage.any_id()
            async with stage.opened(proxy.url) as adapter:
                (hint, *_) = adapter.receive(deliver(kind, source_id)).hints
                await refused_for_now(adapter, proxy, hint.kind, hint.source_id)
                proxy.calm()
                later = await adapter.read(hint.kind, hint.source_id)
                expect(isinstance(later[-1], Seen), f"{kind} {source_id} can be read now, and is not")

    async def test_values_are_written_back_and_known_again(self, tmp_path: Path) -> None:
        capable(self.has_write_back, "has_write_back")
        async with self.proxied(tmp_path) as (stage, proxy):
            kind, source_id, values = needed(stage.writable, "writable")
            async with stage.opened(proxy.url) as adapter:
                result = await written(adapter, kind, source_id, values)
                expect(result.outcome == "accepted", f"writing back ended {result}")
                self._holds(stage, kind, source_id, values)
                read = last_of(await adapter.read(kind, source_id)).get((kind, source_id))
                raw = read.raw if isinstance(read, Seen) else ""
                expect(
                    adapter.same_values(kind, values, raw), "what was just written back is taken for somebody's edit"
                )
                name, value = next(iter(values.items()))
                other = {**values, name: f"{value}7"}
                expect(not adapter.same_values(kind, other, raw), "somebody's edit is taken for our own echo")

    async def test_a_write_back_lost_after_its_effect_is_not_called_refused(self, tmp_path: Path) -> None:
        capable(self.has_write_back, "has_write_back")
        for number, strike in enumerate((Strike(reset=True), Strike(cut=True), Strike(status=None, body=b"<html>"))):
            async with self.proxied(fresh(tmp_path, number)) as (stage, proxy):
                kind, source_id, values = needed(stage.writable, "writable")
                async with stage.opened(proxy.url) as adapter:
                    proxy.next_write(strike)
                    result = await written(adapter, kind, source_id, values)
                    expect(
                        result.outcome in {"uncertain", "accepted"},
                        f"the source took the values, the answer was lost, and the end is called {result.outcome}",
                    )
                    self._holds(stage, kind, source_id, values)
                    proxy.calm()
                    again = await written(adapter, kind, source_id, values)
                    expect(again.outcome == "accepted", f"the repetition of a lost write-back ended {again}")
                    expect(proxy.writes <= WRITES_MAX, f"a repetition took {proxy.writes} writes")
                    self._holds(stage, kind, source_id, values)

    async def test_a_source_that_refuses_or_breaks_is_told_by_the_result(self, tmp_path: Path) -> None:
        capable(self.has_write_back, "has_write_back")
        for status in (400, 401, 403, 404, 409, 422, 429, 500, 503):
            async with self.proxied(fresh(tmp_path, status)) as (stage, proxy):
                await self._written_under(stage, proxy, status)

    async def _written_under(self, stage: Stage, proxy: FaultProxy, status: int) -> None:
        kind, source_id, values = needed(stage.writable, "writable")
        proxy.always(Strike(status=status, body=b'{"message": "no"}'))
        async with stage.opened(proxy.url) as adapter:
            result = await written(adapter, kind, source_id, values)
        expect(result.outcome != "accepted", f"a {status} passes for success")
        told = result.outcome != "rejected" or (result.reason and result.fix)
        expect(told, f"a {status} is a refusal without reason or fix")
        if status in {429, 500, 503}:
            expect(result.outcome != "rejected", f"a {status} passes by itself, and was called a refusal")

    def _holds(self, stage: Stage, kind: str, source_id: str, values: Mapping[str, str]) -> None:
        if stage.held is None:
            return
        held = stage.held(kind, source_id)
        expect(
            all(held.get(name) == value for name, value in values.items()),
            f"{kind} {source_id} holds {dict(held)}, not {dict(values)}",
        )


SECRET_CHARACTERS = 20
PLAIN = ("application/", "text/", "Mozilla/")


def _is_secret(value: str, request: WebhookRequest) -> bool:
    """A header that can be a signature or a password: long, and no part of the request itself."""
    return len(value) >= SECRET_CHARACTERS and value not in request.url and not value.startswith(PLAIN)


def _other(value: str) -> str:
    """The same with its last letter or digit changed."""
    at = max(index for index, letter in enumerate(value) if letter.isalnum())
    return value[:at] + ("B" if value[at] == "A" else "A") + value[at + 1 :]
