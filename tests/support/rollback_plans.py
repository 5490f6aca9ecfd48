"""Documents with what we wrote of them, to plan rollbacks with; and plain books that carry a plan out."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from counterfoil.planning.rollback import (
    Conditions,
    Effect,
    Refusal,
    RollbackPlan,
    Standing,
    Step,
    Taken,
    plan_rollback,
)
from counterfoil.planning.types import RECORD_REF
from counterfoil_schema.exact_json import JsonObject, JsonValue

SEEN_AT = 50


def effect(entity: str, document_id: str, image: JsonObject, **more: Any) -> Effect:
    """A create, unless said otherwise."""
    values: dict[str, Any] = {
        "intent_id": f"i{document_id}",
        "change": 1,
        "record_key": f"shop:order:{document_id}",
        "entity": entity,
        "document_id": document_id,
        "operation": "create",
        "position": 10,
        "image": image,
    }
    return Effect(**{**values, **more})


def taken(*effects: Effect, latest: JsonObject | None = None, **more: Any) -> Taken:
    """What stands of a document, as we left it unless said otherwise."""
    last = effects[-1]
    values: dict[str, Any] = {
        "record_key": last.record_key,
        "entity": last.entity,
        "document_id": last.document_id,
        "latest": last.image if latest is None else latest,
        "seen_at": SEEN_AT,
        "image": last.image,
    }
    return Taken(standing=Standing(**{**values, **more}), effects=effects)


def only(plan: RollbackPlan) -> Step | Refusal:
    """The only thing that a plan says."""
    found: list[Step | Refusal] = [*plan.steps, *plan.refusals]
    assert len(found) == 1
    return found[0]


def planned(one: Taken, conditions: Conditions | None = None) -> Step | Refusal:
    return only(plan_rollback([one], conditions or Conditions()))


@dataclass
class PlainBooks:
    """Documents by entity and Id, and what the accounts come to by a rule apart from ours."""

    documents: dict[tuple[str, str], JsonObject] = field(default_factory=dict)
    made: int = 100

    def totals(self) -> dict[str, Decimal]:
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for (entity, _), document in self.documents.items():
            for account, amount in _posted(entity, document):
                sums[account] += amount
        return {account: amount for account, amount in sums.items() if amount}

    def carry_out(self, step: Step, one: Taken) -> Taken:
        """Do it; the document that was written, with the effect by which it was."""
        held = dict(one.standing.latest)
        key = (one.standing.entity, one.standing.document_id)
        match step.operation:
            case "create":
                self.made += 1
                key = (step.entity, str(self.made))
                image: JsonObject = {**_resolved(step.body), "Id": key[1], "SyncToken": "0"}
                self.documents[key] = image
            case "delete":
                del self.documents[key]
                image = {"Id": key[1], "status": "Deleted"}
            case "void":
                lines = [{**line, "Amount": Decimal(0)} for line in _lines(held)]
                image = {**held, "TotalAmt": Decimal(0), "Line": [*lines], "SyncToken": "9"}
                self.documents[key] = image
            case _:
                image = {**held, **step.body, "SyncToken": "9"}
                self.documents[key] = image
        made = Effect(
            intent_id=f"back of {'/'.join(step.undoes)}",
            change=step.change,
            record_key=step.record_key,
            entity=key[0],
            document_id=key[1],
            operation=step.operation,
            position=one.effects[-1].position + 1,
            image=image,
            before=held if step.operation != "create" else None,
            sent=step.body,
            of_rollback=True,
        )
        match step.operation:
            case "void":
                return taken(made, status="voided")
            case "delete":
                return taken(made, status="deleted")
            case _:
                return taken(made)


def _posted(entity: str, document: JsonObject) -> list[tuple[str, Decimal]]:
    found: list[tuple[str, Decimal]] = []
    for line in _lines(document):
        amount = line["Amount"]
        assert isinstance(amount, Decimal)
        if entity == "JournalEntry":
            detail = line["JournalEntryLineDetail"]
            assert isinstance(detail, dict)
            sign = 1 if detail["PostingType"] == "Debit" else -1
            found.append((str(detail["AccountRef"]), sign * amount))
        else:
            sign = -1 if entity in ("CreditMemo", "VendorCredit") else 1
            detail = line["SalesItemLineDetail"] if "SalesItemLineDetail" in line else line["DetailType"]
            found += [(str(detail), -sign * amount), ("against", sign * amount)]
    return found


def _lines(document: JsonObject) -> list[JsonObject]:
    lines = document.get("Line")
    return [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []


def _resolved(value: JsonObject) -> JsonObject:
    def plain(part: JsonValue) -> JsonValue:
        if isinstance(part, list):
            return [plain(one) for one in part]
        if isinstance(part, dict):
            return str(part[RECORD_REF]) if RECORD_REF in part else {name: plain(one) for name, one in part.items()}
        return part

    return {name: plain(part) for name, part in value.items()}
