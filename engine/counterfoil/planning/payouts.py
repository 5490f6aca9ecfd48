"""What a payment processor paid out becomes one deposit: payments in, refunds and fee out, the rest in the bank."""

from decimal import Decimal

from counterfoil.planning.dates import NoDateError, plausible
from counterfoil.planning.exchange import currency_fields
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text, to_cents
from counterfoil.planning.outcome import Draft, DraftOrRefusal, carry, name_ref, named, private_note, record_ref
from counterfoil.planning.sales import no_date, template_values
from counterfoil.planning.templates import fill
from counterfoil.planning.types import LINE_KEY, Park, Plan, PlanRequest, StateView
from counterfoil_schema.events.decisions import Figures
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import Payout

_FEE = "fee"
_REST = "rest"


def plan_payout(record: Payout, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan a payout."""
    return carry(_draft(record, request.record_key, mapping, view), request, mapping, view)


def _draft(record: Payout, key: str, mapping: Mapping, view: StateView) -> DraftOrRefusal:
    section = mapping.payout
    if section.account is None:
        return _no_account(key, "into which account it went", "account")
    refusal = _missing_account(record, key, mapping) or _does_not_add_up(record, key)
    refusal = refusal or _unknown_part(record, key, view)
    if refusal is not None:
        return refusal
    try:
        day = plausible(record.dated)
    except NoDateError as error:
        return no_date(key, str(error))
    money = currency_fields(key, record.currency, record.exchange_rate, day, mapping, view)
    if isinstance(money, Park):
        return money
    amount = to_cents(record.amount)
    body: JsonObject = {
        "DepositToAccountRef": name_ref("Account", section.account),
        "TxnDate": day.isoformat(),
        **money,
        "Line": _lines(record, mapping),
        "PrivateNote": private_note(fill(section.memo, template_values(key, record))),
    }
    return Draft(
        document="payout",
        entity="Deposit",
        body=body,
        needs=tuple(dict.fromkeys(part.part_of for part in record.parts)),
        amount=amount,
        currency=record.currency,
        figures=Figures(currency=record.currency, home=view.home_currency(), net=amount, tax=Decimal(0)),
        edited=section.edited,
    )


def _from_account(mapping: Mapping) -> str | None:
    """Where the payments lie until then; None for Undeposited Funds."""
    return mapping.payout.from_account or mapping.payment.deposit_account


def _lines(record: Payout, mapping: Mapping) -> list[JsonValue]:
    amounts: dict[str, Decimal] = {}
    for part in record.parts:
        amounts[part.part_of] = amounts.get(part.part_of, Decimal(0)) + to_cents(part.amount)
    if not record.parts:
        amounts[_REST] = to_cents(record.amount) + to_cents(record.fee)
    held_in, fee_account = _from_account(mapping), mapping.payout.fee_account
    lines: list[JsonValue] = []
    for key, amount in amounts.items():
        if not amount:
            continue
        # Money that lies in Undeposited Funds is taken from there payment by payment (Intuit: deposit page).
        account = held_in if held_in is not None or amount > 0 else mapping.refund.account
        if account is None:
            linked: JsonObject = {"TxnId": record_ref(key), "TxnType": "Payment", "TxnLineId": "0"}
            lines.append({LINE_KEY: key, "Amount": amount, "LinkedTxn": [linked]})
        else:
            lines.append(_account_line(key, amount, account))
    if record.fee and fee_account is not None:
        lines.append(_account_line(_FEE, -to_cents(record.fee), fee_account))
    return lines


def _account_line(key: str, amount: Decimal, account: str) -> JsonObject:
    return {
        LINE_KEY: key,
        "Amount": amount,
        "DetailType": "DepositLineDetail",
        "DepositLineDetail": {"AccountRef": name_ref("Account", account)},
    }


def _missing_account(record: Payout, key: str, mapping: Mapping) -> Park | None:
    section = mapping.payout
    if record.fee and section.fee_account is None:
        return _no_account(
            key, f"where its fee of {text(to_cents(record.fee))} {record.currency} belongs", "fee_account"
        )
    if not record.parts and _from_account(mapping) is None:
        return Park(
            code="no_parts",
            reason=f"{named(key)} does not say which payments it passes on.",
            fix="Export them with it; or, where payments are posted to an account of the processor, "
            "name that in [payout] from_account.",
        )
    takes_back = any(part.amount < 0 for part in record.parts)
    if takes_back and _from_account(mapping) is None and mapping.refund.account is None:
        return Park(
            code="no_account",
            reason=f"{named(key)} is less a refund, and the mapping does not say from which account refunds are paid.",
            fix="Name it in [refund] account, or name the processor's own in [payout] from_account.",
        )
    return None


def _no_account(key: str, what: str, setting: str) -> Park:
    return Park(
        code="no_account",
        reason=f"{named(key)} is a payout, and the mapping does not say {what}.",
        fix=f"Name the account in [payout] {setting}.",
    )


def _does_not_add_up(record: Payout, key: str) -> Park | None:
    amount, fee = to_cents(record.amount), to_cents(record.fee)
    if amount <= 0 or fee < 0:
        return Park(
            code="negative_payout",
            reason=f"{named(key)} comes to {text(amount)} {record.currency} after a fee of {text(fee)}; "
            "a deposit is more than nothing.",
            fix="Enter it in QuickBooks as what it is, money paid to the processor; then mark this as settled.",
        )
    passed_on = sum((to_cents(part.amount) for part in record.parts), Decimal(0))
    if record.parts and passed_on - fee != amount:
        off = passed_on - fee - amount
        return Park(
            code="payout_mismatch",
            reason=f"{named(key)} passes on {text(passed_on)} {record.currency} less a fee of {text(fee)}, "
            f"but comes to {text(amount)}: a difference of {text(off)}.",
            fix="Correct its amounts at the source, or add the payment or refund that is missing there.",
        )
    return None


def _unknown_part(record: Payout, key: str, view: StateView) -> Park | None:
    for part in record.parts:
        if not view.is_known(part.part_of) and view.link(part.part_of) is None:
            return Park(
                code="unknown_payment",
                reason=f"{named(key)} passes on {named(part.part_of)}, which the source does not show.",
                fix="Restore it at the source, or correct the payout.",
            )
    return None
