"""What a mapping may say of records and documents that end, come back, or are gone on the other side.

The table of all of them: schema/LIFECYCLE.md.
"""

from typing import Annotated, Literal

from pydantic import Field

Gone = Annotated[
    Literal["park", "ignore", "anew"],
    Field(description="A later change of a record whose document a person voided or deleted in QuickBooks."),
]
Restored = Annotated[
    Literal["park", "anew"],
    Field(description="A record that is wanted again after its document was voided because it had been taken back."),
]
Removed = Annotated[
    Literal["keep", "deactivate"],
    Field(description="The entry of one that the source deleted; shown again, it is made active again."),
]
Merged = Annotated[
    Literal["ask", "removed"],
    Field(description="The entry of one that was merged into another at the source; ask: parked until both are one."),
]
Inactive = Annotated[
    Literal["ignore", "deactivate"],
    Field(description="Whether the entry follows when the source says that one is inactive, or active again."),
]
Rehired = Annotated[
    Literal["ask", "new"],
    Field(description="Somebody under a new id who bears the name of an employee who left."),
]
Reopened = Annotated[
    Literal["park", "void", "ignore"], Field(description="The invoice of a sale that is no longer won.")
]
ReopenedPaid = Annotated[
    Literal["park", "credit", "ignore"],
    Field(description="The invoice of a sale that is no longer won, where money has been set against it."),
]
