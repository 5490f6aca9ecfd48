"""Payment and BillPayment: what they are applied to, what stays unapplied, and what they post."""

from decimal import Decimal

from counterfoil.quickbooks.emulator import chart, faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.fields import rows
from counterfoil.quickbooks.emulator.ledger import Ledger
from counterfoil.quickbooks.emulator.lines import line_amount
from counterfoil.quickbooks.emulator.parties import currency
from counterfoil.quickbooks.emulator.postings import DocumentKey, Effect, Posting
from counterfoil.quickbooks.emulator.sales import deposit_of
from counterfoil.quickbooks.emulator.tables import Tables
from counterfoil.quickbooks.emulator.values import ZERO, as_object, as_text, cents, reference_id, to_decimal
from counterfoil_schema.exact_json import JsonObject, JsonValue

LINKABLE = {
    "Payment": frozenset({"Invoice", "CreditMemo", "JournalEntry"}),
    "BillPayment": frozenset({"Bill", "VendorCredit", "JournalEntry", "Deposit"}),
}
WITHOUT_BALANCE = frozenset({"JournalEntry", "Deposit"})
"""What parties owe, or are owed, by its lines, without a balance of its own."""
PARTY = {"Payment": "CustomerRef", "BillPayment": "VendorRef"}
CREDITS = frozenset({"CreditMemo", "VendorCredit"})
PAID_FROM = {"Check": ("CheckPayment", "BankAccountRef", "Bank"),
             "CreditCard": ("CreditCardPayment", "CCAccountRef", "Credit Card")}  # fmt: skip


def shape_payment(draft: Draft) -> Shaped:
    """A payment applied to invoices and credit memos of its customer.

    Raises:
        QuickBooksFaultError: 2020, 610 for an unknown document, 620 for one that cannot be linked, 6000 for too much.
    """
    body = dict(draft.body)
    for name in ("CustomerRef", "TotalAmt"):
        if name not in body:
            raise faults.required(name)
    total = cents(to_decimal(body["TotalAmt"], "TotalAmt"))
    if total < ZERO:
        raise faults.negative_amount("TotalAmt")
    customer = draft.resolve(body["CustomerRef"], "Customer", "CustomerRef")
    body["CustomerRef"] = draft.reference(body["CustomerRef"], "Customer", "CustomerRef")
    for name, entity in (("PaymentMethodRef", "PaymentMethod"), ("DepositToAccountRef", "Account"),
                         ("ARAccountRef", "Account")):  # fmt: skip
        if name in body:
            body[name] = draft.reference(body[name], entity, name)
    body.setdefault("DepositToAccountRef", {"value": chart.UNDEPOSITED_FUNDS, "name": "Undeposited Funds"})
    body.setdefault("TxnDate", draft.today.isoformat())
    body.setdefault("ProcessPayment", False)
    body["CurrencyRef"] = currency(draft, reference_id(body.get("CurrencyRef")) or reference_id(
        customer.body.get("CurrencyRef")))  # fmt: skip
    links, lines = _links(draft, customer.id)
    applied = _applied(links, total)
    body["Line"] = lines
    body["TotalAmt"] = total
    body["UnappliedAmt"] = total - applied
    return Shaped(body, links=links)


def payment_effect(body: JsonObject) -> Effect:
    """Money against the receivable; what is applied to no invoice is owed to the customer."""
    total = to_decimal(body.get("TotalAmt", 0), "TotalAmt")
    postings: tuple[Posting, ...] = ()
    if total:
        account = reference_id(body.get("DepositToAccountRef")) or chart.UNDEPOSITED_FUNDS
        postings = (Posting(account, total), Posting(chart.ACCOUNTS_RECEIVABLE, -total))
    return Effect(postings, ((reference_id(body.get("CustomerRef")), _moved_balances(body) - total),))


def shape_bill_payment(draft: Draft) -> Shaped:
    """A payment of bills, less the vendor's credits that it uses.

    Raises:
        QuickBooksFaultError: 2020, 2170 for another way of paying, 610, 620 and 6000 as of a customer's payment.
    """
    body = dict(draft.body)
    for name in ("VendorRef", "TotalAmt", "PayType"):
        if name not in body:
            raise faults.required(name)
    total = cents(to_decimal(body["TotalAmt"], "TotalAmt"))
    if total < ZERO:
        raise faults.negative_amount("TotalAmt")
    vendor = draft.resolve(body["VendorRef"], "Vendor", "VendorRef")
    body["VendorRef"] = draft.reference(body["VendorRef"], "Vendor", "VendorRef")
    part, name, wanted = PAID_FROM[as_text(body["PayType"])]
    means = dict(as_object(body.get(part)))
    account = draft.resolve(means.get(name), "Account", f"{part}.{name}")
    if as_text(account.body.get("AccountType")) != wanted:
        raise faults.wrong_account(f"{part}.{name} must name an account of type {wanted}.", name)
    body[part] = {**means, name: draft.reference(means[name], "Account", f"{part}.{name}")}
    body.setdefault("TxnDate", draft.today.isoformat())
    body["CurrencyRef"] = currency(draft, reference_id(vendor.body.get("CurrencyRef")))
    links, lines = _links(draft, vendor.id)
    if not links:
        raise faults.required("Line")
    _applied(links, total)
    body["Line"] = lines
    body["TotalAmt"] = total
    return Shaped(body, links=links)


def bill_payment_effect(body: JsonObject) -> Effect:
    """The payable against the money; what is applied to no bill is the vendor's debt to us."""
    total = to_decimal(body.get("TotalAmt", 0), "TotalAmt")
    part, name, _ = PAID_FROM[as_text(body["PayType"])]
    postings: tuple[Posting, ...] = ()
    if total:
        account = reference_id(as_object(body.get(part)).get(name))
        postings = (Posting(chart.ACCOUNTS_PAYABLE, total), Posting(account, -total))
    return Effect(postings, ((reference_id(body.get("VendorRef")), _moved_balances(body) - total),))


def _moved_balances(body: JsonObject) -> Decimal:
    """What the balances of other documents fell by, which so stay out of their own effects; of journal entries and
    deposits, which carry no balance, the whole effect stays.
    """
    return sum(
        (
            to_decimal(line.get("Amount", 0), "Amount") * (-1 if kind in CREDITS else 1)
            for line in rows(body, "Line")
            for kind in (as_text(link.get("TxnType")) for link in rows(line, "LinkedTxn"))
            if kind not in WITHOUT_BALANCE
        ),
        ZERO,
    )


def open_on_account(key: DocumentKey, party: str, tables: Tables, ledger: Ledger, *, besides: str = "") -> Decimal:
    """What a customer still owes, or a vendor is owed, by an entry or a deposit; of a credit it is negative."""
    owed = sum((amount for who, amount in ledger.effect_of(key).owed if who == party), ZERO)
    for payment, amount in ledger.payments_of(key).items():
        if payment != besides and payer(tables, payment) == party:
            owed -= amount
    return owed


def overdrawn_on_account(key: DocumentKey, tables: Tables, ledger: Ledger) -> list[str]:
    """The payments whose party a document, changed since, gives less than they are applied to."""
    overdrawn: list[str] = []
    for payment, amount in ledger.payments_of(key).items():
        left = open_on_account(key, payer(tables, payment), tables, ledger)
        if left and (left > ZERO) != (amount > ZERO):
            overdrawn.append(payment)
    return overdrawn


def payer(tables: Tables, payment: str) -> str:
    """Whose payment it is."""
    for entity, name in PARTY.items():
        row = tables.get(entity, payment)
        if row is not None:
            return reference_id(row.body.get(name))
    return ""


def _applied(links: dict[DocumentKey, Decimal], total: Decimal) -> Decimal:
    applied = sum((-amount if key[0] in CREDITS else amount for key, amount in links.items()), ZERO)
    if applied > total:
        raise faults.business("The amount applied to the linked transactions exceeds the amount of the payment.")
    return applied


def relinked(body: JsonObject, links: dict[DocumentKey, Decimal]) -> JsonObject:
    """The payment after the server changed its links: lines and unapplied amount follow."""
    total = to_decimal(body.get("TotalAmt", 0), "TotalAmt")
    applied = sum((-amount if key[0] in CREDITS else amount for key, amount in links.items()), ZERO)
    lines: list[JsonValue] = [
        {"Amount": abs(amount), "LinkedTxn": [{"TxnId": identifier, "TxnType": entity}]}
        for (entity, identifier), amount in links.items()
    ]
    if "VendorRef" in body:
        return {**body, "Line": lines}
    return {**body, "Line": lines, "UnappliedAmt": total - applied}


def voided_payment(body: JsonObject) -> JsonObject:
    """The payment at zero, applied to nothing, its note marked."""
    note = f"Voided - {as_text(body.get('PrivateNote'))}"[:4000].removesuffix(" - ")
    empty: JsonObject = {**body, "Line": [], "TotalAmt": ZERO, "PrivateNote": note}
    if "UnappliedAmt" in body:
        empty["UnappliedAmt"] = ZERO
    return empty


def _links(draft: Draft, party: str) -> tuple[dict[DocumentKey, Decimal], list[JsonValue]]:
    links: dict[DocumentKey, Decimal] = {}
    kept: list[JsonValue] = []
    for line in rows(draft.body, "Line"):
        amount = line_amount(line)
        if amount <= ZERO:
            raise faults.negative_amount("Line.Amount")
        linked = rows(line, "LinkedTxn")
        if len(linked) != 1:
            raise faults.required("Line.LinkedTxn")
        key = _linked_document(draft, linked[0], party)
        links[key] = links.get(key, ZERO) + amount
        reference: JsonObject = {"TxnId": key[1], "TxnType": key[0]}
        kept.append({"Amount": amount, "LinkedTxn": [reference]})
    for key, amount in links.items():
        document = draft.tables.find(*key)
        if key[0] in WITHOUT_BALANCE:
            left = open_on_account(key, party, draft.tables, draft.ledger, besides=draft.identifier)
            if amount > abs(left):
                raise faults.business(f"The amount applied to {key[0]} {key[1]} exceeds its open balance.")
            links[key] = amount if left > ZERO else -amount
            continue
        total = to_decimal(document.body.get("TotalAmt", 0), "TotalAmt") - deposit_of(key[0], document.body)
        if amount > total - draft.ledger.applied_to(key, besides=draft.identifier):
            raise faults.business(f"The amount applied to {key[0]} {key[1]} exceeds its open balance.")
    return links, kept


def _linked_document(draft: Draft, link: JsonObject, party: str) -> DocumentKey:
    entity, identifier = as_text(link.get("TxnType")), as_text(link.get("TxnId"))
    if not entity or not identifier:
        raise faults.required("LinkedTxn.TxnId")
    if entity not in LINKABLE[draft.spec.name]:
        raise faults.cannot_link(f"A payment cannot be linked to a transaction of type {entity[:40]}.")
    document = draft.tables.find(entity, identifier)
    if entity in WITHOUT_BALANCE:
        if open_on_account((entity, identifier), party, draft.tables, draft.ledger, besides=draft.identifier) == ZERO:
            raise faults.cannot_link(f"{entity} {identifier} has nothing open for this party.")
        return entity, identifier
    if reference_id(document.body.get(PARTY[draft.spec.name])) != party:
        raise faults.cannot_link(f"{entity} {identifier} belongs to another {PARTY[draft.spec.name][:-3].lower()}.")
    return entity, identifier
