"""Whether a document in the books comes to what it must: net, tax, rate and home money, each apart and to the cent.

What QuickBooks works out by itself (tax, worth at home) is compared with the source's word. Tax may differ by the
mapping's tolerance, because both sides round; worth at home by a cent, which rounding explains. All else is exact.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal

from counterfoil.planning.money import CENT, plain, text, to_cents
from counterfoil.planning.types import Link
from counterfoil.planning.values import line_id, number, real_lines
from counterfoil_schema.events.decisions import Figures, TieOut
from counterfoil_schema.exact_json import JsonObject, JsonValue

NOTHING = Decimal(0)
_DEPOSITED = frozenset({"Payment", "SalesReceipt"})
_SUMMED = frozenset({"TxnTaxDetail", "GlobalTaxCalculation", "CurrencyRef", "ExchangeRate", "TotalAmt"})
OFF = "does_not_tie_out"
"""The code of what stands in the books and does not come to what it must."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The books' figures, and in words by how much they are off; `off` is empty where they tie out."""

    tie: TieOut
    off: tuple[str, ...]


def compare(
    figures: Figures, document: JsonObject, ours: AbstractSet[str] | None, rate: Decimal | None
) -> Compared | None:
    """The document against its figures.

    Args:
        figures: what it must come to.
        document: as QuickBooks shows it.
        ours: ids of the lines that stand for the source's; None where all of them do. Tax and total are judged only
            where no line of somebody else is among them.
        rate: the rate that was sent with it.

    Returns:
        None for a document that says nothing of a total (a list entry).
    """
    if any("JournalEntryLineDetail" in line for line in real_lines(document)):
        return _entry(figures, document, ours)
    if "TotalAmt" not in document:
        return None
    if _is_deposit(document):
        return _deposit(figures, document, ours, rate)
    # Lines of a payment have no detail: they say what is paid, not what is sold.
    lines = [line for line in real_lines(document) if "Amount" in line and "DetailType" in line]
    own = lines if ours is None else [line for line in lines if line_id(line) in ours]
    alone = len(own) == len(lines)
    total, tax = number(document["TotalAmt"]), number(_part(document, "TxnTaxDetail").get("TotalTax"))
    expected = figures.net + figures.tax if figures.tax is not None and alone else None
    home_total = document.get("HomeTotalAmt")
    foreign = figures.currency != figures.home
    tie = TieOut(
        currency=figures.currency,
        total=total,
        tax=tax,
        expected=expected,
        rate=rate if foreign else None,
        home_total=number(home_total) if foreign and home_total is not None else None,
    )
    off = (*_money(figures, document, rate), *_sums(figures, own, total, tax, expected, is_sale=bool(lines)))
    return Compared(tie=tie, off=off)


def _entry(figures: Figures, document: JsonObject, ours: AbstractSet[str] | None) -> Compared:
    """A journal entry by its sides: its own total is always 0 (Intuit: journal entry page)."""
    sides = {"Debit": NOTHING, "Credit": NOTHING}
    lines = real_lines(document)
    for line in lines:
        side = str(_part(line, "JournalEntryLineDetail").get("PostingType"))
        sides[side] = sides.get(side, NOTHING) + number(line.get("Amount"))
    alone = ours is None or {line_id(line) for line in lines} <= ours
    off = [
        _differs(f"its {side.lower()}s come to", held, figures.net, figures.currency)
        for side, held in sides.items()
        if alone and held != figures.net
    ]
    tie = TieOut(
        currency=figures.currency,
        total=sides["Debit"],
        tax=NOTHING,
        expected=figures.net if alone else None,
    )
    return Compared(tie=tie, off=tuple(off))


def _is_deposit(document: JsonObject) -> bool:
    """Of all documents only a deposit takes up payments, or names an account by line like this."""
    lines = real_lines(document)
    return any("DepositLineDetail" in line or _links(line) & _DEPOSITED for line in lines)


def _links(line: JsonObject) -> AbstractSet[str]:
    links = line.get("LinkedTxn")
    return {str(link.get("TxnType")) for link in links if isinstance(link, dict)} if isinstance(links, list) else set()


def _deposit(figures: Figures, document: JsonObject, ours: AbstractSet[str] | None, rate: Decimal | None) -> Compared:
    """A deposit by its total: what its lines take up or give away is no sale."""
    total = number(document["TotalAmt"])
    alone = ours is None or {line_id(line) for line in real_lines(document)} <= ours
    off = list(_money(figures, document, rate))
    if alone and total != figures.net:
        off.append(_differs("its total is", total, figures.net, figures.currency))
    foreign = figures.currency != figures.home
    home_total = document.get("HomeTotalAmt")
    tie = TieOut(
        currency=figures.currency,
        total=total,
        tax=NOTHING,
        expected=figures.net if alone else None,
        rate=rate if foreign else None,
        home_total=number(home_total) if foreign and home_total is not None else None,
    )
    return Compared(tie=tie, off=tuple(off))


def is_the_source_s(kept: Iterable[str]) -> bool:
    """Whether a document can come to the source's figures, where these fields and lines are left to the books."""
    return not any(name.startswith("Line[") or name in _SUMMED for name in kept)


def still_off(figures: Figures | None, link: Link) -> tuple[str, ...]:
    """What was off right after our own last write, and still is."""
    if figures is None or not is_the_source_s(link.bases):
        return ()
    ours = frozenset(link.lines.values()) or None
    sent = link.sent.get("ExchangeRate")
    rate = number(sent) if sent is not None else None
    at_first = compare(figures, link.image, ours, rate)
    if at_first is None or not at_first.off:
        return ()
    now = compare(figures, link.latest, ours, rate)
    return now.off if now is not None else ()


def told(record: str, document: str, off: Sequence[str]) -> tuple[str, str]:
    """Reason and remedy, for people."""
    reason = f"{record} stands in QuickBooks as {document}, but does not tie out: {'; '.join(off)}."
    fix = "Correct the document in QuickBooks, or the record at the source; then retry it, or mark it as settled."
    return reason, fix


def _money(figures: Figures, document: JsonObject, rate: Decimal | None) -> Iterator[str]:
    held = _part(document, "CurrencyRef").get("value")
    if isinstance(held, str) and held != figures.currency:
        yield f"it is in {held}, not in {figures.currency}"
    if figures.currency == figures.home or rate is None:
        return
    stored = document.get("ExchangeRate")
    if stored is not None and number(stored) != rate:
        yield f"its rate is {plain(number(stored)):f}, not {plain(rate):f}"
    home = document.get("HomeTotalAmt")
    worth = to_cents(number(document["TotalAmt"]) * rate)
    if home is not None and abs(number(home) - worth) > CENT:
        yield (
            f"it is worth {text(number(home))} {figures.home}, not {text(worth)}: "
            f"a difference of {text(number(home) - worth)}"
        )


def _sums(
    figures: Figures, own: list[JsonObject], total: Decimal, tax: Decimal, expected: Decimal | None, *, is_sale: bool
) -> Iterator[str]:
    currency = figures.currency
    summed = sum((number(line["Amount"]) for line in own), NOTHING) if is_sale else figures.net
    slack = figures.tolerance if figures.included else NOTHING
    if abs(summed - figures.net) > slack:
        yield _differs("its lines come to", summed, figures.net, currency)
    if expected is None or figures.tax is None:
        return
    if abs(tax - figures.tax) > figures.tolerance:
        yield _differs("its tax is", tax, figures.tax, currency)
    elif abs(total - expected) > (NOTHING if figures.included else figures.tolerance):
        yield _differs("its total is", total, expected, currency)


def _differs(what: str, held: Decimal, wanted: Decimal, currency: str) -> str:
    return f"{what} {text(held)} {currency}, not {text(wanted)}: a difference of {text(held - wanted)}"


def _part(document: JsonObject, name: str) -> JsonObject:
    part: JsonValue = document.get(name)
    return part if isinstance(part, dict) else {}
