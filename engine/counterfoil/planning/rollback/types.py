"""What a rollback is planned from, and what the plan says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from counterfoil_schema.events.decisions import Operation
from counterfoil_schema.events.rollbacks import RollbackPolicy
from counterfoil_schema.exact_json import JsonObject

Action = Literal["void", "delete", "credit", "reverse", "close", "inactivate", "restore", "recreate"]
Status = Literal["live", "deleted", "voided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One write of ours that was accepted.

    Attributes:
        position: where it was accepted.
        image: the document as it was answered.
        before: the document that it was written over, where an image with that SyncToken is held.
        sent: the body that was sent.
        adopted: nothing was written: a document that was there before was taken for the record's.
        of_rollback: a rollback wrote it.
        needs: record keys of the documents that it names.
    """

    intent_id: str
    change: int
    record_key: str
    entity: str
    document_id: str
    operation: str
    position: int
    image: JsonObject
    before: JsonObject | None = None
    sent: JsonObject = field(default_factory=dict)
    adopted: bool = False
    of_rollback: bool = False
    needs: tuple[str, ...] = ()
    person: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A document that settles another one, or holds its money: a payment on an invoice, a deposit with a payment."""

    entity: str
    document_id: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A living document that names a record of a name list; `record_key` where it is one of ours."""

    entity: str
    document_id: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A document as it stands now.

    Attributes:
        latest: as last seen, by anybody's hand; `seen_at` is the position of that reading.
        image: after our own last write.
        linked: it still stands for its record.
        lines: from source line to Line.Id.
        incarnation: how many documents have stood for the record so far.
        applied: what settles it or holds its money.
        later: positions of writes of ours that followed those that are to be taken back, and are not among them.
        moving: an intent of its record is still on its way.
        users: for records of name lists, who names them.
    """

    record_key: str
    entity: str
    document_id: str
    latest: JsonObject
    seen_at: int
    image: JsonObject
    status: Status = "live"
    linked: bool = True
    shared_with: str | None = None
    lines: Mapping[str, str] = field(default_factory=dict)
    incarnation: int = 1
    applied: tuple[Applied, ...] = ()
    later: tuple[int, ...] = ()
    moving: bool = False
    users: tuple[User, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A document and the effects on it that are to be taken back, oldest first."""

    standing: Standing
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What is known of accounts and items: names and types of accounts by Id, and the accounts of items by theirs."""

    accounts: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    income: Mapping[str, str] = field(default_factory=dict)
    expense: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """By what rules, and in what books.

    `owners` leads from (entity, Id) to the record that a document stands for; `custom_numbers`: numbers are given to
    QuickBooks and not by it.
    """

    policy: RollbackPolicy = field(default_factory=RollbackPolicy)
    closed_until: date | None = None
    home: str = "USD"
    custom_numbers: bool = True
    owners: Mapping[tuple[str, str], str] = field(default_factory=dict)
    chart: Chart = field(default_factory=Chart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One compensation.

    Attributes:
        record_key: what the document that it writes stands for.
        entity: of that document; `of_entity` and `document_id` name the one that is taken back.
        body: symbolic for what is created; of an update the fields as they were, lines by their Ids.
        builds_on: the position of the reading that it was planned on; it is carried out on no other content.
        content: the digest of that content, personal data left out.
        undoes: intents whose effect it takes back.
        after: documents (`Payment:7`) whose own compensation has to come first.
        dated: the day of the document that it writes, where it writes one.
        label: the document taken back, for people.
        amount: what the document taken back comes to.
        becomes: the document taken back, afterwards; None where it comes to nothing.
        writes: what stands beside it afterwards.
        sent: a customer was sent it by QuickBooks.
    """

    action: Action
    record_key: str
    entity: str
    operation: Operation
    body: JsonObject
    of_key: str
    of_entity: str
    document_id: str
    builds_on: int
    content: str
    change: int
    undoes: tuple[str, ...]
    label: str
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    dated: str | None = None
    number: str | None = None
    person: str | None = None
    amount: Decimal | None = None
    currency: str = ""
    becomes: JsonObject | None = None
    writes: JsonObject | None = None
    sent: bool = False
    detail: str = ""

    @property
    def document(self) -> str:
        """The document that is taken back: `Invoice:145`."""
        return f"{self.of_entity}:{self.document_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A document that stays as it is; `code` says why for programs, `reason` for people, `fix` what to do."""

    record_key: str
    entity: str
    document_id: str
    label: str
    code: str
    reason: str
    fix: str
    amount: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTotal:
    """What the documents of a rollback come to on one account, in one currency: debits less credits."""

    currency: str
    account: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackPlan:
    """All that would be done, in an order in which it can be, all that would not, and what it comes to."""

    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    totals: tuple[AccountTotal, ...] = ()
