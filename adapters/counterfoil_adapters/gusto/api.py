"""Gusto's endpoints as far as they are read, one method each; what they answer is checked for its form here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from counterfoil.sources import SourceError
from counterfoil.sources.http import HttpAnswer, RefusedError, SourceHttp
from counterfoil_schema.exact_json import JsonObject

PER = 100
"""Gusto: the largest page."""

PAYROLLS_PER = 20
"""Each listed payroll is read one by one afterwards, so a page of them stays small enough to be recorded often."""

PAGES_MAX = 1000
FORBIDDEN = 403
REREAD_SECONDS = 10.0
NOT_FOUND = 404
UNPROCESSABLE = 422
INCLUDE = "benefits,deductions,taxes,totals,payroll_taxes"


class NotShownError(SourceError):
    """Gusto does not show a record: it is not there yet, not there any more, or not for this token."""


class ScopeError(SourceError):
    """The token may not make a call; only the kind that needs it is concerned."""


class EventLostError(SourceError):
    """Gusto no longer holds the event that the cursor names."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list: rows, how many there are in all, whether another page follows."""

    rows: Sequence[JsonObject]
    total: int | None
    more: bool


class GustoApi:
    """Reads of one company. `company` sends the company's token, `system` the application's (None: no events).

    Attributes:
        host: of the address that is called, with its port.
    """

    def __init__(self, company: SourceHttp, system: SourceHttp | None, company_uuid: str, host: str) -> None:
        self.host = host
        self._company = company
        self._system = system
        self._root = f"/v1/companies/{company_uuid}"
        self._company_uuid = company_uuid

    @property
    def sees_events(self) -> bool:
        return self._system is not None

    async def employees(self, page: int) -> Listing:
        """A page of all employees, those who left included."""
        return await self._page(f"{self._root}/employees", {}, page, PER)

    async def all_employees(self) -> list[JsonObject]:
        """All employees at once, for their departments."""
        return await self._all(f"{self._root}/employees", {})

    async def employee(self, employee_uuid: str) -> JsonObject:
        """One employee.

        Raises:
            NotShownError: Gusto does not show it.
        """
        return await self._one(f"/v1/employees/{employee_uuid}", {})

    async def contractors(self, page: int) -> Listing:
        """A page of all contractors, those who left included."""
        return await self._page(f"{self._root}/contractors", {}, page, PER)

    async def all_contractors(self) -> list[JsonObject]:
        """All contractors at once, for their departments."""
        return await self._all(f"{self._root}/contractors", {})

    async def contractor(self, contractor_uuid: str) -> JsonObject:
        """One contractor.

        Raises:
            NotShownError: Gusto does not show it.
        """
        return await self._one(f"/v1/contractors/{contractor_uuid}", {})

    async def contractor_payments(self, start: date, end: date, page: int) -> Listing:
        """A page of contractors with what each was paid within a window; one row for each payment."""
        path = f"{self._root}/contractor_payments"
        query = {"start_date": start.isoformat(), "end_date": end.isoformat(), "page": str(page), "per": str(PER)}
        answer = await self._ask("GET", path, query)
        groups = _object(answer, path).get("contractor_payments")
        if not isinstance(groups, list):
            raise _drift(path)
        payments: list[JsonObject] = []
        for group in groups:
            rows = group.get("payments") if isinstance(group, dict) else None
            if not isinstance(group, dict) or not isinstance(rows, list):
                raise _drift(path)
            whose: JsonObject = {"contractor_uuid": group["contractor_uuid"]} if "contractor_uuid" in group else {}
            payments.extend({**whose, **row} for row in rows if isinstance(row, dict))
        return Listing(payments, _header(answer, "x-total-count"), _more(answer, page, len(groups), PER))

    async def contractor_payment(self, payment_uuid: str) -> JsonObject:
        """One payment of a contractor.

        Raises:
            NotShownError: Gusto does not show it: it was cancelled, say.
        """
        return await self._one(f"{self._root}/contractor_payments/{payment_uuid}", {})

    async def ask_ledger(self, payroll_uuid: str) -> str:
        """Ask for the general ledger report of a payroll; the uuid to ask after it by."""
        path = f"/v1/payrolls/{payroll_uuid}/reports/general_ledger"
        asked = _object(await self._ask("POST", path, {}, {"aggregation": "default", "integration_type": None}), path)
        return identity({"uuid": asked.get("request_uuid")}, path)

    async def report(self, request_uuid: str) -> tuple[str, list[str]]:
        """The state of a report, and where it lies once it is there."""
        shown = await self._one(f"/v1/reports/{request_uuid}", {})
        urls = shown.get("report_urls")
        return str(shown.get("status")), [url for url in urls if isinstance(url, str)] if isinstance(urls, list) else []

    async def departments(self) -> dict[str, str]:
        """Titles of departments by uuid."""
        path = f"{self._root}/departments"
        rows = _rows(await self._ask("GET", path, {}), path)
        return {str(row["uuid"]): str(row["title"]) for row in rows if "uuid" in row and "title" in row}

    async def payrolls(self, start: date, end: date, page: int) -> Listing:
        """A page of processed payrolls by check date, regular and off-cycle; the window is a year at most."""
        query = {
            "processing_statuses": "processed",
            "payroll_types": "regular,off_cycle",
            "date_filter_by": "check_date",
            "start_date": start.isoformat(),
            "end_date": end.isoformat(),
            "sort_order": "asc",
        }
        return await self._page(f"{self._root}/payrolls", query, page, PAYROLLS_PER)

    async def payroll(self, payroll_uuid: str) -> JsonObject:
        """One payroll with all its people, put together from all its pages.

        Raises:
            NotShownError: Gusto does not show it.
            SourceError: it changed while it was read.
        """
        path = f"{self._root}/payrolls/{payroll_uuid}"
        people: list[JsonObject] = []
        whole: JsonObject = {}
        page, more = 0, True
        total: int | None = None
        while more and page < PAGES_MAX:
            page += 1
            answer = await self._found(path, {"include": INCLUDE, "page": str(page), "per": str(PER)})
            shown = _object(answer, path)
            rows = shown.pop("employee_compensations", [])
            if not isinstance(rows, list):
                raise _drift(path)
            if page > 1 and shown != whole:
                raise SourceError(f"Payroll {payroll_uuid} changed while it was read.", retry_after=REREAD_SECONDS)
            whole = shown
            people.extend(row for row in rows if isinstance(row, dict))
            more = _more(answer, page, len(rows), PER)
            total = _header(answer, "x-total-count")
        if total is not None and total != len(people):
            raise SourceError(f"Payroll {payroll_uuid} changed while it was read.", retry_after=REREAD_SECONDS)
        return {**whole, "employee_compensations": list(people)}

    async def reversals(self) -> list[JsonObject]:
        """The company's approved reversals of payrolls."""
        return await self._all(f"{self._root}/payroll_reversals", {})

    async def events(self, event_type: str, after: str | None, *, newest_first: bool = False) -> list[JsonObject]:
        """Up to a hundred events of a type, after another event.

        Raises:
            EventLostError: Gusto no longer knows `after`.
        """
        if self._system is None:
            return []
        query = {
            "event_type": event_type,
            "resource_uuid": self._company_uuid,
            "limit": str(PER),
            "sort_order": "desc" if newest_first else "asc",
        }
        if after is not None:
            query["starting_after_uuid"] = after
        try:
            answer = await self._system.request("GET", "/v1/events", params=query)
        except RefusedError as error:
            if error.status == FORBIDDEN:
                raise _without_scope("/v1/events", error) from error
            if after is not None and error.status in {NOT_FOUND, UNPROCESSABLE}:
                raise EventLostError("Gusto no longer holds the event that reading went on from.") from error
            raise
        return _rows(answer, "/v1/events")

    async def subscribe(self, url: str) -> str:
        """Subscribe a URL to all kinds; Gusto then sends it the verification token. The new uuid."""
        path = "/v1/webhook_subscriptions"
        body = {"url": url, "subscription_types": ["Payroll", "Employee", "Contractor", "ContractorPayment"]}
        made = _object(await self._for_application().request("POST", path, json=body, tries=1), path)
        return identity(made, path)

    async def subscriptions(self) -> list[JsonObject]:
        """The application's webhook subscriptions, those for other companies included."""
        path = "/v1/webhook_subscriptions"
        return _rows(await self._for_application().request("GET", path), path)

    async def unsubscribe(self, subscription_uuid: str) -> None:
        """End a subscription."""
        await self._for_application().request("DELETE", f"/v1/webhook_subscriptions/{subscription_uuid}")

    async def resend(self, subscription_uuid: str) -> None:
        """Have the handshake of a subscription sent again."""
        path = f"/v1/webhook_subscriptions/{subscription_uuid}/request_verification_token"
        await self._for_application().request("GET", path)

    async def verify(self, subscription_uuid: str, verification_token: str) -> None:
        """Prove to Gusto that its handshake arrived."""
        path = f"/v1/webhook_subscriptions/{subscription_uuid}/verify"
        await self._for_application().request("PUT", path, json={"verification_token": verification_token})

    def _for_application(self) -> SourceHttp:
        if self._system is None:
            raise SourceError(
                "Webhook subscriptions need a system access token.",
                remedy="Give client_id and client_secret in the connection's settings.",
            )
        return self._system

    async def _found(self, path: str, query: dict[str, str]) -> HttpAnswer:
        try:
            return await self._ask("GET", path, query)
        except RefusedError as error:
            if error.status == NOT_FOUND:
                raise NotShownError(f"Gusto does not show {path}.", retry_after=REREAD_SECONDS) from error
            raise

    async def _ask(self, method: str, path: str, query: dict[str, str], body: JsonObject | None = None) -> HttpAnswer:
        """Call with the company's token; a scope that it lacks is named, and so is a company that is not its own."""
        try:
            tries = 1 if body is not None else None
            return await self._company.request(method, path, params=query, json=body, tries=tries)
        except RefusedError as error:
            if error.status == FORBIDDEN:
                raise _without_scope(path, error) from error
            if error.status == NOT_FOUND and path.startswith(self._root):
                await self._refuse_stranger()
            raise

    async def _refuse_stranger(self) -> None:
        """Whose token it is, where that is not the company's of the settings."""
        shown = _object(await self._company.request("GET", "/v1/token_info"), "/v1/token_info").get("resource")
        own = shown.get("uuid") if isinstance(shown, dict) else None
        if isinstance(own, str) and own != self._company_uuid:
            raise SourceError(
                f"Gusto's token belongs to company {own}, and the connection is set up for {self._company_uuid}.",
                remedy="Correct company_uuid in the connection's settings, or connect the right company.",
            )

    async def _one(self, path: str, query: dict[str, str]) -> JsonObject:
        return _object(await self._found(path, query), path)

    async def _page(self, path: str, query: dict[str, str], page: int, per: int) -> Listing:
        answer = await self._ask("GET", path, {**query, "page": str(page), "per": str(per)})
        rows = _rows(answer, path)
        return Listing(rows, _header(answer, "x-total-count"), _more(answer, page, len(rows), per))

    async def _all(self, path: str, query: dict[str, str]) -> list[JsonObject]:
        found: list[JsonObject] = []
        for page in range(1, PAGES_MAX + 1):
            listing = await self._page(path, query, page, PER)
            found.extend(listing.rows)
            if not listing.more:
                return found
        raise SourceError(f"Gusto lists more than {PAGES_MAX} pages at {path}.")


def identity(row: JsonObject, where: str) -> str:
    """The uuid of a record or event; older versions name a payroll's `payroll_uuid`.

    Raises:
        SourceError: it has none.
    """
    found = row.get("uuid") or row.get("payroll_uuid")
    if not isinstance(found, str) or not found:
        raise _drift(where)
    return found


def _more(answer: HttpAnswer, page: int, rows: int, per: int) -> bool:
    pages = _header(answer, "x-total-pages")
    return page < pages if pages is not None else rows >= per


def _header(answer: HttpAnswer, name: str) -> int | None:
    value = answer.headers.get(name, "")
    return int(value) if value.isascii() and value.isdigit() else None


def _object(answer: HttpAnswer, path: str) -> JsonObject:
    value = answer.json()
    if not isinstance(value, dict):
        raise _drift(path)
    return value


def _rows(answer: HttpAnswer, path: str) -> list[JsonObject]:
    value = answer.json()
    if not isinstance(value, list):
        raise _drift(path)
    return [row for row in value if isinstance(row, dict)]


SCOPES = (
    ("/contractor_payments", "payrolls:read"),
    ("/contractors", "contractors:read"),
    ("/employees", "employees:read"),
    ("/departments", "departments:read"),
    ("/reports/general_ledger", "company_reports:write"),
    ("/reports/", "company_reports:read"),
    ("/payroll", "payrolls:read"),
    ("/events", "events:read"),
    ("/webhook_subscriptions", "webhook_subscriptions:write"),
)
"""Which scope a call needs, by a part of its path (Gusto: reference of each call)."""


def _without_scope(path: str, error: RefusedError) -> ScopeError:
    scope = next((scope for part, scope in SCOPES if part in path), "")
    named = f" Probably its token lacks the scope {scope}." if scope else ""
    return ScopeError(
        f"{error.message}{named}",
        remedy=f"Give the application the scope {scope or 'that this call needs'}, then connect the company again.",
        one_kind=True,
    )


def _drift(path: str) -> SourceError:
    return SourceError(
        f"Gusto's answer to {path} has another form than it should.",
        remedy="Check api_version in the connection's settings.",
    )
