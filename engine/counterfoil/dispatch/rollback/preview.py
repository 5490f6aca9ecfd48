"""A preview: what a rollback would do now, and by what it is known again when somebody applies it."""

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.dispatch.rollback.loading import Loaded
from counterfoil.planning.rollback import RollbackPlan, Step, plan_rollback
from counterfoil.planning.rollback.digests import digest_of, preview_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A plan at a position; `digests` are those of its steps, in their order."""

    position: int
    plan: RollbackPlan
    digests: tuple[str, ...]

    @property
    def hash(self) -> str:
        """The hash of the whole."""
        return preview_hash(self.digests)


def preview_of(loaded: Loaded) -> Preview:
    """The preview of what was loaded."""
    plan = plan_rollback(loaded.taken, loaded.conditions)
    return Preview(position=loaded.position, plan=plan, digests=tuple(digest_of(step) for step in plan.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """Of a fresh plan: the steps that somebody was shown exactly so, and those that are others since."""

    steps: tuple[Step, ...]
    changed: tuple[Step, ...]


def agreed(preview: Preview, shown: Sequence[str], done: frozenset[str]) -> Agreed:
    """Which steps may be carried out.

    Args:
        shown: digests of the preview that was applied.
        done: documents whose compensation is planned already; what waits for them may wait on.

    A step that waits for one which may not be carried out may not be carried out either.
    """
    allowed = set(shown)
    pairs = list(zip(preview.plan.steps, preview.digests, strict=True))
    kept = {step.document: step for step, digest in pairs if digest in allowed}
    while True:
        loose = [one for one in kept.values() if any(first not in kept and first not in done for first in one.after)]
        if not loose:
            break
        for one in loose:
            del kept[one.document]
    steps = preview.plan.steps
    return Agreed(
        steps=tuple(step for step in steps if step.document in kept),
        changed=tuple(step for step in steps if step.document not in kept),
    )
