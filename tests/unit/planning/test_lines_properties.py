"""Updates never lose a line that is not ours, and never send one of ours twice."""

from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.lines import arrange, line_links
from counterfoil_schema.exact_json import JsonObject, JsonValue

KEYS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6)
STANDING = st.lists(st.integers(1, 12).map(str), unique=True, max_size=8)


def detail(amount: int, **more: str) -> JsonObject:
    line: JsonObject = {"Amount": Decimal(amount), "DetailType": "SalesItemLineDetail"}
    line["SalesItemLineDetail"] = {"ItemRef": {"value": str(amount)}, "Qty": 1, "UnitPrice": Decimal(amount)}
    for name, value in more.items():
        line[name] = value
    return line


def ours(keys: list[str]) -> list[JsonObject]:
    return [{"$line": key, **detail(ord(key))} for key in keys]


def document(ids: list[str]) -> JsonObject:
    lines: list[JsonValue] = [detail(int(identity), Id=identity) for identity in ids]
    lines.append({"Amount": Decimal(0), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}})
    return {"Id": "1", "SyncToken": "0", "Line": lines}


@given(KEYS, KEYS, STANDING)
def test_every_line_to_keep_is_sent_once(now: list[str], before: list[str], ids: list[str]) -> None:
    links = dict(zip(before, ids, strict=False))
    foreign = set(ids) - set(links.values())
    arranged = arrange(ours(now), links, document(ids))
    sent = [line for line in arranged.lines if isinstance(line, dict)]
    sent_ids = [str(line["Id"]) for line in sent if "Id" in line]
    assert sorted(now) == sorted(key for key in arranged.keys if key)
    assert len(sent_ids) == len(set(sent_ids))
    assert foreign <= set(sent_ids)
    assert set(sent_ids) - foreign == {links[key] for key in now if key in links}
    assert len(sent) == len(arranged.keys) == len(now) + len(foreign)
    for line, key in zip(sent, arranged.keys, strict=True):
        assert line["Amount"] == (Decimal(ord(key)) if key else Decimal(str(line["Id"])))
        assert "$line" not in line


@given(KEYS, KEYS, STANDING, st.randoms(use_true_random=False))
def test_links_are_right_whatever_the_order_of_the_answer(
    now: list[str], before: list[str], ids: list[str], chance: Random
) -> None:
    links = dict(zip(before, ids, strict=False))
    arranged = arrange(ours(now), links, document(ids))
    answer: list[JsonValue] = []
    expected: dict[str, str] = {}
    for place, (line, key) in enumerate(zip(arranged.lines, arranged.keys, strict=True)):
        assert isinstance(line, dict)
        identity = str(line.get("Id", 100 + place))
        answer.append({**line, "Id": identity, "LineNum": place})
        if key:
            expected[key] = identity
    chance.shuffle(answer)
    found = line_links(arranged.keys, {"Line": answer}, {"Line": arranged.lines})
    assert {link.line_key: link.line_id for link in found} == expected
