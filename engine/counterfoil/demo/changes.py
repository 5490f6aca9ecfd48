"""What people do while the engine works: in HubSpot and in QuickBooks, decided before anything starts."""

from dataclasses import dataclass
from datetime import date, time

from counterfoil.demo.dice import Dice
from counterfoil.demo.generator import closing, new_customer, new_lines
from counterfoil.demo.sample import ChangeCounts, SaleLine, Sample, SampleCustomer, SampleDeal

__all__ = [
    "AddLine",
    "Change",
    "ChangePhone",
    "ChangeQuantity",
    "CreditInvoice",
    "DeletePayment",
    "EditInvoice",
    "NewCustomer",
    "Payment",
    "WinDeal",
    "count_of",
    "make_changes",
]

PAID_ON = date(2026, 7, 6)
BOOKKEEPERS_DUE_DATE = date(2026, 9, 30)
BOOKKEEPERS_LINE_CENTS = 4_500
_NEW_ID = 9_001
_PAID_TOGETHER = 3


@dataclass(frozen=True, slots=True)
class WinDeal:
    """HubSpot: an open deal is won."""

    deal_id: int


@dataclass(frozen=True, slots=True)
class ChangeQuantity:
    """HubSpot: the quantity on the first line of a won deal changes, and the deal's amount with it."""

    deal_id: int
    line: SaleLine
    stated: int


@dataclass(frozen=True, slots=True)
class ChangePhone:
    """HubSpot: a customer gets another telephone number."""

    customer_id: int
    phone: str


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """HubSpot: a new company, and a deal with it that is won at once."""

    customer: SampleCustomer
    deal: SampleDeal


@dataclass(frozen=True, slots=True)
class Payment:
    """QuickBooks: a payment is entered; `parts` are cents by invoice number, `surplus` is applied to nothing."""

    name: str
    customer_id: int
    parts: tuple[tuple[str, int], ...]
    surplus: int = 0

    @property
    def cents(self) -> int:
        """The money received."""
        return sum(cents for _, cents in self.parts) + self.surplus


@dataclass(frozen=True, slots=True)
class DeletePayment:
    """QuickBooks: a payment is deleted again."""

    name: str


@dataclass(frozen=True, slots=True)
class CreditInvoice:
    """QuickBooks: a credit memo is entered and applied to the whole of an invoice."""

    number: str
    customer_id: int
    product_id: int
    cents: int


@dataclass(frozen=True, slots=True)
class EditInvoice:
    """QuickBooks: a bookkeeper sets the due date of an invoice."""

    number: str
    due: date


@dataclass(frozen=True, slots=True)
class AddLine:
    """QuickBooks: a bookkeeper adds a line of their own to an invoice."""

    number: str
    cents: int


Change = (
    WinDeal
    | ChangeQuantity
    | ChangePhone
    | NewCustomer
    | Payment
    | DeletePayment
    | CreditInvoice
    | EditInvoice
    | AddLine
)


def make_changes(seed: int, sample: Sample, counts: ChangeCounts) -> tuple[Change, ...]:
    """The live changes in their order; the bookkeeper's line comes on top of what `counts` names.

    A deal is touched from one side only, but for two: the one with the bookkeeper's line and the one with the
    bookkeeper's due date get another quantity afterwards, which must take neither away.
    """
    dice = Dice(seed, "changes")
    fit = [deal for deal in sample.deals if deal.won and not deal.trouble][:-10]
    edited = fit[: counts.quantities]
    left = fit[counts.quantities :]
    payments = _payments(dice, left, counts)
    waiting = [deal for deal in sample.deals if not deal.won]
    steps: list[Change] = [AddLine(edited[0].number, BOOKKEEPERS_LINE_CENTS)]
    steps += [EditInvoice(deal.number, BOOKKEEPERS_DUE_DATE) for deal in edited[1 : 1 + counts.edited]]
    others: list[Change] = [WinDeal(deal.deal_id) for deal in waiting[: counts.wins]]
    others += [_quantity(dice, deal) for deal in edited]
    changed = dice.several(sample.customers[3:], counts.phones)
    others += [ChangePhone(one.customer_id, f"+1 646 555 {one.customer_id:04d}") for one in changed]
    others += [_newcomer(dice, sample, place) for place in range(counts.new_customers)]
    return (*steps, *_interleaved(payments, others))


def count_of(changes: tuple[Change, ...]) -> int:
    """How many changes these are to people: a new customer with its deal is two, the bookkeeper's line not counted."""
    return sum(2 if isinstance(one, NewCustomer) else 0 if isinstance(one, AddLine) else 1 for one in changes)


def _payments(dice: Dice, left: list[SampleDeal], counts: ChangeCounts) -> list[Change]:
    together = _of_one_customer(left, counts.paid_together)
    used = {deal.number for group in together for deal in group}
    single = iter([deal for deal in left if deal.number not in used])
    steps: list[Change] = []
    for _ in range(counts.paid):
        deal = next(single)
        steps.append(_payment(deal, deal.cents))
    for _ in range(counts.paid_in_part):
        deal = next(single)
        steps.append(_payment(deal, deal.cents * dice.between(20, 80) // 100))
    for _ in range(counts.overpaid):
        deal = next(single)
        steps.append(_payment(deal, deal.cents, surplus=dice.between(100, 20_000)))
    for group in together:
        parts = tuple((deal.number, deal.cents) for deal in group)
        steps.append(Payment(f"payment of {len(group)} invoices {group[0].number}", group[0].customer_id, parts))
    taken_back = [_payment(deal, deal.cents) for deal in (next(single) for _ in range(counts.taken_back))]
    steps.extend(taken_back)
    for _ in range(counts.credited):
        deal = next(single)
        steps.append(CreditInvoice(deal.number, deal.customer_id, deal.lines[0].product_id, deal.cents))
    steps.extend(DeletePayment(payment.name) for payment in taken_back)
    return steps


def _payment(deal: SampleDeal, cents: int, surplus: int = 0) -> Payment:
    return Payment(f"payment of invoice {deal.number}", deal.customer_id, ((deal.number, cents),), surplus)


def _of_one_customer(deals: list[SampleDeal], groups: int) -> list[list[SampleDeal]]:
    """Several deals each of one customer."""
    by_customer: dict[int, list[SampleDeal]] = {}
    for deal in deals:
        by_customer.setdefault(deal.customer_id, []).append(deal)
    enough = [group[:_PAID_TOGETHER] for group in by_customer.values() if len(group) >= _PAID_TOGETHER]
    return enough[:groups]


def _quantity(dice: Dice, deal: SampleDeal) -> ChangeQuantity:
    first = deal.lines[0]
    line = SaleLine(
        line_id=first.line_id,
        product_id=first.product_id,
        name=first.name,
        quantity=first.quantity + dice.between(1, 9),
        cents_each=first.cents_each,
        percent_off=first.percent_off,
    )
    return ChangeQuantity(deal.deal_id, line, deal.cents - first.cents + line.cents)


def _newcomer(dice: Dice, sample: Sample, place: int) -> NewCustomer:
    customer = new_customer(dice, _NEW_ID + place, f"Newcomer Number {place + 1} Trading")
    lines = new_lines(dice, 900_001 + 10 * place, sample.products)
    last = max(int(deal.number) for deal in sample.deals if not deal.trouble)
    deal = SampleDeal(
        deal_id=_NEW_ID + place,
        number=str(last + 1 + place),
        name=f"{customer.name}: first order",
        customer_id=customer.customer_id,
        closed=closing(date(2026, 6, 29), time(9 + place, 15)),
        won=True,
        lines=lines,
        stated=sum(line.cents for line in lines),
    )
    return NewCustomer(customer, deal)


def _interleaved(first: list[Change], second: list[Change]) -> list[Change]:
    """Both in their own order, by turns."""
    mixed: list[Change] = []
    for place in range(max(len(first), len(second))):
        mixed += first[place : place + 1]
        mixed += second[place : place + 1]
    return mixed
