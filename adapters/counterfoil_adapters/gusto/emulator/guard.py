"""What stands before every API call: faults, token, limits, API version, errors in Gusto's form."""

from collections import Counter

from aiohttp import web
from aiohttp.typedefs import Middleware

from counterfoil.emulating import Fault, FaultPlan
from counterfoil.emulating.server import Next, call_name, cut_off
from counterfoil.ports import Clock
from counterfoil_adapters.gusto.emulator.answers import answer
from counterfoil_adapters.gusto.emulator.limits import Limits
from counterfoil_adapters.gusto.emulator.reports import FILES
from counterfoil_adapters.gusto.emulator.routes import SYSTEM_PATHS
from counterfoil_adapters.gusto.emulator.tokens import Tokens
from counterfoil_adapters.gusto.emulator.values import BadRequestError, not_found

VERSION_HEADER = "X-Gusto-API-Version"
TOO_MANY = 429
SCOPES = (
    ("/reports/general_ledger", "company_reports:write"),
    ("/v1/reports/", "company_reports:read"),
    ("/contractor_payments", "payrolls:read"),
    ("/contractors", "contractors:read"),
    ("/departments", "departments:read"),
    ("/employees", "employees:read"),
    ("/payroll", "payrolls:read"),
    ("/v1/events", "events:read"),
)
"""Gusto: the scope that a call needs, by a part of its path, the longer ones first."""

VERSIONS = ("2024-04-01", "2025-06-15", "2026-06-15")


class Guard:
    """Counts calls by path beside what it refuses."""

    def __init__(self, tokens: Tokens, limits: Limits, faults: FaultPlan, clock: Clock) -> None:
        self._tokens = tokens
        self._limits = limits
        self._faults = faults
        self._clock = clock
        self.calls: Counter[str] = Counter()
        self.without: frozenset[str] = frozenset()

    def middleware(self) -> Middleware:
        """For the API's application."""

        @web.middleware
        async def guard(request: web.Request, handler: Next) -> web.StreamResponse:
            fault = self._faults.take(request.method, request.path)
            early = await self._strike(fault)
            if early is not None:
                return early
            response = await self._handle(request, handler)
            if fault is not None and fault.kind == "lost_answer" and request.transport is not None:
                request.transport.abort()
            return cut_off(response) if fault is not None and fault.kind == "truncated" else response

        return guard

    async def _strike(self, fault: Fault | None) -> web.Response | None:
        if fault is None:
            return None
        if fault.kind == "slow":
            await self._clock.sleep(fault.seconds)
        if fault.kind != "status":
            return None
        if fault.status == TOO_MANY:
            return self._too_many(fault.retry_after)
        return web.Response(status=fault.status, text="Service Unavailable")

    def _too_many(self, retry_after: str | None) -> web.Response:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        error = BadRequestError("Too many requests.", status=429, key="request", category="rate_limit_exceeded")
        return answer(error.body(), status=429, headers=headers)

    async def _handle(self, request: web.Request, handler: Next) -> web.StreamResponse:
        self.calls[call_name(request)] += 1
        try:
            is_open = request.path == "/oauth/token" or request.path.startswith(FILES)
            headers = {} if is_open else self._admit(request)
            response = await handler(request)
            response.headers.update(headers)
        except _LimitedError as limited:
            response = self._too_many(str(limited.seconds))
            response.headers.update(limited.headers)
        except BadRequestError as error:
            response = answer(error.body(), status=error.status)
        except web.HTTPNotFound:
            response = answer(not_found().body(), status=404)
        return response

    def _admit(self, request: web.Request) -> dict[str, str]:
        version = request.headers.get(VERSION_HEADER, VERSIONS[1])
        if version not in VERSIONS:
            raise BadRequestError(f"{VERSION_HEADER} {version} is not known.", status=400, category="invalid_version")
        grant = self._tokens.authorise(request.headers.get("Authorization"))
        if grant is None:
            raise BadRequestError(
                "The access token is missing, invalid or expired.", status=401, key="request", category="unauthorized"
            )
        system = request.path.startswith(SYSTEM_PATHS)
        if system != (grant.kind == "system") and request.path != "/v1/token_info":
            needed = "system" if system else "company"
            raise BadRequestError(
                f"This call needs a {needed} access token.", status=403, key="request", category="missing_oauth_scopes"
            )
        if next((scope for part, scope in SCOPES if part in request.path), "") in self.without:
            raise BadRequestError(
                "The access token lacks an OAuth scope that this call needs.",
                status=403,
                key="request",
                category="missing_oauth_scopes",
            )
        verdict = self._limits.ask(grant.kind)
        headers = {
            VERSION_HEADER: version,
            "X-RateLimit-Limit": str(self._limits.limit),
            "X-RateLimit-Remaining": str(verdict.remaining),
            "X-RateLimit-Reset": str(verdict.reset_seconds),
        }
        if not verdict.allowed:
            raise _LimitedError(verdict.reset_seconds, headers)
        return headers


class _LimitedError(Exception):
    def __init__(self, seconds: int, headers: dict[str, str]) -> None:
        super().__init__()
        self.seconds = seconds
        self.headers = headers
