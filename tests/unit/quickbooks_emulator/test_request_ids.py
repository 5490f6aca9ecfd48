"""One effect per request id, over HTTP, alone and in batches, and every disputed way of it."""

import pytest

from counterfoil.quickbooks.emulator import EmulatorOptions, Switches
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from counterfoil.quickbooks.emulator.requestids import ReplayRules
from counterfoil.quickbooks.emulator.values import as_list, as_object
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_company import Api, code_of, running


def options(replay: ReplayRules | None = None, **switches: int) -> EmulatorOptions:
    chosen = Switches(replay=replay or ReplayRules(), batch_items_max=switches.get("batch_items_max", 30))
    return EmulatorOptions(seed=1, manual_clock=True, limits=LimitNumbers(enabled=False), switches=chosen)


def item(batch_id: str, name: str) -> JsonObject:
    return {"bId": batch_id, "operation": "create", "Customer": {"DisplayName": name}}


async def batch(api: Api, items: list[JsonObject], request_id: str = "") -> dict[str, JsonObject]:
    parameters = {"requestid": request_id} if request_id else {}
    status, body = await api.post("batch", {"BatchItemRequest": [*items]}, **parameters)
    assert status == 200, body
    answers = [as_object(answer) for answer in as_list(body["BatchItemResponse"])]
    return {str(answer["bId"]): answer for answer in answers}


async def created(api: Api) -> int:
    return len(as_list((await api.control("/journal"))["effects"]))


async def test_the_same_id_gets_the_same_answer_and_no_second_effect() -> None:
    async with running(options()) as api:
        first = await api.post("customer", {"DisplayName": "Ann"}, requestid="r1")
        again = await api.post("customer", {"DisplayName": "Ann"}, requestid="r1")
        assert (200, first[1]["Customer"]) == (again[0], again[1]["Customer"])
        other_body = await api.post("customer", {"DisplayName": "Else"}, requestid="r1")
        assert first[1]["Customer"] == other_body[1]["Customer"]
        status, body = await api.post("customer", {"DisplayName": "Ann"})
        assert (status, code_of(body)) == (400, "6240")
        assert await created(api) == 1


async def test_faults_are_replayed_or_not() -> None:
    for replayed, second in ((True, 400), (False, 200)):
        async with running(options(ReplayRules(faults=replayed))) as api:
            assert (await api.post("customer", {}, requestid="r1"))[0] == 400
            assert second == (await api.post("customer", {"DisplayName": "Ann"}, requestid="r1"))[0]


async def test_ids_forgotten_ignored_or_answered_by_6000() -> None:
    class_body: JsonObject = {"DocNumber": "1", "Line": [*entry_lines()]}
    for rules, effects in (
        (ReplayRules(minutes=5), [1, 2]),
        (ReplayRules(remembered=False), [2, 3]),
    ):
        async with running(options(rules)) as api:
            for _ in range(2):
                assert (await api.post("journalentry", class_body, requestid="r"))[0] == 200
            assert effects[0] == await created(api)
            await api.control("/clock", {"advance_seconds": 301})
            assert (await api.post("journalentry", class_body, requestid="r"))[0] == 200
            assert effects[1] == await created(api)
    async with running(options(ReplayRules(as_error="6000"))) as api:
        assert (await api.post("journalentry", class_body, requestid="r"))[0] == 200
        assert code_of((await api.post("journalentry", class_body, requestid="r"))[1]) == "6000"
        assert await created(api) == 1


def entry_lines() -> list[JsonObject]:
    return [
        {
            "Amount": 1,
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}},
        }
        for side, account in (("Debit", "60"), ("Credit", "35"))
    ]


async def test_a_batch_is_matched_and_replayed_by_bid() -> None:
    async with running(options()) as api:
        first = await batch(api, [item("1", "Ann"), item("2", ""), item("3", "Bo")], "r")
        assert [code_of(first[key]) for key in "123"] == ["", "2020", ""]
        again = await batch(api, [item("3", "Bo"), item("1", "Ann"), item("4", "Cy")], "r")
        assert (first["1"], first["3"]) == (again["1"], again["3"])
        assert as_object(again["4"]["Customer"])["DisplayName"] == "Cy"
        assert await created(api) == 3


async def test_ids_that_are_too_long() -> None:
    async with running(options()) as api:
        assert code_of((await api.post("customer", {"DisplayName": "A"}, requestid="x" * 51))[1]) == "2130"
        assert (await api.post("customer", {"DisplayName": "A"}, requestid="x" * 50))[0] == 200
        status, body = await api.post("batch", {"BatchItemRequest": [item("1", "B")]}, requestid="x" * 37)
        assert (status, code_of(body)) == (400, "2130")
        answers = await batch(api, [item("y" * 14, "B"), item("y" * 15, "C")], "x" * 36)
        assert [code_of(answers["y" * 14]), code_of(answers["y" * 15])] == ["", "6000"]
        # Without a request id a bId may be a whole UUID.
        assert code_of((await batch(api, [item("z" * 36, "D")]))["z" * 36]) == ""


async def test_batches_too_large_and_empty() -> None:
    async with running(options(batch_items_max=10)) as api:
        many = [item(str(number), f"N {number}") for number in range(11)]
        status, body = await api.post("batch", {"BatchItemRequest": [*many]})
        assert (status, code_of(body)) == (400, "1040")
        assert len(await batch(api, many[:10])) == 10
        bodies: list[JsonObject] = [{"BatchItemRequest": []}, {}]
        for empty in bodies:
            status, body = await api.post("batch", empty)
            assert (status, as_object(as_list(as_object(body["Fault"])["Error"])[0])["Message"]) == (
                400,
                "Batch Request is Empty",
            )


async def test_batch_operations() -> None:
    async with running(options()) as api:
        made = await batch(
            api,
            [
                {"bId": "je", "operation": "create", "JournalEntry": {"Line": [*entry_lines()]}},
                {"bId": "c", "operation": "create", "Customer": {"DisplayName": "Ann"}},
                {"bId": "q", "Query": "select count(*) from Customer"},
                {"bId": "bad", "Query": "select nothing"},
                {"bId": "none", "operation": "paint", "Customer": {"DisplayName": "Bo"}},
                {"bId": "two", "operation": "create", "Customer": {}, "Vendor": {}},
            ],
        )
        # Clients leave out bId and operation.
        silent = await api.post("batch", {"BatchItemRequest": [{"Customer": {"DisplayName": "Bo"}}]})
        (answered,) = as_list(silent[1]["BatchItemResponse"])
        assert as_object(as_object(answered)["Customer"])["DisplayName"] == "Bo"
        assert "bId" not in as_object(answered)
        assert {key: code_of(answer) for key, answer in made.items()} == {
            "je": "",
            "c": "",
            "q": "",
            "bad": "4000",
            "none": "500",
            "two": "2020",
        }
        customer, entry = as_object(made["c"]["Customer"]), as_object(made["je"]["JournalEntry"])
        changed = await batch(
            api,
            [
                {
                    "bId": "1",
                    "operation": "update",
                    "Customer": {"Id": customer["Id"], "SyncToken": "0", "sparse": True, "Notes": "n"},
                },
                {"bId": "2", "operation": "delete", "JournalEntry": {"Id": entry["Id"], "SyncToken": "0"}},
            ],
        )
        assert as_object(changed["1"]["Customer"])["SyncToken"] == "1"
        assert as_object(changed["2"]["JournalEntry"])["status"] == "Deleted"


@pytest.mark.parametrize("order", ["serial", "parallel"])
async def test_order_of_answers(order: str) -> None:
    switches = Switches(batch_order="parallel" if order == "parallel" else "serial")
    async with running(EmulatorOptions(seed=3, switches=switches, limits=LimitNumbers(enabled=False))) as api:
        keys = [str(number) for number in range(30)]
        answers = await batch(api, [item(key, f"N {key}") for key in keys])
        assert (order == "serial") == (keys == list(answers))
        assert sorted(keys) == sorted(answers)
