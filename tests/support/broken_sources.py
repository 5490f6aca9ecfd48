"""Tillbook's adapter with one defect each: what the source contract must catch."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, cast

from counterfoil import sources
from counterfoil.sources import Page, Removed, Seen, SourceChange, SourceContext, SourceError, Unreadable
from counterfoil.sources.http import HttpAnswer
from counterfoil.sources.since import Since
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Customer, InvoiceLine
from third_party.tillbook.stub import BEGIN
from third_party.tillbook.tillbook import Tillbook


class Edited(Tillbook):
    """A Tillbook whose changes pass through one more hand."""

    def edited(self, change: SourceChange) -> SourceChange | None:
        return change

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        async for page in super().changes(kind, cursor):
            kept = [one for one in map(self.edited, page.changes) if one is not None]
            yield replace(page, changes=kept)


class LosesOne(Edited):
    def edited(self, change: SourceChange) -> SourceChange | None:
        return None if change.source_id == "s5" else change


class HidesBadRows(Edited):
    def edited(self, change: SourceChange) -> SourceChange | None:
        return None if isinstance(change, Unreadable) else change


class AlwaysNew(Edited):
    """Versions that differ from reading to reading."""

    count = 0

    def edited(self, change: SourceChange) -> SourceChange | None:
        type(self).count += 1
        return replace(change, version=f"v{self.count}") if isinstance(change, Seen) else change


class OneVersion(Edited):
    def edited(self, change: SourceChange) -> SourceChange | None:
        return replace(change, version="1") if isinstance(change, Seen) else change


class HidesDeletions(Edited):
    def edited(self, change: SourceChange) -> SourceChange | None:
        return None if isinstance(change, Removed) else change

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        found = await super().read(kind, source_id)
        if isinstance(found[-1], Removed):
            raise SourceError("It is not shown.", retry_after=30)
        return found


class ForgetsTheWinner(Edited):
    def edited(self, change: SourceChange) -> SourceChange | None:
        return replace(change, merged_into=None) if isinstance(change, Removed) else change

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        return [one for one in map(self.edited, await super().read(kind, source_id)) if one is not None]


class RunsAhead(Tillbook):
    """Each page bears the cursor of the last one."""

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        pages = [page async for page in super().changes(kind, cursor)]
        for page in pages:
            yield replace(page, cursor=pages[-1].cursor)


class MissesWhatIsAbsent(Tillbook):
    """Takes absence for deletion."""

    known: ClassVar[dict[str, set[str]]] = {}

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        del cursor
        pages = [page async for page in super().changes(kind, None)]
        here = {change.source_id for page in pages for change in page.changes}
        gone = self.known.setdefault(self._settings.base_url + kind, set()) - here
        self.known[self._settings.base_url + kind] = here
        removed = [Removed(kind=kind, source_id=one, evidence="absent") for one in sorted(gone)]
        for page in pages:
            yield replace(page, changes=[*page.changes, *removed]) if page.done else page


class ReadsOtherwise(Tillbook):
    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        found = await super().read(kind, source_id)
        return [replace(change, version="alone") for change in found if isinstance(change, Seen)]


class Offset(Tillbook):
    """Pages by counting rows, while rows move."""

    async def _fetch(self, kind: str, since: datetime | None, after: str | None) -> sources.Rows:
        per, at = self._settings.page_rows, int(after or 0)
        params = {"per": "10000", "since": str(since or "")}
        answer = (await self._http.request("GET", f"/v1/{kind}s", params=params)).object()
        rows = sources.rows_of(answer, "items", "Tillbook")
        return sources.Rows(rows[at : at + per], str(at + per) if at + per < len(rows) else None)


class Exclusive(Tillbook):
    """Goes on behind the newest instant, not at it."""

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        place = Since.parse(cursor)
        if place.after is None and place.newest is not None:
            cursor = replace(place, newest=place.newest + timedelta(seconds=31)).text()  # past the overlap
        async for page in super().changes(kind, cursor):
            yield page


class Snapshot(Tillbook):
    """Reads what was there at the beginning, and goes on behind what is there at the end."""

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        pages = [page async for page in super().changes(kind, cursor)]
        for page in pages[:-1]:
            yield page
        newest, after = Since.parse(pages[-1].cursor).newest or BEGIN, None
        while True:
            got = await super()._fetch(kind, None, after)
            newest = max([newest, *(datetime.fromisoformat(str(row["changed"])) for row in got.rows)])
            after = got.after
            if after is None:
                break
        late = Since(newest=newest + timedelta(seconds=31))
        yield replace(pages[-1], cursor=late.text())


class OwnClock(Tillbook):
    """Goes on from the time on its own clock."""

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        async for page in super().changes(kind, cursor):
            newest = Since(newest=self._context.clock.now()).text()
            yield replace(page, cursor=newest) if page.done else page


class AnybodysRecords(Tillbook):
    def _change(self, kind: str, row: JsonObject) -> SourceChange:
        return super()._change(kind, {**row, "stall": self._settings.stall})


class Http:
    """A client of one's own, such as one writes in a hurry: what goes wrong passes for nothing."""

    def __init__(
        self, adapter: Tillbook, *, quiet: frozenset[int], lenient: bool = False, hopeless: bool = False
    ) -> None:
        self._real = adapter._http
        self._quiet = quiet
        self._lenient = lenient
        self._hopeless = hopeless

    async def request(self, method: str, path: str, **more: Any) -> HttpAnswer:
        nothing = HttpAnswer(200, {}, b'{"items": [], "next": null}')
        try:
            answer = await self._real.request(method, path, **{**more, "expect": {200, 404, *self._quiet}, "tries": 1})
        except SourceError as error:
            if self._lenient:
                return nothing
            raise SourceError(error.message) if self._hopeless else error from None
        if answer.status in self._quiet:
            return nothing
        if self._lenient and b'"items"' not in answer.body and b'"id"' not in answer.body:
            return nothing
        return answer


def hurried(name: str, **how: Any) -> type[Tillbook]:
    """An adapter with a client of its own."""

    def begin(self: Tillbook, context: SourceContext) -> None:
        Tillbook.__init__(self, context)
        self._http = cast("sources.SourceHttp", Http(self, **how))

    return type(name, (Tillbook,), {"__init__": begin})


Swallows401 = hurried("Swallows401", quiet=frozenset({401}))
Swallows429 = hurried("Swallows429", quiet=frozenset({429}))
Swallows5xx = hurried("Swallows5xx", quiet=frozenset({500, 502, 503, 504}))
Lenient = hurried("Lenient", quiet=frozenset(), lenient=True)
Hopeless = hurried("Hopeless", quiet=frozenset(), hopeless=True)


class Impatient(Tillbook):
    """Asks again at once, however long it was told to wait."""

    async def _fetch(self, kind: str, since: datetime | None, after: str | None) -> sources.Rows:
        clock = self._context.clock
        real, self._http._clock = clock, cast("Any", _Sleepless(clock))
        try:
            return await super()._fetch(kind, since, after)
        finally:
            self._http._clock = real


class _Sleepless:
    def __init__(self, clock: Any) -> None:
        self.now, self.monotonic = clock.now, clock.monotonic

    async def sleep(self, seconds: float) -> None:
        del seconds


class NotFoundIsGone(Tillbook):
    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        try:
            return await super().read(kind, source_id)
        except SourceError:
            return [Removed(kind=kind, source_id=source_id, evidence="404")]


class MakesItUp(Tillbook):
    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        try:
            return await super().read(kind, source_id)
        except SourceError:
            return [Seen(kind=kind, source_id=source_id, version="0", record=Customer(name="?"), raw="{}")]


class NeverAgain(Tillbook):
    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        try:
            return await super().read(kind, source_id)
        except SourceError as error:
            raise SourceError(error.message) from None


class Trusting(Tillbook):
    """Believes that each field is there, and is what it always was."""

    def _client(self, row: sources.Fields) -> Customer:
        cast("str", row.row["name"]).strip()
        cast("str", row.row["email"] or "").strip()
        return super()._client(row)


class Choosy(Edited):
    """Leaves out what lacks a field, in silence."""

    def edited(self, change: SourceChange) -> SourceChange | None:
        return None if isinstance(change, Unreadable) and change.source_id not in {"c9", "sx"} else change


class Strict(Tillbook):
    """Refuses fields that it does not know."""

    def _client(self, row: sources.Fields) -> Customer:
        if row.row.keys() - {"id", "name", "email", "stall", "changed", "gone", "merged_into", "books"}:
            raise sources.FieldError("an unknown field")
        return super()._client(row)


class TextOnly(Tillbook):
    """Takes amounts only in the one form."""

    def _sale(self, row: sources.Fields) -> Any:
        for line in row.rows("lines"):
            if not isinstance(line.row.get("price"), str):
                raise sources.FieldError("price is no text")
        return super()._sale(row)


class Floats(Tillbook):
    def _sale(self, row: sources.Fields) -> Any:
        record = super()._sale(row)
        return record.model_copy(update={"lines": tuple(map(_floating, record.lines))})


def _floating(line: InvoiceLine) -> InvoiceLine:
    return line.model_copy(update={"unit_price": Decimal(str(float(line.unit_price)))})


class AsciiOnly(Tillbook):
    def _client(self, row: sources.Fields) -> Customer:
        record = super()._client(row)
        return record.model_copy(update={"name": record.name.encode("ascii", "ignore").decode()})


class FallsOverOddText(Tillbook):
    def _client(self, row: sources.Fields) -> Customer:
        if "\u202e" in str(row.row.get("name")):
            raise ValueError("odd")
        return super()._client(row)


class StopsAtHugeText(Tillbook):
    def _change(self, kind: str, row: JsonObject) -> SourceChange:
        if len(str(row.get("name"))) > 100_000:
            raise SourceError("A name is too long.")
        return super()._change(kind, row)


class OpenDoor(Tillbook):
    def receive(self, request: sources.WebhookRequest) -> sources.Delivery:
        return sources.Delivery(delivery_id=sources.delivery_id(request.body), hints=())


class SignsOnlyTheTime(Tillbook):
    """Takes any body under a signature that it saw."""

    seen: ClassVar[set[str]] = set()

    def receive(self, request: sources.WebhookRequest) -> sources.Delivery:
        given = request.headers.get("x-tillbook-signature", "")
        try:
            found = super().receive(request)
        except sources.BadSignatureError:
            if given in self.seen:
                return sources.Delivery(delivery_id="again", hints=())
            raise
        self.seen.add(given)
        return found


class NoHints(Tillbook):
    def receive(self, request: sources.WebhookRequest) -> sources.Delivery:
        return replace(super().receive(request), hints=())


class OneDeliveryId(Tillbook):
    def receive(self, request: sources.WebhookRequest) -> sources.Delivery:
        return replace(super().receive(request), delivery_id="1")


class Ageless(Tillbook):
    def receive(self, request: sources.WebhookRequest) -> sources.Delivery:
        time = request.headers.get("x-tillbook-time", "")
        expected = sources.sign(self._settings.webhook_secret, time.encode() + b"." + request.body)
        sources.check_signature(request.headers.get("x-tillbook-signature"), expected, "Tillbook")
        return sources.Delivery(delivery_id=time, hints=())


class Raises(Tillbook):
    async def write_back(self, request: sources.WriteBack) -> sources.WriteBackResult:
        result = await super().write_back(request)
        if result.outcome != "accepted" or not request.values:
            raise ValueError("not accepted")
        return result


class RefusesInSilence(Tillbook):
    async def write_back(self, request: sources.WriteBack) -> sources.WriteBackResult:
        del request
        return sources.WriteBackResult(outcome="rejected")


class CallsLostRefused(Tillbook):
    async def write_back(self, request: sources.WriteBack) -> sources.WriteBackResult:
        result = await super().write_back(request)
        return replace(result, outcome="rejected", fix="?") if result.outcome == "uncertain" else result


class WritesNothing(Tillbook):
    async def write_back(self, request: sources.WriteBack) -> sources.WriteBackResult:
        del request
        return sources.WriteBackResult(outcome="accepted")


class SeesEchoesEverywhere(Tillbook):
    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        return super().same_values(kind, values, raw) or True


BROKEN: dict[str, Sequence[type[Tillbook]]] = {
    "test_every_record_comes_and_none_is_invented": (LosesOne,),
    "test_what_cannot_be_read_is_kept_with_its_place_and_a_remedy": (HidesBadRows,),
    "test_reading_resumes_after_every_page": (RunsAhead,),
    "test_reading_twice_says_the_same": (AlwaysNew,),
    "test_the_last_cursor_brings_nothing_new": (AlwaysNew,),
    "test_an_edit_is_seen_from_the_last_cursor": (OneVersion, OwnClock),
    "test_a_record_that_vanishes_is_not_called_deleted": (MissesWhatIsAbsent,),
    "test_a_record_read_alone_is_as_in_the_listing": (ReadsOtherwise,),
    "test_reading_what_is_not_there_is_said": (MakesItUp,),
    "test_text_comes_through_unharmed": (AsciiOnly, Floats),
    "test_a_forged_delivery_is_refused": (OpenDoor,),
    "test_write_back_answers_and_never_raises": (Raises, RefusesInSilence),
    "test_nothing_is_skipped_when_rows_change_under_paging": (Offset,),
    "test_nothing_is_skipped_when_rows_come_under_paging": (Snapshot,),
    "test_nothing_is_skipped_when_rows_vanish_under_paging": (Offset,),
    "test_a_change_at_the_instant_of_the_last_one_is_seen": (Exclusive,),
    "test_a_clock_that_is_wrong_loses_nothing": (OwnClock,),
    "test_a_deletion_is_said_with_its_evidence": (HidesDeletions,),
    "test_a_merge_names_the_record_that_stays": (HidesDeletions, ForgetsTheWinner),
    "test_another_tenants_record_is_never_taken_for_ours": (AnybodysRecords,),
    "test_401_in_the_middle_of_a_reading": (Swallows401,),
    "test_a_401_that_stays_is_told": (Swallows401, Hopeless),
    "test_429_with_retry_after": (Swallows429, Impatient),
    "test_429_without_retry_after": (Swallows429, Impatient),
    "test_429_for_ever": (Swallows429, Hopeless),
    "test_5xx_at_any_call": (Swallows5xx,),
    "test_5xx_for_ever": (Swallows5xx, Hopeless),
    "test_truncated_json": (Lenient,),
    "test_a_line_that_breaks": (Lenient,),
    "test_an_answer_that_is_somebody_elses_page": (Lenient,),
    "test_a_404_is_no_deletion": (NotFoundIsGone, MakesItUp, NeverAgain),
    "test_a_null_field_concerns_one_record": (Trusting,),
    "test_a_missing_field_concerns_one_record": (Trusting,),
    "test_a_field_of_another_type_concerns_one_record": (Trusting,),
    "test_a_field_removed_everywhere_removes_no_record": (Choosy,),
    "test_a_new_field_changes_nothing": (Strict,),
    "test_money_as_text_and_as_number_is_the_same_money": (TextOnly,),
    "test_odd_text_harms_nobody_else": (FallsOverOddText,),
    "test_huge_text_harms_nobody_else": (StopsAtHugeText,),
    "test_a_delivery_hints_at_its_record": (NoHints,),
    "test_a_repeated_delivery_is_told_and_another_is_not_taken_for_it": (OneDeliveryId,),
    "test_a_bad_signature_is_refused": (OpenDoor, SignsOnlyTheTime),
    "test_an_old_delivery_is_refused": (Ageless,),
    "test_a_signed_body_that_is_nonsense_is_malformed": (OpenDoor,),
    "test_a_webhook_before_its_record_can_be_read": (NotFoundIsGone, NeverAgain),
    "test_values_are_written_back_and_known_again": (WritesNothing, SeesEchoesEverywhere),
    "test_a_write_back_lost_after_its_effect_is_not_called_refused": (CallsLostRefused,),
    "test_a_source_that_refuses_or_breaks_is_told_by_the_result": (Raises, RefusesInSilence, WritesNothing),
}
"""By the check that must catch them."""
