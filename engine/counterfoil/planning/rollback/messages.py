"""What recipients of invoices that were sent have to be told; people send it, nothing here is sent by itself."""

from counterfoil.planning.money import text
from counterfoil.planning.rollback.types import Step


def message_for(step: Step) -> str | None:
    """The message that goes with a step on a document that a customer was sent; None where nobody was sent any."""
    if not step.sent or step.amount is None:
        return None
    what = f"our {step.of_entity.lower()} {step.label.removeprefix(step.of_entity).strip()}"
    worth = f"over {text(step.amount)} {step.currency}"
    match step.action:
        case "void" | "delete":
            return f"Please disregard {what} {worth}: it was issued in error and is void. Nothing is owed on it."
        case "credit":
            return (
                f"{what[:1].upper()}{what[1:]} {worth} was issued in error. It is set off in full by our credit"
                f"{f' {step.number}' if step.number else ''} of {step.dated}. Nothing is owed on it."
            )
        case "restore":
            return f"Please disregard the last version of {what}: it stands again as it was sent before."
        case "recreate":
            return f"{what[:1].upper()}{what[1:]}, which was void, is replaced by a new one{_as(step)} {worth}."
        case _:
            return None


def _as(step: Step) -> str:
    return f", {step.number}," if step.number else ""
