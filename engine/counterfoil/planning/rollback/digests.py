"""By what a step of a preview is known again: equal digests, equal steps.

Two readings of a document that nobody changed are the same; so its content counts, and not where it was read. What is
personal is left out, so that nothing can be found out from a digest; whether that was changed is seen before a step
goes out, on the documents themselves.
"""

from collections.abc import Iterable
from hashlib import sha256

from counterfoil.planning.rollback.types import Step
from counterfoil.planning.values import comparable
from counterfoil_schema import exact_json
from counterfoil_schema.documents import is_personal, without_names
from counterfoil_schema.exact_json import JsonObject

DIGEST_LENGTH = 16
MOVING = frozenset(
    {
        *("SyncToken", "MetaData", "status", "time", "sparse", "domain"),
        *("Balance", "HomeBalance", "LinkedTxn", "BalanceWithJobs"),
    }
)
"""What QuickBooks moves by itself: versions and times, and what hangs on a payment."""


def content_of(document: JsonObject, entity: str) -> str:
    """The digest of what a document says, as far as it is nobody's personal data."""
    kept: JsonObject = {
        name: value for name, value in document.items() if name not in MOVING and not is_personal(entity, name)
    }
    return sha256(comparable(without_names(kept))).hexdigest()


def digest_of(step: Step) -> str:
    """The digest of one step."""
    parts = [
        step.action,
        step.record_key,
        step.entity,
        step.operation,
        step.document,
        step.content,
        list(step.undoes),
        list(step.after),
        step.dated,
        step.number,
        sorted(step.body),
    ]
    return sha256(exact_json.canonical(["rollback", *parts])).hexdigest()[:DIGEST_LENGTH]


def preview_hash(digests: Iterable[str]) -> str:
    """The hash of a whole preview."""
    return sha256(exact_json.canonical(sorted(digests))).hexdigest()
