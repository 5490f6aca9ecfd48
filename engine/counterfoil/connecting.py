"""Wires consent for the configured companies: for the command line, and for an engine inside a host's platform."""

import aiohttp

from counterfoil.errors import ConfigurationError
from counterfoil.ports import Clock, Entropy
from counterfoil.postgres import Names, Pool
from counterfoil.quickbooks.online.consent import Office, QuickBooksConsent
from counterfoil.quickbooks.online.endpoints import discover
from counterfoil.quickbooks.online.oauth import ClientCredentials, TokenEndpoint
from counterfoil.secrets import PostgresRefreshLock, TokenStore
from counterfoil.secrets.connections import PostgresConnections
from counterfoil.secrets.consents import PostgresConsents
from counterfoil.settings import CompanySettings, Settings
from counterfoil.state.rows import CompanyRow
from counterfoil.state.store import PostgresStateStore, StateStore


def quickbooks_consent(
    settings: Settings,
    *,
    http: aiohttp.ClientSession,
    pool: Pool,
    names: Names,
    tokens: TokenStore,
    clock: Clock,
    entropy: Entropy,
) -> QuickBooksConsent:
    """Consent for the companies of these settings, over this database and token store."""
    companies = {one.company: one for one in settings.companies}
    store = PostgresStateStore(pool, names)

    async def office(company: int) -> Office:
        if company not in companies:
            known = ", ".join(str(number) for number in companies) or "none"
            raise ConfigurationError(
                f"Company {company} is not configured; configured are: {known}.", remedy="Correct the number."
            )
        quickbooks = companies[company].quickbooks
        endpoints = await discover(http, quickbooks.environment, quickbooks.base_url)
        belongs = {number: await _realm_of(one, store, tokens) for number, one in companies.items()}
        return Office(
            endpoint=TokenEndpoint(
                http,
                ClientCredentials(quickbooks.client_id.get_secret_value(), quickbooks.client_secret),
                clock=clock,
                grant_url=quickbooks.token_url or endpoints.grant,
                revoke_url=endpoints.revoke,
            ),
            endpoints=endpoints,
            realm_id=belongs[company],
            taken={realm: number for number, realm in belongs.items() if realm and number != company},
        )

    return QuickBooksConsent(
        office,
        consents=PostgresConsents(pool, names, clock),
        tokens=tokens,
        lock=PostgresRefreshLock(pool, names),
        connections=PostgresConnections(pool, names),
        clock=clock,
        entropy=entropy,
    )


async def _realm_of(company: CompanySettings, store: StateStore, tokens: TokenStore) -> str | None:
    """The realm that a company belongs to: as configured, as pinned in the log, or as of its last consent."""
    if company.quickbooks.realm_id is not None:
        return company.quickbooks.realm_id
    row = await store.one(CompanyRow, company.company)
    if row is not None and row.realm_id is not None:
        return row.realm_id
    stored = await tokens.get(company.company)
    return stored.realm_id or None if stored is not None else None
