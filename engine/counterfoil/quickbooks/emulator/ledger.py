"""Double entry behind the documents: what each transaction posts, who owes what, and which payment paid what."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from counterfoil.quickbooks.emulator.costing import Shelf, shelf_of
from counterfoil.quickbooks.emulator.postings import NO_EFFECT, DocumentKey, Effect, Movement, Posting, Stocked
from counterfoil.quickbooks.emulator.values import ZERO


class Ledger:
    """Running balances; a changed document replaces its former effect.

    What leaves the stock costs what other documents say, so it is reckoned anew, by item, when somebody looks.
    """

    def __init__(self) -> None:
        self._effects: dict[DocumentKey, Effect] = {}
        self._accounts: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        self._parties: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        self._stock: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._movements: defaultdict[str, dict[DocumentKey, list[Movement]]] = defaultdict(dict)
        self._stocked: dict[str, Stocked] = {}
        self._costs: dict[str, Mapping[DocumentKey, list[Posting]]] = {}
        self._stale_items: set[str] = set()
        self._paid_by: defaultdict[DocumentKey, dict[str, Decimal]] = defaultdict(dict)
        self._pays: dict[str, dict[DocumentKey, Decimal]] = {}

    def record(self, document: DocumentKey, effect: Effect) -> None:
        """Replace what a document does; `NO_EFFECT` takes it out."""
        before = self._effects.pop(document, NO_EFFECT)
        self._add(before, -1)
        if effect != NO_EFFECT:
            self._effects[document] = effect
            self._add(effect, 1)
        if before.stocked is not None or effect.stocked is not None:
            self._keep(document[1], effect.stocked)
        for item in {movement.item for movement in (*before.stock, *effect.stock)}:
            moved = [movement for movement in effect.stock if movement.item == item]
            self._movements[item].pop(document, None)
            if moved:
                self._movements[item][document] = moved
            self._stale_items.add(item)

    def _keep(self, item: str, stocked: Stocked | None) -> None:
        self._stocked.pop(item, None)
        if stocked is not None:
            self._stocked[item] = stocked
        self._stale_items.add(item)

    def _add(self, effect: Effect, sign: int) -> None:
        for posting in effect.postings:
            self._accounts[posting.account] += sign * posting.amount
        for party, owed in effect.owed:
            self._parties[party] += sign * owed
        for movement in effect.stock:
            self._stock[movement.item] += sign * movement.quantity

    def _reckon(self) -> None:
        """Post the costs of what went, where anything about it has changed."""
        for item in self._stale_items:
            self._book(self._costs.pop(item, {}), -1)
            shelf = self.shelf(item)
            if shelf is not None:
                self._costs[item] = shelf.costs
                self._book(shelf.costs, 1)
        self._stale_items.clear()

    def _book(self, costs: Mapping[DocumentKey, list[Posting]], sign: int) -> None:
        for postings in costs.values():
            for posting in postings:
                self._accounts[posting.account] += sign * posting.amount

    def account(self, identifier: str) -> Decimal:
        """Debits less credits of an account."""
        self._reckon()
        return self._accounts.get(identifier, ZERO)

    def party(self, identifier: str) -> Decimal:
        """What a customer owes, or a vendor is owed."""
        return self._parties.get(identifier, ZERO)

    def stock(self, item: str) -> Decimal:
        """How many of an item documents have brought, less what they took."""
        return self._stock.get(item, Decimal(0))

    def accounts(self) -> dict[str, Decimal]:
        """Debits less credits of every account that was ever posted to."""
        self._reckon()
        return dict(self._accounts)

    def applied_to(self, document: DocumentKey, *, besides: str = "") -> Decimal:
        """How much payments have applied to an invoice or used up of a credit memo."""
        return sum((amount for payment, amount in self._paid_by.get(document, {}).items() if payment != besides), ZERO)

    def payments_of(self, document: DocumentKey) -> dict[str, Decimal]:
        """Payment Ids and their amounts on a document, in the order in which they came."""
        return dict(self._paid_by.get(document, {}))

    def links_of(self, payment: str) -> dict[DocumentKey, Decimal]:
        """What a payment is applied to."""
        return dict(self._pays.get(payment, {}))

    def all_links(self) -> dict[str, dict[DocumentKey, Decimal]]:
        """What each payment is applied to."""
        return {payment: dict(links) for payment, links in self._pays.items()}

    def effect_of(self, document: DocumentKey) -> Effect:
        """What one document does now."""
        self._reckon()
        return self._with_costs(document, self._effects.get(document, NO_EFFECT))

    def effects(self) -> Iterator[tuple[DocumentKey, Effect]]:
        """What each document does now."""
        self._reckon()
        return ((document, self._with_costs(document, effect)) for document, effect in self._effects.items())

    def _with_costs(self, document: DocumentKey, effect: Effect) -> Effect:
        items = dict.fromkeys(movement.item for movement in effect.stock)
        costs = [posting for item in items for posting in self._costs.get(item, {}).get(document, ())]
        return replace(effect, postings=(*effect.postings, *costs)) if costs else effect

    def shelf(self, item: str, until: str = "") -> Shelf | None:
        """What there is of an item of inventory, and how that came to be, now or at the end of a day; else None."""
        stocked = self._stocked.get(item)
        return shelf_of(stocked, self._movements[item], until) if stocked is not None else None

    def link(self, payment: str, links: Mapping[DocumentKey, Decimal]) -> list[DocumentKey]:
        """Replace what a payment is applied to; returns each document that it touched or touches."""
        before = self._pays.pop(payment, {})
        for document in before:
            self._paid_by[document].pop(payment, None)
            if not self._paid_by[document]:
                del self._paid_by[document]
        for document, amount in links.items():
            self._paid_by[document][payment] = amount
        if links:
            self._pays[payment] = dict(links)
        changed = [document for document in before if links.get(document) != before[document]]
        return changed + [document for document in links if document not in before]
