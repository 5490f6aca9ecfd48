"""Makes the sample company from a seed: customers, products, deals, with the awkward ones that every CRM holds."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from counterfoil.demo.dice import Dice
from counterfoil.demo.payroll import DEPARTMENTS, employees, pay_runs
from counterfoil.demo.sample import SaleLine, Sample, SampleCustomer, SampleDeal, SampleProduct, Size
from counterfoil.demo.words import ACTIVITIES, CITIES, PEOPLE, PLACES, PRODUCTS, STREETS

ZONE = "America/New_York"
FIRST_DAY = date(2026, 1, 5)
LAST_DAY = date(2026, 6, 26)
FIRST_NUMBER = 101
LONG_NUMBER = "PO-2026-ACME-HEADQUARTERS-0001"
SAME_NAME = "Harbor View Dental"
COLON_NAME = "Northside Group: Facilities"
UNKNOWN_PRODUCT = 2_999
MISMATCH_CENTS = 5_000
_SPECIAL_CUSTOMERS = 3


def make_sample(seed: int, size: Size) -> Sample:
    """The sample company of a seed; the same for the same seed and size."""
    customers = _customers(Dice(seed, "customers"), size.customers)
    products = _products(Dice(seed, "products"), size.products)
    dice = Dice(seed, "deals")
    won = [_deal(dice, place, customers, products, won=True) for place in range(size.won)]
    waiting = [_deal(dice, size.won + place, customers, products, won=False) for place in range(size.open)]
    people = employees(Dice(seed, "employees"), size.employees)
    return Sample(
        customers=customers,
        products=products,
        deals=(*_with_specials(won, customers), *waiting),
        departments=DEPARTMENTS,
        employees=people,
        pay_runs=pay_runs(Dice(seed, "pay runs"), people, size.pay_runs),
    )


def new_customer(dice: Dice, customer_id: int, name: str) -> SampleCustomer:
    """One customer; the phone number follows from the id and is borne by nobody else."""
    city, state, postal_code = dice.pick(CITIES)
    return SampleCustomer(
        customer_id=customer_id,
        name=name,
        phone=f"+1 212 555 {customer_id:04d}",
        street=f"{dice.between(1, 980)} {dice.pick(STREETS)}",
        city=city,
        state=state,
        postal_code=postal_code,
    )


def new_lines(dice: Dice, first_line_id: int, products: tuple[SampleProduct, ...]) -> tuple[SaleLine, ...]:
    """One to six lines of different products; every fifth with a discount, so that some are no whole cent."""
    chosen = dice.several(products, min(dice.between(1, 6), len(products)))
    return tuple(
        SaleLine(
            line_id=first_line_id + place,
            product_id=product.product_id,
            name=product.name,
            quantity=dice.between(1, 24),
            cents_each=product.cents,
            percent_off=dice.pick((5, 10, 15, 25, 33)) if dice.chance(20) else 0,
        )
        for place, product in enumerate(chosen)
    )


def closing(day: date, at: time) -> datetime:
    """An instant by the clock on the company's wall."""
    return datetime.combine(day, at, tzinfo=ZoneInfo(ZONE))


def _customers(dice: Dice, count: int) -> tuple[SampleCustomer, ...]:
    names = [SAME_NAME, SAME_NAME, COLON_NAME]
    known = set(names)
    while len(names) < count:
        name = f"{dice.pick(PLACES)} {dice.pick(ACTIVITIES)}"
        if dice.chance(30):
            name = f"{dice.pick(PEOPLE)[1]} & {dice.pick(PEOPLE)[1]} {dice.pick(ACTIVITIES)}"
        if name not in known:
            known.add(name)
            names.append(name)
    return tuple(new_customer(dice, 1_001 + place, name) for place, name in enumerate(names))


def _products(dice: Dice, count: int) -> tuple[SampleProduct, ...]:
    return tuple(
        SampleProduct(2_001 + place, PRODUCTS[place], f"SKU-{place + 1:03d}", dice.between(195, 48_995))
        for place in range(count)
    )


def _deal(
    dice: Dice, place: int, customers: tuple[SampleCustomer, ...], products: tuple[SampleProduct, ...], *, won: bool
) -> SampleDeal:
    customer = dice.pick(customers)
    day = FIRST_DAY + timedelta(days=dice.below((LAST_DAY - FIRST_DAY).days + 1))
    lines = new_lines(dice, 100_001 + 10 * place, products)
    deal_id = 5_001 + place
    return SampleDeal(
        deal_id=deal_id,
        number=str(FIRST_NUMBER + place),
        name=f"{customer.name}: {lines[0].name}",
        customer_id=customer.customer_id,
        closed=closing(day, time(dice.between(8, 18), dice.between(0, 59))),
        won=won,
        lines=lines,
        stated=sum(line.cents for line in lines),
    )


def _with_specials(won: list[SampleDeal], customers: tuple[SampleCustomer, ...]) -> list[SampleDeal]:
    """The awkward ones take the places of ordinary ones near the end, which no live change touches."""
    deals = list(won)
    # The first three customers are the special ones: each has a sale.
    for place in range(_SPECIAL_CUSTOMERS):
        deals[-10 + place] = replace(deals[-10 + place], customer_id=customers[place].customer_id)
    late = deals[-6]
    deals[-6] = replace(late, closed=closing(date(2026, 3, 31), time(23, 30)), name=f"{late.name} (signed at 23:30)")
    deals[-5] = replace(deals[-5], number=LONG_NUMBER, trouble="number_too_long")
    unknown = deals[-4].lines[0]
    lines = (replace(unknown, product_id=UNKNOWN_PRODUCT, name="A product that was purged"), *deals[-4].lines[1:])
    deals[-4] = replace(deals[-4], lines=lines, trouble="unknown_product")
    deals[-3] = replace(deals[-3], lines=(), trouble="no_lines")
    deals[-2] = replace(deals[-2], stated=deals[-2].stated + MISMATCH_CENTS, trouble="total_mismatch")
    sunny = replace(deals[-1].lines[0], name="Sunflower bouquet \N{SUNFLOWER}")
    deals[-1] = replace(deals[-1], lines=(sunny, *deals[-1].lines[1:]), trouble="2040")
    return deals
