"""What another mapping would make of the same records: whole plans side by side, compared. Pure, as all planning."""

from counterfoil.planning.shadow.alone import owner_of, wanted
from counterfoil.planning.shadow.comparing import DocumentChange, RecordChange, compare, outcome_of
from counterfoil.planning.shadow.fields import FieldChange, field_changes, leaves
from counterfoil.planning.shadow.posting import grounded, items_in, posted

__all__ = [
    "DocumentChange",
    "FieldChange",
    "RecordChange",
    "compare",
    "field_changes",
    "grounded",
    "items_in",
    "leaves",
    "outcome_of",
    "owner_of",
    "posted",
    "wanted",
]
