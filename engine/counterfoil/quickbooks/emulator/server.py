"""The emulator as a whole: two listening sockets, one company, and the tasks between them."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from counterfoil.clock import SystemClock
from counterfoil.expectation import refuse_strange_expectations, refuse_unreadable_bodies
from counterfoil.ports import Clock, Entropy
from counterfoil.quickbooks.emulator.api import AccountingApi
from counterfoil.quickbooks.emulator.attachments import Files
from counterfoil.quickbooks.emulator.authority import Authority, throw_away_authority
from counterfoil.quickbooks.emulator.books import Books, Change
from counterfoil.quickbooks.emulator.cdc import LEFT_OUT
from counterfoil.quickbooks.emulator.clock import EmulatorClock, entropy_from
from counterfoil.quickbooks.emulator.control import ControlApi, ControlParts
from counterfoil.quickbooks.emulator.exchange import Exchange, ExchangeParts, Incoming, Outgoing, transaction_id
from counterfoil.quickbooks.emulator.injection import FaultBoard
from counterfoil.quickbooks.emulator.limits import Limiter
from counterfoil.quickbooks.emulator.oauth import TokenOffice, TokenRules
from counterfoil.quickbooks.emulator.oauth_routes import OAuthRoutes
from counterfoil.quickbooks.emulator.options import EmulatorOptions
from counterfoil.quickbooks.emulator.requestids import RequestIds
from counterfoil.quickbooks.emulator.samples import furnish
from counterfoil.quickbooks.emulator.service import Service
from counterfoil.quickbooks.emulator.session import moment_of, resume, session_of
from counterfoil.quickbooks.emulator.snapshot import loaded, restore, saved
from counterfoil.quickbooks.emulator.stats import Stats
from counterfoil.quickbooks.emulator.webhooks import WebhookSender, WebhookSettings
from counterfoil_schema.exact_json import JsonObject, JsonValue

BODY_BYTES_MAX = 20 * 1024 * 1024
SHUTDOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the emulator listens."""

    base_url: str
    control_url: str


class QuickBooksEmulator:
    """A QuickBooks Online company in this process.

    `async with QuickBooksEmulator(EmulatorOptions(...)) as emulator:` listens on `emulator.base_url` and
    `emulator.control_url` until the block ends; `emulator.books`, `.journal` and the rest are there to look at.

    Args:
        options: how it is set up.
        clock: real time by default.
        board: which requests go wrong; by default those that are posted to it.
        connector: opens connections to the subscriber of webhooks; by default real ones.
    """

    def __init__(
        self,
        options: EmulatorOptions | None = None,
        *,
        clock: Clock | None = None,
        board: FaultBoard | None = None,
        connector: Callable[[], aiohttp.BaseConnector] | None = None,
    ) -> None:
        self.options = options if options is not None else EmulatorOptions()
        self._base_clock: Clock = clock if clock is not None else SystemClock()
        state = loaded(Path(self.options.load).read_bytes()) if self.options.load else {}
        # A run that goes on from a saved one must not give out its tokens again.
        entropy = entropy_from(self.options.seed, after=moment_of(state))
        self._entropy: Entropy = entropy
        self.clock = EmulatorClock(self._base_clock, scale=self.options.time_scale, manual=self.options.manual_clock)
        switches = self.options.switches
        rules = TokenRules(
            reuse_revokes=switches.old_refresh == "revokes",
            used_code_revokes=switches.used_code == "revokes",
            one_connection=switches.consents == "one",
        )
        self.office = TokenOffice(self.clock, entropy, self.options.realm_id, rules)
        self.verifier_token = entropy.token_bytes(16).hex()
        self.stats = Stats()
        self.board = board if board is not None else FaultBoard(self.clock)
        self.limiter = Limiter(self.clock, self.options.limits)
        self.request_ids = RequestIds(self.clock, switches.replay)
        self.files = Files(self.clock, entropy, self.options.realm_id)
        self.books = Books(
            self.clock,
            self.files,
            latin1=switches.latin1_only,
            on_change=self._changed,
            closed_code=switches.closed_period,
        )
        if state:
            restore(self.books, state)
            self.verifier_token = resume(state, self.request_ids, self.office, self.clock) or self.verifier_token
        self.webhooks = WebhookSender(
            self.clock,
            entropy,
            self.board,
            WebhookSettings(url="", format=self.options.webhook_format),
            realm_id=self.options.realm_id,
            verifier_token=self.verifier_token,
            source=b64encode(sha256(self.options.realm_id.encode()).digest()).decode(),
            connector=connector,
        )
        if not state:
            furnish(self.books, self.options.sample, self.options.volume, entropy)
        for rule in self.options.faults:
            self.board.post(replace(rule, number=self.board.next_number()))
        self._authority: Authority | None = None
        self.webhooks.settings.url = self.options.webhook_url
        self._token = ""
        self._exchange = Exchange(self._exchange_parts())
        self._stack = AsyncExitStack()
        self._tasks: asyncio.TaskGroup | None = None
        self._owned: set[asyncio.Task[None]] = set()
        self._addresses = Addresses("", "")

    @property
    def base_url(self) -> str:
        return self._addresses.base_url

    @property
    def control_url(self) -> str:
        return self._addresses.control_url

    @property
    def realm_id(self) -> str:
        return self.options.realm_id

    async def exchange(
        self, method: str, tail: str, *, parameters: Mapping[str, str] | None = None, body: bytes = b"", token: str = ""
    ) -> Outgoing:
        """One request to the accounting API without a socket, for simulations; works without `async with` too.

        Args:
            tail: the address behind the realm, as `invoice/1`.
            token: the access token; a fresh one by default.
        """
        incoming = Incoming(
            method=method,
            realm=self.realm_id,
            tail=tail,
            parameters=parameters or {},
            authorization=f"Bearer {token or self._own_token()}",
            body=body,
            path=f"/{tail}",
            accept="application/json",
        )
        return await self._exchange.answer(incoming)

    def _own_token(self) -> str:
        if not self.office.access_is_good(self._token):
            self._token = self.office.issue_access()
        return self._token

    def state(self) -> JsonObject:
        """Everything that a later run needs to go on from here."""
        session = session_of(self.request_ids, self.office, self.clock, self.verifier_token)
        return saved(self.books, session)

    def ready_line(self) -> JsonObject:
        """What a client needs to know; printed when the emulator is a process of its own."""
        trust: JsonObject = {} if self._authority is None else {"ca_file": self._authority.ca_file}
        return {
            **trust,
            "base_url": self.base_url,
            "realm_id": self.realm_id,
            "client_id": self.office.client_id,
            "client_secret": self.office.client_secret,
            "refresh_token": self.office.refresh_token,
            "verifier_token": self.verifier_token,
            "control_url": self.control_url,
            "access_token": self.office.issue_access(),
            "auth_url": f"{self.base_url}/connect/oauth2",
            "token_url": f"{self.base_url}/oauth2/v1/tokens/bearer",
            "revoke_url": f"{self.base_url}/v2/oauth2/tokens/revoke",
            "discovery_url": f"{self.base_url}/.well-known/openid_configuration",
        }

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            control = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[refuse_unreadable_bodies])
            ControlApi(self._control_parts()).add_to(control)
            api = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[refuse_unreadable_bodies])
            OAuthRoutes(self.office, self.realm_id, self.stats).add_to(api)
            AccountingApi(self._exchange, self.files, body_bytes_max=BODY_BYTES_MAX).add_to(api)
            api.on_response_prepare.append(self._mark)
            context = None
            if self.options.tls:
                self._authority = throw_away_authority(self.options.host, self._base_clock.now())
                stack.callback(self._authority.folder.cleanup)
                context = self._authority.context
            self._addresses = Addresses(
                base_url=await self._listen(stack, api, self.options.port, context),
                control_url=await self._listen(stack, control, self.options.control_port, None),
            )
            self.files.base_url = self.base_url
            self._tasks = await stack.enter_async_context(asyncio.TaskGroup())
            stack.callback(self._cancel_tasks)
            self._spawn(self.webhooks.run())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _listen(
        self, stack: AsyncExitStack, app: web.Application, port: int, context: ssl.SSLContext | None
    ) -> str:
        refuse_strange_expectations(app)
        # Bodies are unpacked where there is an answer for those that cannot be.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, auto_decompress=False)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, self.options.host, port, ssl_context=context)
        await site.start()
        bound = runner.addresses[0][1]
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        return f"{'http' if context is None else 'https'}://{host}:{bound}"

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        if self._tasks is None:
            work.close()
            raise RuntimeError("the emulator is not running")
        task = self._tasks.create_task(work)
        self._owned.add(task)
        task.add_done_callback(self._owned.discard)
        return task

    def _cancel_tasks(self) -> None:
        for task in self._owned:
            task.cancel()

    async def _mark(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Every answer carries an Intuit id, the token endpoint's too."""
        if "intuit_tid" not in response.headers:
            response.headers["intuit_tid"] = transaction_id(self._entropy)

    def _changed(self, change: Change) -> None:
        self.webhooks.notice(change)

    def _shuffled(self, items: list[JsonValue]) -> list[JsonValue]:
        return sorted(items, key=lambda _item: self._entropy.random())

    def _exchange_parts(self) -> ExchangeParts:
        switches = self.options.switches
        service = Service(
            self.books,
            self.request_ids,
            self.board,
            self.stats,
            self.clock,
            realm_id=self.realm_id,
            batch_items_max=switches.batch_items_max,
            shuffle=self._shuffled if switches.batch_order == "parallel" else None,
            cdc_leaves_out=LEFT_OUT | ({"TimeActivity"} if switches.cdc_time_activity == "refused" else set()),
            refuse_old_changes=switches.old_changes == "refused",
            batch_objects_bound=switches.batch_objects == "bounded",
        )
        return ExchangeParts(
            service=service,
            books=self.books,
            office=self.office,
            limiter=self.limiter,
            board=self.board,
            stats=self.stats,
            clock=self.clock,
            base_clock=self._base_clock,
            entropy=self._entropy,
            realm_id=self.realm_id,
            spawn=self._spawn,
            latency_seconds=self.options.latency_seconds,
            unasked=switches.unasked_form,
        )

    def _control_parts(self) -> ControlParts:
        return ControlParts(
            books=self.books,
            board=self.board,
            clock=self.clock,
            limiter=self.limiter,
            office=self.office,
            request_ids=self.request_ids,
            stats=self.stats,
            webhooks=self.webhooks,
            state=self.state,
        )
