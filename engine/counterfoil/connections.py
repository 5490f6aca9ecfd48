"""Opens what a company is connected to: its QuickBooks books and its sources."""

import tomllib
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import aiohttp
from opentelemetry.trace import Tracer
from pydantic import SecretStr

from counterfoil.dispatch.limiter import LimiterSettings, ReadBudget, RealmGate
from counterfoil.planning.mapping import parse_mapping
from counterfoil.plugins import SOURCES, load
from counterfoil.ports import Clock, Entropy
from counterfoil.quickbooks.online.access import AccessTokens, first_generation
from counterfoil.quickbooks.online.books import OnlineBooks
from counterfoil.quickbooks.online.calls import Realm
from counterfoil.quickbooks.online.client import QuickBooksClient
from counterfoil.quickbooks.online.endpoints import known_endpoints
from counterfoil.quickbooks.online.oauth import ClientCredentials, TokenEndpoint
from counterfoil.secrets import RefreshLock, TokenSet, TokenStore
from counterfoil.secrets.source_tokens import SourceRefreshLock, SourceTokenStore
from counterfoil.settings import CompanySettings, QuickBooksSettings, reads_of
from counterfoil.sources import SourceAdapter, SourceContext
from counterfoil.token_keeping import SourceTokenKeeper

HOSTS: Mapping[str, str] = {
    "production": "https://quickbooks.api.intuit.com",
    "sandbox": "https://sandbox-quickbooks.api.intuit.com",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What connections are made with."""

    http: aiohttp.ClientSession
    tokens: TokenStore
    lock: RefreshLock
    source_tokens: SourceTokenStore
    source_lock: SourceRefreshLock
    clock: Clock
    entropy: Entropy
    tracer: Tracer
    step: Callable[[str], None]
    public_url: str | None
    reads_per_month: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A company's open connections."""

    books: OnlineBooks
    gate: RealmGate
    access: AccessTokens
    realm: Realm
    sources: Mapping[str, SourceAdapter]


async def connect(settings: CompanySettings, network: Network, stack: AsyncExitStack) -> Connected:
    """Open a company's books and sources; the stack closes them.

    Raises:
        ConfigurationError: a source that is not installed, or settings it cannot use.
    """
    quickbooks = settings.quickbooks
    realm = Realm(quickbooks.realm_id or "", quickbooks.base_url or HOSTS[quickbooks.environment], settings.company)

    def learn(realm_id: str) -> None:
        realm.realm_id = realm_id or realm.realm_id

    budget = budget_of(quickbooks, network.reads_per_month, network.clock)
    gate = RealmGate(limits_of(quickbooks), clock=network.clock, entropy=network.entropy, budget=budget)
    await _store_first_token(settings, network)
    access = AccessTokens(
        settings.company,
        endpoint=TokenEndpoint(
            network.http,
            ClientCredentials(quickbooks.client_id.get_secret_value(), quickbooks.client_secret),
            clock=network.clock,
            grant_url=quickbooks.token_url or known_endpoints(quickbooks.base_url).grant,
        ),
        store=network.tokens,
        lock=network.lock,
        clock=network.clock,
        entropy=network.entropy,
        on_realm=learn,
        on_step=network.step,
    )
    client = QuickBooksClient(
        network.http,
        realm,
        access,
        gate,
        clock=network.clock,
        entropy=network.entropy,
        timeout_seconds=quickbooks.timeout_seconds,
        tracer=network.tracer,
    )
    sources = {name: await _open_source(name, settings, network, stack) for name in settings.sources}
    return Connected(books=OnlineBooks(client, gate, access), gate=gate, access=access, realm=realm, sources=sources)


def limits_of(settings: QuickBooksSettings) -> LimiterSettings:
    """The limiter's numbers: a ceiling of 80 % in production, the whole of the limits elsewhere unless set."""
    if settings.unlimited:
        huge = 1_000_000
        return replace(
            LimiterSettings.unreserved(),
            requests_per_minute=huge,
            combined_per_minute=huge,
            batches_per_minute=huge,
            requests_per_second=huge,
        )
    base = LimiterSettings() if settings.environment == "production" else LimiterSettings.unreserved()
    ceiling = float(settings.ceiling) if settings.ceiling is not None else base.ceiling
    return replace(base, ceiling=ceiling, requests_per_minute=settings.requests_per_minute)


def budget_of(settings: QuickBooksSettings, app: int | None, clock: Clock) -> ReadBudget:
    """What bounds a company's metered reads: the app's budget in production alone, since Intuit meters no others.

    Args:
        app: of all companies together; None where it is switched off.
    """
    given = settings.metered_reads_per_month
    is_metered = settings.environment == "production" and given != "off"
    return ReadBudget(clock, own=reads_of(given), app=app if is_metered else None)


async def _store_first_token(settings: CompanySettings, network: Network) -> None:
    """The configured refresh token counts only until the store holds one: it rolls on from then."""
    given = settings.quickbooks.refresh_token
    if given is None or await network.tokens.get(settings.company) is not None:
        return
    now = network.clock.now()
    first = TokenSet(SecretStr("none yet"), given, now, now, 1, realm_id=settings.quickbooks.realm_id or "")
    await network.tokens.compare_and_set(settings.company, 0, first_generation(first, None))


def _as_data(mapping: str, zone: str) -> dict[str, Any]:
    """A mapping that was found right, as an adapter reads it: with the company's zone where it names none."""
    data = tomllib.loads(mapping, parse_float=Decimal)
    data["connection"].setdefault("zone", zone)
    return data


async def _open_source(name: str, settings: CompanySettings, network: Network, stack: AsyncExitStack) -> SourceAdapter:
    source = settings.sources[name]
    # A mapping that cannot be used is told here, with its line, and not when the first record is planned.
    parse_mapping(source.mapping, file=source.mapping_file or f"the mapping of {name}", default_zone=settings.zone)
    factory = load(SOURCES, source.adapter)
    context = SourceContext(
        connection=name,
        settings=source.options,
        mapping=_as_data(source.mapping, settings.zone),
        http=network.http,
        clock=network.clock,
        entropy=network.entropy,
        public_url=network.public_url,
        tokens=SourceTokenKeeper(
            settings.company, name, store=network.source_tokens, lock=network.source_lock, step=network.step
        ),
        leaves_no_trace=source.leaves_no_trace,
    )
    adapter: SourceAdapter = await stack.enter_async_context(factory(context))
    return adapter
