"""A page that shows the books: what the accounts hold, what there is of each kind, and what happened last."""

from collections.abc import Iterable, Sequence
from html import escape

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.catalog import ENTITIES
from counterfoil.quickbooks.emulator.values import ZERO, as_text
from counterfoil.quickbooks.emulator.views import amount_of

EFFECTS_SHOWN = 50
DOCUMENTS_SHOWN = 25
STYLE = (
    "body{font:15px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:.5rem 0 2rem;width:100%}"
    "td,th{border-bottom:1px solid #ddd;padding:.25rem .6rem;text-align:left}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}h1{font-size:1.5rem}h2{font-size:1.1rem}"
)


def books_page(books: Books) -> str:
    """The page, whole, without scripts."""
    company = books.tables.find("CompanyInfo", "1").body
    title = escape(as_text(company.get("CompanyName")))
    parts = [
        f"<h1>{title}</h1><p>{books.today():%d %B %Y} in the company, {escape(books.home_currency)}.</p>",
        _table("Trial balance", ("Account", "Type", "*Debit", "*Credit"), _accounts(books)),
        _table("Records", ("Kind", "*How many", "*Total"), _kinds(books)),
        _table("Latest invoices", ("Number", "Date", "Customer", "*Total", "*Open"), _invoices(books)),
        _table("What happened last", ("Time", "What", "Record", "*Amount", "By"), _effects(books)),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    kinds = [' class="n"' if head.startswith("*") else "" for head in heads]
    top = _cells("th", kinds, [head.removeprefix("*") for head in heads])
    body = "".join(f"<tr>{_cells('td', kinds, row)}</tr>" for row in rows)
    empty = f'<tr><td colspan="{len(heads)}">none</td></tr>'
    return f"<h2>{escape(title)}</h2><table><tr>{top}</tr>{body or empty}</table>"


def _cells(tag: str, kinds: Sequence[str], texts: Sequence[str]) -> str:
    return "".join(f"<{tag}{kind}>{escape(text)}</{tag}>" for kind, text in zip(kinds, texts, strict=True))


def _accounts(books: Books) -> Iterable[Sequence[str]]:
    left = right = ZERO
    for identifier, balance in sorted(books.ledger.accounts().items(), key=lambda pair: int(pair[0])):
        if not balance:
            continue
        account = books.tables.find("Account", identifier).body
        debit, credit = max(balance, ZERO), max(-balance, ZERO)
        left, right = left + debit, right + credit
        name, kind = as_text(account.get("FullyQualifiedName")), as_text(account.get("AccountType"))
        yield f"{identifier} {name}", kind, f"{debit:,.2f}" if debit else "", f"{credit:,.2f}" if credit else ""
    if left or right:
        yield "Total", "", f"{left:,.2f}", f"{right:,.2f}"


def _kinds(books: Books) -> Iterable[Sequence[str]]:
    for name, spec in ENTITIES.items():
        rows = books.tables.table(name).rows
        if rows and spec.kind in {"list", "transaction", "file", "template"}:
            amounts = [amount_of(name, row.body) for row in rows.values()] if spec.kind == "transaction" else []
            total = sum((amount for amount in amounts if amount is not None), ZERO)
            yield name, f"{len(rows):,}", f"{total:,.2f}" if amounts else ""


def _invoices(books: Books) -> Iterable[Sequence[str]]:
    latest = sorted(books.tables.table("Invoice").rows.values(), key=lambda row: int(row.id), reverse=True)
    for row in latest[:DOCUMENTS_SHOWN]:
        body = row.body
        customer = body.get("CustomerRef")
        yield (
            as_text(body.get("DocNumber")),
            as_text(body.get("TxnDate")),
            as_text(customer.get("name")) if isinstance(customer, dict) else "",
            f"{body.get('TotalAmt')}",
            f"{body.get('Balance')}",
        )


def _effects(books: Books) -> Iterable[Sequence[str]]:
    journal = books.journal
    for effect in reversed(journal.after(max(0, len(journal) - EFFECTS_SHOWN), EFFECTS_SHOWN)):
        amount = "" if effect.amount is None else f"{effect.amount:,.2f}"
        record = f"{effect.entity} {effect.id}" + (f" “{effect.name}”" if effect.name else "")
        yield effect.at.isoformat(timespec="seconds"), effect.operation, record, amount, effect.origin.app
