"""Reading Salesforce over time: sign-in, what changes meanwhile, late commits, deletions, faults, the day's calls."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from counterfoil.errors import ConfigurationError
from counterfoil.sources.http import BusyError
from counterfoil.sources.port import Removed, Seen, SourceError, Unreadable
from counterfoil_adapters.salesforce.adapter import SalesforceSource
from counterfoil_schema.exact_json import loads_object
from counterfoil_schema.records import Invoice
from support.salesforce import Org, account, flat, opportunity, org, pages, record_id

FLOWS = ("client_credentials", "refresh_token", "jwt")


@pytest.fixture
async def held() -> AsyncIterator[Org]:
    async with org() as fresh:
        yield fresh


def credentials(held: Org, flow: str, *, wrong: bool = False) -> dict[str, Any]:
    """Settings for one way of signing in."""
    sessions = held.emulator.sessions
    mark = "x" if wrong else ""
    match flow:
        case "client_credentials":
            return {"client_secret": SecretStr(sessions.app.client_secret + mark)}
        case "refresh_token":
            return {"refresh_token": SecretStr(sessions.app.refresh_token + mark)}
        case _:
            user = sessions.app.username + mark
            return {
                "client_secret": None,
                "username": user,
                "private_key": SecretStr(sessions.private_key()),
                "audience": "https://login.salesforce.com",
            }


async def ids(held: Org, source: Any, kind: str, cursor: str | None = None) -> list[str]:
    return [change.source_id for change in flat(await pages(source, kind, cursor)) if isinstance(change, Seen)]


@pytest.mark.parametrize("flow", FLOWS)
async def test_each_flow_signs_in_and_again_when_the_session_ends(held: Org, flow: str) -> None:
    await held.load(Account=[account(1)])
    source = held.source(**credentials(held, flow))
    assert [record_id("001", 1)] == await ids(held, source, "account")
    await held.control("POST", "/sessions/expire")
    assert [record_id("001", 1)] == await ids(held, source, "account")


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        ("client_credentials", "invalid client credentials"),
        ("refresh_token", "expired access/refresh token"),
        ("jwt", "user hasn't approved this consumer"),
    ],
)
async def test_wrong_credentials_are_said_at_once_in_salesforces_words(held: Org, flow: str, words: str) -> None:
    source = held.source(**credentials(held, flow, wrong=True))
    with pytest.raises(SourceError, match=words) as refused:
        await pages(source, "account")
    assert refused.value.retry_after is None
    assert held.clock.waits == []


async def test_a_key_that_is_none_and_settings_without_a_flow_are_refused(held: Org) -> None:
    with pytest.raises(ConfigurationError, match="no RSA key"):
        held.source(client_secret=None, username="u", private_key=SecretStr("-----BEGIN NONSENSE-----"))
    with pytest.raises(ConfigurationError, match="give client_secret"):
        held.source(client_secret=None)


async def test_a_missing_scope_is_named(held: Org) -> None:
    await held.control("POST", "/setup", {"scopes": "id"})
    with pytest.raises(SourceError, match="not valid for use with the REST API") as refused:
        await pages(held.source(), "account")
    assert "scope api" in refused.value.remedy


async def test_another_org_is_refused_by_setting_and_by_cursor(held: Org) -> None:
    with pytest.raises(SourceError, match="leads to the Salesforce org"):
        await pages(held.source(org_id="00D000000000001"), "account")
    cursor = (await pages(held.source(), "account"))[-1].cursor
    async with org(seed=2) as other:
        await other.load(Account=[account(1)])
        with pytest.raises(SourceError, match="what was read before is of") as refused:
            await pages(other.source(), "account", cursor)
    assert "connection of its own" in refused.value.remedy
    with pytest.raises(SourceError, match="cannot be read"):
        await pages(held.source(), "account", '{"org":"x"}')


async def test_rows_that_change_under_paging_are_neither_skipped_nor_lost(held: Org) -> None:
    wanted = [record_id("001", number) for number in range(1, 101)]
    await held.load(Account=[account(n, SystemModstamp="2026-11-01T09:00:00Z") for n in range(1, 101)])
    source = held.source(page_rows=10)
    found: list[str] = []
    cursor = ""
    async for page in source.changes("account", None):
        found += [change.source_id for change in page.changes]
        cursor = page.cursor
        if len(found) == 30:
            # One that was read, one that was not, and a new one.
            for number in (5, 77):
                await held.control("PATCH", f"/people/Account/{record_id('001', number)}", {"Name": "Moved"})
            await held.control("POST", "/people/Account", {"Name": "New"})
    found += await ids(held, source, "account", cursor)
    assert set(wanted) < set(found)
    assert len(set(found)) == 101
    names = [str(c.record) for c in flat(await pages(held.source(), "account")) if isinstance(c, Seen)]
    assert sum("Moved" in name for name in names) == 2


async def test_answers_in_several_parts_are_one_page(held: Org) -> None:
    async with org(batch_rows=7) as small:
        await small.load(Account=[account(number) for number in range(1, 51)])
        read = await pages(small.source(), "account")
        assert len(read[0].changes) == 50


async def test_a_change_that_commits_late_under_an_early_stamp_is_not_missed(held: Org) -> None:
    await held.load(Opportunity=[opportunity(1), opportunity(2)])
    source = held.source()
    cursor = (await pages(source, "opportunity"))[-1].cursor
    await held.control("POST", f"/people/Opportunity/{record_id('006', 1)}/hold", {"Name": "Late"})
    for _ in range(3):
        # Others go on changing, so that the newest stamp moves far past the transaction's.
        await held.control("POST", "/clock", {"advance_seconds": 600})
        await held.control("PATCH", f"/people/Opportunity/{record_id('006', 2)}", {"Name": "Busy"})
        cursor = (await pages(source, "opportunity", cursor))[-1].cursor
    await held.control("POST", "/commit")
    changes = flat(await pages(source, "opportunity", cursor))
    names = [
        change.record.memo for change in changes if isinstance(change, Seen) and isinstance(change.record, Invoice)
    ]
    assert "Late" in names


async def test_what_was_purged_is_told_by_the_list_of_deletions(held: Org) -> None:
    await held.load(Account=[account(1), account(2)])
    source = held.source()
    cursor = (await pages(source, "account"))[-1].cursor
    await held.control("POST", "/clock", {"advance_seconds": 120})
    await held.control("DELETE", f"/people/Account/{record_id('001', 2)}")
    await held.control("POST", "/purge/Account")
    await held.control("POST", "/clock", {"advance_seconds": 120})
    read = await pages(source, "account", cursor)
    (gone,) = [change for change in flat(read) if isinstance(change, Removed)]
    assert gone.source_id == record_id("001", 2)
    assert "lists Account" in gone.evidence
    again = flat(await pages(source, "account", read[-1].cursor))
    assert [change for change in again if isinstance(change, Removed)] == []


async def test_a_break_longer_than_salesforce_remembers_is_said(held: Org) -> None:
    await held.load(Account=[account(1)])
    source = held.source()
    cursor = (await pages(source, "account"))[-1].cursor
    await held.control("POST", "/clock", {"advance_seconds": 40 * 86_400})
    read = await pages(source, "account", cursor)
    (notice,) = [change for change in flat(read) if isinstance(change, Unreadable)]
    assert "no longer says which Account records were deleted" in notice.problem
    assert [c for c in flat(await pages(source, "account", read[-1].cursor)) if isinstance(c, Unreadable)] == []


async def test_too_many_ids_narrow_the_span_until_they_fit(held: Org) -> None:
    await held.load(Account=[account(number) for number in range(1, 5)])
    source = held.source()
    cursor = (await pages(source, "account"))[-1].cursor
    await held.control("POST", "/setup", {"ids_max": 1})
    for number in range(1, 5):
        await held.control("POST", "/clock", {"advance_seconds": 600})
        await held.control("PATCH", f"/people/Account/{record_id('001', number)}", {"Name": "Edited"})
    read = await pages(source, "account", cursor)
    assert len(flat(read)) == 4
    before, after = loads_object(cursor)["proven"], loads_object(read[-1].cursor)["proven"]
    assert str(before) < str(after)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 429, "retry_after": 3},
        {"kind": "status", "status": 401},
        {"kind": "truncated"},
        {"kind": "lost_answer"},
    ],
)
async def test_passing_faults_in_the_middle_are_survived(held: Org, fault: dict[str, Any]) -> None:
    await held.load(Account=[account(number) for number in range(1, 31)])
    await held.control(
        "POST", "/faults", {**fault, "path": "/queryAll", "skip": 2, "times": 2 if "status" not in fault else 1}
    )
    assert len(await ids(held, held.source(page_rows=10), "account")) == 30


async def test_spent_calls_are_waited_for_and_a_part_is_left_for_writes() -> None:
    async with org(limits=True, daily_calls=20) as held:
        await held.load(Account=[account(1)])
        source = held.source(daily_share_percent=50)

        async def spend(source: SalesforceSource) -> None:
            for _ in range(20):
                await pages(source, "account")

        with pytest.raises(SourceError, match="of the day's calls to Salesforce are spent") as spent:
            await spend(source)
        assert spent.value.retry_after == 900
        with pytest.raises(BusyError, match="TotalRequests Limit exceeded") as refused:
            await spend(held.source(daily_share_percent=100))
        assert refused.value.retry_after == 900


async def test_a_server_whose_clock_differs_is_asked_on_its_own_clock(held: Org) -> None:
    await held.control("POST", "/clock", {"advance_seconds": -3600})
    await held.load(Account=[account(1)])
    source = held.source()
    cursor = (await pages(source, "account"))[-1].cursor
    await held.control("POST", "/clock", {"advance_seconds": 120})
    await held.control("PATCH", f"/people/Account/{record_id('001', 1)}", {"Name": "Edited"})
    read = await pages(source, "account", cursor)
    assert len(flat(read)) == 1
    assert str(loads_object(cursor)["proven"]) < str(loads_object(read[-1].cursor)["proven"])
