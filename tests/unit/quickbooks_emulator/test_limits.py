"""Sliding windows: what any 60 seconds and any second may hold."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.quickbooks.emulator import EmulatorOptions
from counterfoil.quickbooks.emulator.limits import Limiter, LimitNumbers
from counterfoil_schema.exact_json import JsonValue
from support.quickbooks_company import Api, running

SMALL = LimitNumbers(
    requests_per_minute=8,
    requests_per_second=3,
    batches_per_minute=3,
    batches_per_minute_realm=5,
    combined_per_minute=9,
)


class HandClock:
    """Time by hand, in whole tenths of a second."""

    def __init__(self) -> None:
        self.tenths = 0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.monotonic(), UTC)

    def monotonic(self) -> float:
        return self.tenths / 10

    async def sleep(self, seconds: float) -> None:
        self.tenths += round(seconds * 10)


def allowed(taken: list[tuple[int, bool]], now: int, *, batch: bool) -> bool:
    """The same question asked of the list of all admitted requests, in tenths of a second."""
    minute = [one for one in taken if one[0] > now - 600]
    second = [one for one in taken if one[0] > now - 10]
    batches = [one for one in minute if one[1]]
    return len(minute) < 8 and len(second) < 3 and not (batch and len(batches) >= 3)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0, 1, 3, 5, 10, 50, 200, 590, 601]), st.booleans()), max_size=60))
def test_windows_agree_with_a_list_of_everything(steps: list[tuple[int, bool]]) -> None:
    clock = HandClock()
    limiter = Limiter(clock, SMALL)
    taken: list[tuple[int, bool]] = []
    for wait, batch in steps:
        clock.tenths += wait
        expected = allowed(taken, clock.tenths, batch=batch)
        assert expected == (limiter.admit(batch=batch) == "")
        if expected:
            taken.append((clock.tenths, batch))


def test_intuits_numbers() -> None:
    clock = HandClock()
    limiter = Limiter(clock, LimitNumbers())
    outcomes: list[str] = []
    for _ in range(501):
        clock.tenths += 1
        outcomes.append(limiter.admit(batch=False))
    # Ten a second for 50 s, then the minute is full.
    assert outcomes == [""] * 500 + ["requests_per_minute"]
    clock.tenths = 601
    assert limiter.admit(batch=False) == ""
    assert limiter.admit(batch=False) == "requests_per_minute"


def test_ten_a_second_forty_batches_and_ten_at_once() -> None:
    clock = HandClock()
    limiter = Limiter(clock, LimitNumbers())
    assert [limiter.admit(batch=False) for _ in range(11)] == [""] * 10 + ["requests_per_second"]
    batches = Limiter(clock, LimitNumbers())
    outcomes: list[str] = []
    for _ in range(41):
        clock.tenths += 2
        outcomes.append(batches.admit(batch=True))
    assert outcomes == [""] * 40 + ["batches_per_minute"]
    full = Limiter(clock, LimitNumbers())
    for _ in range(10):
        full.enter()
    assert full.admit(batch=False) == "concurrent"
    full.leave()
    assert full.admit(batch=False) == ""


def test_another_app_takes_its_share_and_refusals_may_count() -> None:
    clock = HandClock()
    limiter = Limiter(clock, replace(SMALL, requests_per_second=100))
    limiter.other_app_per_minute = 5
    assert [limiter.admit(batch=False) for _ in range(4)] == ["", "", "", "requests_per_minute"]
    counted = Limiter(clock, replace(SMALL, requests_per_second=3, count_rejected=True))
    assert len([counted.admit(batch=False) for _ in range(8)]) == 8
    assert counted.minute.peak == 8
    lenient = Limiter(clock, replace(SMALL, enabled=False))
    assert {""} == {lenient.admit(batch=True) for _ in range(50)}


async def statuses(api: Api, count: int, tail: str = "customer/1") -> list[int]:
    return [(await api.get(tail))[0] for _ in range(count)]


async def test_over_the_limit_the_gateway_answers_429() -> None:
    async with running(EmulatorOptions(seed=1, manual_clock=True, sample="small")) as api:
        assert await statuses(api, 10) == [200] * 10
        status, body = await api.get("customer/1")
        assert status == 429
        expected: JsonValue = {
            "error": [
                {
                    "message": "message=ThrottleExceeded; errorCode=003001; statusCode=429",
                    "detail": "The request limit was reached.  Try again later",
                    "code": "3001",
                    "element": None,
                }
            ],
            "type": "SERVICE",
        }
        assert expected == body["fault"]
        await api.control("/clock", {"advance_seconds": 1})
        assert await statuses(api, 1) == [200]
        await api.fault(kind="other_app", requests_per_minute=495)
        await api.control("/clock", {"advance_seconds": 1})
        assert await statuses(api, 1) == [429]
        await api.control("/clock", {"advance_seconds": 60})
        assert await statuses(api, 6) == [200] * 5 + [429]
        stats = await api.control("/stats")
        assert (stats["throttled_by"], stats["throttled"]) == ({"requests_per_second": 1, "requests_per_minute": 2}, 3)
        await api.control("/limits", {"enabled": False})
        assert await statuses(api, 20) == [200] * 20


async def test_forty_documents_a_day_go_out_by_e_mail() -> None:
    numbers = LimitNumbers(requests_per_second=1000)
    options = EmulatorOptions(seed=1, sample="small", volume=1, manual_clock=True, limits=numbers)
    async with running(options) as api:
        token = {"Authorization": f"Bearer {api.token}", "Accept": "application/json"}

        async def sent() -> int:
            url = f"{api.emulator.base_url}/v3/company/{api.emulator.realm_id}/invoice/1/send?sendTo=ann%40example.com"
            async with api.session.post(url, headers=token) as answer:
                return answer.status

        assert [await sent() for _ in range(41)] == [200] * 40 + [429]
        assert api.emulator.stats.throttled_by["mails_per_day"] == 1
        api.emulator.clock.advance(86_399)
        token["Authorization"] = f"Bearer {api.emulator.office.issue_access()}"
        assert await sent() == 429
        api.emulator.clock.advance(1)
        assert await sent() == 200
        await api.control("/limits", {"mails_per_day": 0})
        assert [await sent() for _ in range(41)] == [200] * 41
