"""What the books hold that a mapping may name: their settings, and the names of their lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from counterfoil.dispatch.books import Books, BooksFacts
from counterfoil.dispatch.watched import NAMED


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One entry of a list: by its full name, `Parent:Child`; an account with its type (`Other Current Liability`)."""

    document_id: str
    name: str
    active: bool
    account_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksSeen:
    """One reading of the books."""

    facts: BooksFacts
    lists: Mapping[str, Sequence[Listed]]

    def find(self, entity: str, name: str) -> Listed | None:
        """The active entry of that name, blind to case as QuickBooks is; an inactive one where there is no other."""
        folded = name.strip().casefold()
        found = [one for one in self.lists.get(entity, ()) if one.name.casefold() == folded]
        return next((one for one in found if one.active), found[0] if found else None)

    def names(self, entity: str) -> list[str]:
        """The active names, in order."""
        return sorted(one.name for one in self.lists.get(entity, ()) if one.active)


async def see_books(books: Books, entities: Sequence[str] = NAMED) -> BooksSeen:
    """Read settings and names: two calls, and one a list for each thousand of its entries.

    Raises:
        BooksUnreadableError: the books cannot be read now.
    """
    facts = await books.facts()
    lists: dict[str, list[Listed]] = {}
    for entity in entities:
        rows = await books.names(entity, "live")
        lists[entity] = [
            Listed(document_id=one.document_id, name=one.name, active=one.active, account_type=one.account_type)
            for one in rows
        ]
    return BooksSeen(facts=facts, lists=lists)
