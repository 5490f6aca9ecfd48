"""CRM search: filters, one sort, pages, and the window of 10,000 results."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from counterfoil_adapters.hubspot.emulator.errors import PortalError
from counterfoil_adapters.hubspot.emulator.values import parse_instant

LIMIT_MAX = 200
WINDOW_RESULTS_MAX = 10_000
GROUPS_MAX = 5
FILTERS_MAX = 25
FILTERS_PER_GROUP_MAX = 10

Row = Mapping[str, str | None]
"""An object's properties, the built-in ones included."""

Comparable = Decimal | str


@dataclass(frozen=True, slots=True)
class Query:
    """A checked search request."""

    groups: Sequence[Sequence[Mapping[str, object]]]
    sort: str
    descending: bool
    limit: int
    offset: int
    properties: Sequence[str]
    text: str


def parse_query(body: Mapping[str, object], *, default_sort: str) -> Query:
    """Check a request body.

    Raises:
        PortalError: 400, with the limit that was overstepped.
    """
    groups = [_filters(group) for group in _list(body.get("filterGroups"))]
    if len(groups) > GROUPS_MAX or sum(map(len, groups)) > FILTERS_MAX:
        raise PortalError(400, f"At most {GROUPS_MAX} filter groups and {FILTERS_MAX} filters are allowed")
    limit = _integer(body.get("limit", 10), "limit")
    if not 1 <= limit <= LIMIT_MAX:
        raise PortalError(400, f"limit must be between 1 and {LIMIT_MAX}")
    offset = _integer(body.get("after") or 0, "after")
    if offset + limit > WINDOW_RESULTS_MAX:
        raise PortalError(400, f"Search results are limited to {WINDOW_RESULTS_MAX}; narrow the filters")
    sort, descending = _sort(_list(body.get("sorts")), default_sort)
    return Query(
        groups,
        sort,
        descending,
        limit,
        offset,
        [str(name) for name in _list(body.get("properties"))],
        str(body.get("query") or ""),
    )


def run(query: Query, rows: Iterable[tuple[int, Row]], kinds: Mapping[str, str]) -> tuple[int, list[int]]:
    """How many match, and the ids of the page.

    Args:
        rows: every live object by id.
        kinds: type of each property, `string` where unknown.
    """
    tests = [[_test(rule, kinds) for rule in group] for group in query.groups]
    needle = query.text.casefold()
    found = [
        (object_id, row)
        for object_id, row in rows
        if (not tests or any(all(test(row) for test in group) for group in tests)) and _contains(row, needle)
    ]
    kind = kinds.get(query.sort, "string")
    # Rows without the property come last, whichever the direction; ties are in no promised order.
    having = [pair for pair in found if pair[1].get(query.sort) is not None]
    lacking = [pair for pair in found if pair[1].get(query.sort) is None]
    having.sort(key=lambda pair: comparable(kind, pair[1].get(query.sort) or ""), reverse=query.descending)
    page = [*having, *lacking][query.offset : query.offset + query.limit]
    return len(found), [object_id for object_id, _ in page]


@lru_cache(maxsize=65_536)
def comparable(kind: str, text: str) -> Comparable:
    """A value in the order of its type: numbers and instants by size, text case-folded.

    Raises:
        PortalError: 400, not a value of that type.
    """
    try:
        match kind:
            case "number":
                return Decimal(text)
            case "date" | "datetime":
                return Decimal(round(parse_instant(text).timestamp() * 1000))
            case _:
                return text.casefold()
    except (InvalidOperation, ValueError):
        raise PortalError(400, f"{text!r} is not a valid {kind}") from None


def _test(rule: Mapping[str, object], kinds: Mapping[str, str]) -> Callable[[Row], bool]:
    name, operator = str(rule["propertyName"]), str(rule["operator"])
    if name not in kinds:
        raise PortalError(400, f"There was a problem with the request: property {name} does not exist")
    kind = kinds[name]
    if operator in {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}:
        return lambda row: (row.get(name) is not None) == (operator == "HAS_PROPERTY")
    if operator in {"IN", "NOT_IN"}:
        wanted = {comparable(kind, str(value)) for value in _list(rule.get("values"))}
        return lambda row: (_value(kind, row, name) in wanted) == (operator == "IN")
    low = comparable(kind, str(rule.get("value", "")))
    if operator == "BETWEEN":
        high = comparable(kind, str(rule.get("highValue", "")))
        return lambda row: _ordered(kind, row, name, lambda value: _le(low, value) and _le(value, high))
    if operator == "CONTAINS_TOKEN":
        return lambda row: str(low).strip("*") in str(_value(kind, row, name) or "")
    if operator == "NEQ":
        return lambda row: _value(kind, row, name) != low
    compare = _COMPARISONS.get(operator)
    if compare is None:
        raise PortalError(400, f"Invalid filter operator {operator}")
    return lambda row: _ordered(kind, row, name, lambda value: compare(value, low))


def _value(kind: str, row: Row, name: str) -> Comparable | None:
    text = row.get(name)
    return None if text is None else comparable(kind, text)


def _ordered(kind: str, row: Row, name: str, test: Callable[[Comparable], bool]) -> bool:
    value = _value(kind, row, name)
    return value is not None and test(value)


def _le(left: Comparable, right: Comparable) -> bool:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return left <= right
    return str(left) <= str(right)


_COMPARISONS: Mapping[str, Callable[[Comparable, Comparable], bool]] = {
    "EQ": lambda value, wanted: value == wanted,
    "LT": lambda value, wanted: not _le(wanted, value),
    "LTE": _le,
    "GT": lambda value, wanted: not _le(value, wanted),
    "GTE": lambda value, wanted: _le(wanted, value),
}


def _contains(row: Row, needle: str) -> bool:
    return not needle or any(needle in value.casefold() for value in row.values() if value)


def _filters(group: object) -> list[Mapping[str, object]]:
    rules = _list(group.get("filters") if isinstance(group, Mapping) else None)
    if len(rules) > FILTERS_PER_GROUP_MAX:
        raise PortalError(400, f"At most {FILTERS_PER_GROUP_MAX} filters are allowed in a group")
    checked: list[Mapping[str, object]] = []
    for rule in rules:
        if not isinstance(rule, Mapping) or "propertyName" not in rule or "operator" not in rule:
            raise PortalError(400, "Invalid input JSON: a filter needs propertyName and operator")
        checked.append(rule)
    return checked


def _sort(sorts: Sequence[object], default: str) -> tuple[str, bool]:
    if len(sorts) > 1:
        raise PortalError(400, "Only one sort is allowed")
    if not sorts:
        return default, False
    rule = sorts[0]
    if isinstance(rule, Mapping):
        return str(rule.get("propertyName", default)), rule.get("direction") == "DESCENDING"
    name = str(rule)
    return name.removeprefix("-"), name.startswith("-")


def _list(value: object) -> Sequence[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise PortalError(400, "Invalid input JSON: a list was expected")
    return value


def _integer(value: object, name: str) -> int:
    if isinstance(value, bool) or not str(value).isdigit():
        raise PortalError(400, f"Invalid input JSON: {name} must be a whole number")
    return int(str(value))
