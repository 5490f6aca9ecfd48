"""The breaker: how much of the books may be voided or deleted before a person is asked. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from counterfoil_schema.exact_json import JsonObject

DEACTIVATED: JsonObject = {"Active": False}
"""The body that takes an entry of a list away: QuickBooks deletes none (Intuit: entity pages)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRule:
    """What goes out unasked.

    Attributes:
        share: of the documents of a kind that stand for source records, 0 to 1.
        documents: so many in any case, however few there are.
    """

    share: Decimal
    documents: int

    def stops(self, gone: int, there: int) -> bool:
        """Whether so many that go, of so many that were there, are for a person to decide on."""
        return gone > self.documents and gone > self.share * there


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """How one kind of document stands.

    Attributes:
        there: documents that stand for source records now.
        planned: of those planned lately to be voided or deleted, or waiting for approval, without a person's word.
        carried_out: those among them that are no longer there.
        pending: source records that are gone by their source's word, of which nothing is decided yet.
    """

    there: int = 0
    planned: int = 0
    carried_out: int = 0
    pending: int = 0

    def with_more(self, rule: BreakerRule, more: int) -> tuple[bool, int, int]:
        """Whether the rule stops so many more; how many go then altogether, and of how many."""
        gone, there = self.planned + self.pending + more, self.there + self.carried_out
        return rule.stops(gone, there), gone, there


def takes_away(operation: str, body: JsonObject) -> bool:
    """Whether a planned change of the books makes a document count for nothing."""
    return operation in ("void", "delete") or (operation == "update" and body == DEACTIVATED)


def sentence(entity: str, gone: int, there: int, rule: BreakerRule) -> str:
    """Why it waits, for people."""
    share = f"{100 * gone / there:.0f} %" if there else "all"
    return (
        f"Held by the breaker: {gone} of {there} {entity} documents of ours ({share}) would be voided, deleted or made "
        f"inactive; more than {100 * rule.share:.0f} % wait for a person. See first why the source calls for it."
    )
