"""Gusto's general ledger report of a payroll, as a check on our own sums: asked for, waited for, read, added up.

The report names people in its detailed view and single benefits in both; what is kept are sums of whole families of
account types, never finer than the lines of the record itself. Gusto's guide names the types RegularWages, EmployerTax,
DebitNetPay and DebitTax; the others are told by their words, and else by the side on which they stand.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from counterfoil.ports import Clock
from counterfoil.sources import SourceError
from counterfoil_adapters.gusto.api import GustoApi, NotShownError
from counterfoil_adapters.gusto.figures import ZERO, FigureError, amount_of
from counterfoil_schema.exact_json import JsonObject, JsonValue, loads_object
from counterfoil_schema.records import LedgerSum, PayPart, PayRunLine, ProviderLedger

Family = tuple[PayPart, ...]
EARNED: Final[Family] = ("wages", "reimbursement", "employer_benefit")
EMPLOYER_TAX: Final[Family] = ("employer_tax",)
PAID: Final[Family] = ("net_pay",)
TAXES: Final[Family] = ("tax_payment",)
WITHHELD: Final[Family] = ("employee_benefit", "other_deduction")
FAMILIES: Final[Sequence[Family]] = (EARNED, EMPLOYER_TAX, PAID, TAXES, WITHHELD)
BORNE: Final[Sequence[Family]] = (EARNED, EMPLOYER_TAX)
WORDS: Final[Mapping[str, Family]] = {
    "employertax": EMPLOYER_TAX,
    "debittax": TAXES,
    "debitnetpay": PAID,
    "debitreimbursement": PAID,
    "check": PAID,
    "wages": EARNED,
    "reimbursement": EARNED,
    "companycontribution": EARNED,
    "liability": WITHHELD,
}
"""By a word in the account type; the first that fits."""

POLLS_MAX: Final = 12
POLL_SECONDS: Final = 5.0
FILE_BYTES_MAX: Final = 16 * 1024 * 1024
OK: Final = 200


class LedgerError(Exception):
    """A report that cannot be had, or not be understood; the message holds no figure of it."""


class Ledgers:
    """Fetches the reports of one connection. The file lies at an address of its own, which no token is shown to."""

    def __init__(self, api: GustoApi, http: aiohttp.ClientSession, clock: Clock, timeout_seconds: float) -> None:
        self._api = api
        self._http = http
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)

    async def of(self, payroll_uuid: str, lines: Sequence[PayRunLine], *, reversal: bool) -> ProviderLedger:
        """The ledger of a processed payroll, or why it cannot be had; the payroll itself can be read all the same.

        Raises:
            ScopeError: the token may not ask for reports.
            SourceError: Gusto cannot be reached now.
        """
        try:
            url = await self._file_of(await self._api.ask_ledger(payroll_uuid))
            return ProviderLedger(sums=sums_of(await self._download(url), lines, reversal=reversal))
        except (LedgerError, FigureError, NotShownError) as error:
            return ProviderLedger(missing=str(error).rstrip("."))

    async def _file_of(self, request_uuid: str) -> str:
        for _ in range(POLLS_MAX):
            status, urls = await self._api.report(request_uuid)
            if urls:
                return urls[0]
            if status == "failed":
                raise LedgerError("Gusto could not make the general ledger report")
            await self._clock.sleep(POLL_SECONDS)
        seconds = int(POLLS_MAX * POLL_SECONDS)
        raise LedgerError(f"Gusto had not made the general ledger report after {seconds} seconds")

    async def _download(self, url: str) -> JsonObject:
        if urlsplit(url).scheme != "https" and urlsplit(url).netloc != self._api.host:
            raise LedgerError("Gusto keeps the general ledger report at an address that is not https")
        body = bytearray()
        try:
            async with self._http.get(url, timeout=self._timeout, allow_redirects=False) as answer:
                async for part in answer.content.iter_chunked(65536):
                    body += part
                    if len(body) > FILE_BYTES_MAX:
                        raise LedgerError("the general ledger report is too large")
        except (TimeoutError, aiohttp.ClientError):
            # The address is a secret for as long as it serves: it stays out of the message, and of its cause.
            raise SourceError("Gusto's general ledger report could not be fetched.", retry_after=10.0) from None
        if answer.status != OK:
            raise LedgerError(f"the general ledger report could not be fetched (status {answer.status})")
        try:
            return loads_object(bytes(body))
        except ValueError:
            raise LedgerError("the general ledger report is not JSON") from None


def sums_of(body: JsonObject, lines: Sequence[PayRunLine], *, reversal: bool) -> tuple[LedgerSum, ...]:
    """What the report's basic view holds by families of parts, as far apart as the record's own lines are.

    Args:
        lines: of the record; families that one of them joins (`includes`) are joined in the sums as well.
        reversal: the payroll takes another back, so that what stands on the other side is below zero.

    Raises:
        LedgerError, FigureError: the report has another form than it should.
    """
    sums: dict[Family, Decimal] = dict.fromkeys(FAMILIES, ZERO)
    for account_type, debit, credit in _rows(body):
        family = family_of(account_type, debit - credit, is_debit=bool(debit), reversal=reversal)
        sums[family] += debit - credit if family in BORNE else credit - debit
    return tuple(
        LedgerSum(
            parts=tuple(part for family in joined for part in family),
            amount=sum((sums[family] for family in joined), ZERO),
        )
        for joined in _joined(lines)
    )


def family_of(account_type: str, value: Decimal, *, is_debit: bool, reversal: bool) -> Family:
    """The parts of a pay run that an account type stands for; `value` is its debit less its credit."""
    known = account_type.replace(" ", "").casefold()
    for word, family in WORDS.items():
        if word in known:
            return family
    on_borne_side = value < 0 if reversal else is_debit
    return EARNED if on_borne_side else WITHHELD


def _joined(lines: Sequence[PayRunLine]) -> list[list[Family]]:
    """The families, those together that a line of the record joins; it joins none of what is borne to what goes out."""
    groups: list[list[Family]] = [[family] for family in FAMILIES]
    for line in lines:
        parts = {line.part, *line.includes}
        touched = [group for group in groups if any(parts & set(family) for family in group)]
        if len(touched) > 1:
            groups = [group for group in groups if group not in touched]
            groups.append([family for group in touched for family in group])
    return groups


def _rows(body: JsonObject) -> list[tuple[str, Decimal, Decimal]]:
    """Account type, debit and credit of each row of the basic view."""
    views = body.get("data")
    basic = [
        view
        for view in (views if isinstance(views, list) else [])
        if isinstance(view, dict) and view.get("data_type") == "Basic"
    ]
    headers = basic[0].get("headers") if basic else None
    table = basic[0].get("rows") if basic else None
    if not isinstance(headers, list) or not isinstance(table, list):
        raise LedgerError("the general ledger report has no basic view")
    try:
        places = [headers.index(name) for name in ("Account Type", "Debit", "Credit")]
    except ValueError:
        raise LedgerError("the general ledger report lacks one of its columns") from None
    found: list[tuple[str, Decimal, Decimal]] = []
    for row in table:
        if not isinstance(row, list) or len(row) != len(headers):
            raise LedgerError("a row of the general ledger report has another form than its headers")
        kind, debit, credit = (row[place] for place in places)
        found.append((str(kind), _amount(debit), _amount(credit)))
    return found


def _amount(value: JsonValue) -> Decimal:
    return ZERO if value in (None, "") else amount_of(value, "an amount of the general ledger report")
