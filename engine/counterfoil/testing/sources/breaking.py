"""The contract when the network and the source break: refusals, limits, broken answers, at any call of a reading."""

from collections.abc import Sequence
from pathlib import Path

from counterfoil.sources import Removed, SourceAdapter, SourceChange, SourceError
from counterfoil.testing.sources.bench import HastyClock
from counterfoil.testing.sources.proxy import FaultProxy, Strike
from counterfoil.testing.sources.reading import Key, compare, effect_of, expect, patiently, whole, word_of
from counterfoil.testing.sources.stage import Stage, Staged, fresh

CALLS_MAX = 10
"""So many calls of a reading are struck, one by one: the first ones and the last."""

TOLD_SECONDS = 7


class BreakingContract(Staged):
    """What a source owes when something breaks. Each fault strikes one call after another of a whole reading."""

    async def test_401_in_the_middle_of_a_reading(self, tmp_path: Path) -> None:
        strike = Strike(status=401, body=b'{"message": "token expired"}')
        async with self.proxied(tmp_path) as (stage, proxy):
            for number, errors, _clock in await self._struck(stage, proxy, strike, "a 401"):
                if self.has_token_refresh:
                    expect(not errors, f"a 401 at call {number} ended the reading: the token was not renewed")
                expect(all(error.message for error in errors), f"a 401 at call {number} is told without words")

    async def test_a_401_that_stays_is_told(self, tmp_path: Path) -> None:
        strike = Strike(status=401, body=b'{"message": "token revoked by admin"}')
        async with self.proxied(tmp_path) as (stage, proxy):
            for error in await self._always(stage, proxy, strike, "a 401"):
                expect(error.remedy, f"wrong credentials are told without a remedy: {error}")

    async def test_429_with_retry_after(self, tmp_path: Path) -> None:
        strike = Strike(status=429, headers={"Retry-After": str(TOLD_SECONDS)}, body=b'{"message": "slow down"}')
        async with self.proxied(tmp_path) as (stage, proxy):
            for number, errors, clock in await self._struck(stage, proxy, strike, "a 429"):
                told = max([error.retry_after or 0.0 for error in errors], default=0.0)
                waited = max([told, *clock.waits])
                expect(
                    waited >= TOLD_SECONDS,
                    f"call {number} was told to wait {TOLD_SECONDS} s, and the longest wait is {waited:.1f} s",
                )

    async def test_429_without_retry_after(self, tmp_path: Path) -> None:
        strike = Strike(status=429, body=b"")
        async with self.proxied(tmp_path) as (stage, proxy):
            for number, errors, clock in await self._struck(stage, proxy, strike, "a 429"):
                told = max([error.retry_after or 0.0 for error in errors], default=0.0)
                expect(max([told, *clock.waits]) > 0, f"call {number} was told to slow down, and did not wait at all")

    async def test_429_for_ever(self, tmp_path: Path) -> None:
        async with self.proxied(tmp_path) as (stage, proxy):
            for error in await self._always(stage, proxy, Strike(status=429), "a 429"):
                expect(error.retry_after, f"a limit is told as if waiting could not help: {error}")

    async def test_5xx_at_any_call(self, tmp_path: Path) -> None:
        for status in (500, 502, 503, 504):
            strike = Strike(status=status, body=b"<html>Bad gateway</html>", content_type="text/html")
            async with self.proxied(fresh(tmp_path, status)) as (stage, proxy):
                await self._struck(stage, proxy, strike, f"a {status}")

    async def test_5xx_for_ever(self, tmp_path: Path) -> None:
        async with self.proxied(tmp_path) as (stage, proxy):
            for error in await self._always(stage, proxy, Strike(status=503), "a 503"):
                expect(error.retry_after, f"a broken source is told as if waiting could not help: {error}")

    async def test_truncated_json(self, tmp_path: Path) -> None:
        async with self.proxied(tmp_path) as (stage, proxy):
            await self._struck(stage, proxy, Strike(cut=True), "a truncated answer")
            await self._always(stage, proxy, Strike(cut=True), "truncated answers")

    async def test_a_line_that_breaks(self, tmp_path: Path) -> None:
        async with self.proxied(tmp_path) as (stage, proxy):
            await self._struck(stage, proxy, Strike(reset=True), "a broken line")
            await self._always(stage, proxy, Strike(reset=True), "a broken line")

    async def test_an_answer_that_is_somebody_elses_page(self, tmp_path: Path) -> None:
        page = Strike(status=200, body=b"<html><title>Sign in</title></html>", content_type="text/html")
        empty = Strike(status=200, body=b"")
        nothing = Strike(status=200, body=b"{}")
        async with self.proxied(tmp_path) as (stage, proxy):
            for strike, what in ((page, "a sign-in page"), (empty, "an empty answer"), (nothing, "an empty object")):
                await self._always(stage, proxy, strike, what)

    async def test_a_404_is_no_deletion(self, tmp_path: Path) -> None:
        async with self.proxied(tmp_path) as (stage, proxy):
            kind, source_id = stage.any_id()
            async with stage.opened(proxy.url) as adapter:
                await refused_for_now(adapter, proxy, kind, source_id)

    async def _struck(
        self, stage: Stage, proxy: FaultProxy, strike: Strike, what: str
    ) -> list[tuple[int, list[SourceError], HastyClock]]:
        """Read everything as often as it has calls, one of them struck each time; what the reading then told."""
        truth, calls = await truth_of(stage, proxy)
        told: list[tuple[int, list[SourceError], HastyClock]] = []
        for number in numbers(calls):
            proxy.once(number, strike)
            errors: list[SourceError] = []
            clock = HastyClock()
            async with stage.opened(proxy.url, clock) as adapter:
                changes = [c for kind in adapter.kinds() for c in await patiently(adapter, kind, errors)]
            compare(truth, effect_of(changes), f"{what} at call {number} of {calls}")
            told.append((number, errors, clock))
        return told

    async def _always(self, stage: Stage, proxy: FaultProxy, strike: Strike, what: str) -> list[SourceError]:
        """Strike every call: each kind must end by a SourceError, with no record removed or invented before."""
        truth, _calls = await truth_of(stage, proxy)
        errors: list[SourceError] = []
        proxy.always(strike)
        async with stage.opened(proxy.url) as adapter:
            for kind in adapter.kinds():
                ended = False
                try:
                    async for page in adapter.changes(kind, None):
                        ended = ended or page.done
                        found = effect_of(page.changes)
                        compare({key: truth[key] for key in found if key in truth}, found, f"{what} at every call")
                except SourceError as error:
                    errors.append(error)
                else:
                    expect(not ended or not _has(truth, kind), f"{what} at every call passes for an empty {kind}")
        expect(errors, f"{what} at every call is told by nobody")
        return errors


async def refused_for_now(adapter: SourceAdapter, proxy: FaultProxy, kind: str, source_id: str) -> None:
    """A record that is answered with 404: not there yet, which is no deletion, and asked for again later."""
    proxy.always(Strike(status=404, only=source_id, body=b'{"message": "not found"}'))
    try:
        found: Sequence[SourceChange] = await adapter.read(kind, source_id)
        if not proxy.struck:  # this source is asked otherwise than by an id in the path
            proxy.always(Strike(status=404, body=b'{"message": "not found"}'))
            found = await adapter.read(kind, source_id)
    except SourceError as error:
        expect(error.retry_after, f"{kind} {source_id} is not there yet, and would never be asked for again")
        return
    gone = [change for change in found if isinstance(change, Removed)]
    expect(not gone, f"a 404 for {kind} {source_id} was called a deletion")
    raise AssertionError(f"a 404 for {kind} {source_id} was read as {found}")


def _has(truth: dict[Key, str], kind: str) -> bool:
    return any(known == kind for known, _ in truth)


async def truth_of(stage: Stage, proxy: FaultProxy) -> tuple[dict[Key, str], int]:
    """What the source shows through a calm proxy, and in how many calls."""
    proxy.calm()
    async with stage.opened(proxy.url) as adapter:
        truth = {key: word_of(change) for key, change in (await whole(adapter)).items()}
    expect(proxy.seen, "no call came through the proxy: `at` must open the adapter at the bench's url")
    return truth, proxy.seen


def numbers(calls: int) -> list[int]:
    """The calls to strike."""
    if calls <= CALLS_MAX:
        return list(range(1, calls + 1))
    half = CALLS_MAX // 2
    return [*range(1, half + 1), *range(calls - half + 1, calls + 1)]
