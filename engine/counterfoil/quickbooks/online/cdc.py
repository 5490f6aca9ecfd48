"""Change data capture: everything that changed since an instant, in one metered call.

No paging, no truncation flag, at most 1,000 objects and 30 days (Intuit: "Change data capture").
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from counterfoil.errors import CounterfoilError
from counterfoil.quickbooks.online.answers import fault_in
from counterfoil.quickbooks.online.faults import Fault
from counterfoil.quickbooks.online.instants import parse_instant
from counterfoil.quickbooks.online.outcomes import ChangeSet, DeletedStub
from counterfoil_schema.exact_json import JsonObject, JsonValue

OBJECTS_MAX: Final = 1_000
WINDOW: Final = timedelta(days=30)
UNSUPPORTED: Final = frozenset({"JournalCode", "TaxAgency", "TaxCode", "TaxRate"})


_COUNTS: Final = frozenset({"startPosition", "maxResults", "totalCount", "status"})
"""What stands beside the lists of a group."""


class ChangeWindowError(CounterfoilError):
    """A CDC call that QuickBooks cannot answer; found before anything is sent."""


def check_request(entities: Sequence[str], changed_since: datetime, now: datetime) -> None:
    """Refuse what CDC cannot do.

    Raises:
        ChangeWindowError: no entities, one that CDC leaves out, or an instant more than 30 days back.
    """
    left_out = sorted(UNSUPPORTED.intersection(entities))
    if not entities or left_out:
        raise ChangeWindowError(
            f"QuickBooks' change data capture does not cover {', '.join(left_out) or 'an empty list'}.",
            remedy="Query those by MetaData.LastUpdatedTime.",
        )
    if now - changed_since > WINDOW:
        raise ChangeWindowError(
            f"QuickBooks' change data capture reaches back 30 days, not to {changed_since:%Y-%m-%d}.",
            remedy="Read the company's records in full.",
        )


class UnreadableChangesError(ValueError):
    """A CDC answer of which a part says nothing: a change that is passed over would never be asked for again."""


def change_set(document: Mapping[str, JsonValue], intuit_tid: str | None) -> ChangeSet | Fault:
    """The changes in an answer, or a fault that one of its groups carries.

    Raises:
        UnreadableChangesError: no CDC answer, or one with a record that has no Id.
    """
    responses = document.get("CDCResponse")
    if not isinstance(responses, list):
        raise UnreadableChangesError("an answer without changes in it")
    rows: dict[str, list[JsonObject]] = {}
    deleted: list[DeletedStub] = []
    total = 0
    for group in _groups(responses):
        fault = fault_in(group, 200)
        if fault is not None:
            return fault
        for entity, records in group.items():
            if entity in _COUNTS:
                continue
            if not isinstance(records, list):
                raise UnreadableChangesError(f"changes of {entity} that are no list")
            for record in records:
                if not isinstance(record, dict) or not isinstance(record.get("Id"), str) or not record["Id"]:
                    raise UnreadableChangesError(f"a change of {entity} without an Id")
                total += 1
                _sort_in(entity, record, rows, deleted)
    return ChangeSet(
        rows={entity: tuple(found) for entity, found in rows.items()},
        deleted=tuple(deleted),
        time=parse_instant(document.get("time")),
        truncated=total >= OBJECTS_MAX,
        intuit_tid=intuit_tid,
    )


def _groups(responses: Sequence[JsonValue]) -> list[JsonObject]:
    found: list[JsonObject] = []
    for response in responses:
        if isinstance(response, dict):
            inner = response.get("QueryResponse")
            found.extend(
                group for group in (inner if isinstance(inner, list) else [response]) if isinstance(group, dict)
            )
    return found


def _sort_in(entity: str, record: JsonObject, rows: dict[str, list[JsonObject]], deleted: list[DeletedStub]) -> None:
    if str(record.get("status", "")).lower() != "deleted":
        rows.setdefault(entity, []).append(record)
        return
    meta = record.get("MetaData")
    updated = meta.get("LastUpdatedTime") if isinstance(meta, dict) else None
    deleted.append(DeletedStub(entity, str(record.get("Id")), updated if isinstance(updated, str) else None))
