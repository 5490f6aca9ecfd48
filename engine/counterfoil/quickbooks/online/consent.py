"""Connecting and disconnecting: a person's consent on Intuit's page becomes tokens; a disconnection ends them.

Each consent is asked for under a state of its own, which counts once. The realm comes back beside the code and is
part of the tokens from then on; a company that belongs to a realm takes no other.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from pydantic import SecretStr

from counterfoil.errors import CounterfoilError
from counterfoil.ports import Clock, Entropy
from counterfoil.quickbooks.online.access import first_generation
from counterfoil.quickbooks.online.endpoints import Endpoints
from counterfoil.quickbooks.online.oauth import GrantRefusedError, TokenEndpoint
from counterfoil.secrets.connections import Connection, PostgresConnections
from counterfoil.secrets.consents import CONSENT_SECONDS_MAX, Asked, Consents, hash_of, new_state
from counterfoil.secrets.tokens import RefreshLock, TokenSet, TokenStore

CODE_LENGTH_MAX: Final = 512
_STORE_TRIES_MAX = 3
_REALM = re.compile(r"[0-9]{1,25}")


class ConsentError(CounterfoilError):
    """A consent that leads to no connection; nothing was changed."""


class StrayAnswerError(ConsentError):
    """An answer to no question of ours: forged, or brought a second time."""


@dataclass(frozen=True, slots=True)
class Office:
    """Where one company's consent is asked for, and what it may lead to.

    Attributes:
        realm_id: the books that the company belongs to, by configuration or log; None before the first connection.
        taken: realms of other companies, with their numbers.
    """

    endpoint: TokenEndpoint
    endpoints: Endpoints
    realm_id: str | None
    taken: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Begun:
    """A consent that was asked for: send the person's browser to `url`; `state` comes back with the answer."""

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class Made:
    """A connection that was made."""

    company: int
    realm_id: str


class QuickBooksConsent:
    """Connects companies to QuickBooks and disconnects them; any process may do so beside the running engine.

    Args:
        office: opens what a company's consent needs; raises ConfigurationError for a company that is not configured.
        consents: remembers what was asked.
        tokens, lock: the token store, and the lock that refreshing takes too.
        connections: how each connection stands.
        clock, entropy: the time a consent may take; states that nobody can guess.
    """

    def __init__(
        self,
        office: Callable[[int], Awaitable[Office]],
        *,
        consents: Consents,
        tokens: TokenStore,
        lock: RefreshLock,
        connections: PostgresConnections,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._office = office
        self._consents = consents
        self._tokens = tokens
        self._lock = lock
        self._connections = connections
        self._clock = clock
        self._entropy = entropy

    async def begin(self, company: int, redirect_uri: str) -> Begun:
        """Ask for a consent that comes back to `redirect_uri`, which must be registered with the app at Intuit."""
        office = await self._office(company)
        state = new_state(self._entropy)
        expires = self._clock.now() + timedelta(seconds=CONSENT_SECONDS_MAX)
        await self._consents.begin(hash_of(state), Asked(company, redirect_uri, expires))
        url = office.endpoint.authorize_url(redirect_uri=redirect_uri, state=state, base=office.endpoints.authorize)
        return Begun(url, state)

    async def finish(self, answer: Mapping[str, str]) -> Made:
        """Turn the parameters of the callback into a connection. Each state, and with it each code, counts once.

        Raises:
            ConsentError: refused, forged, late, repeated, or given for other books; nothing was changed.
            TokenError: Intuit does not take the code, or does not answer.
        """
        asked = await self._consents.take(hash_of(answer.get("state", "")))
        if asked is None:
            raise StrayAnswerError(
                "This answer belongs to no consent that was asked for here, or it was used already.",
                remedy="Begin anew with `counterfoil connect quickbooks`.",
            )
        if asked.expires_at < self._clock.now():
            raise ConsentError(
                f"The consent for company {asked.company} came too late.",
                remedy="Begin anew with `counterfoil connect quickbooks`.",
            )
        office = await self._office(asked.company)
        code, realm_id = _read(answer, asked.company)
        _check_realm(asked.company, realm_id, office)
        await self._connect(asked, office, code, realm_id)
        return Made(asked.company, realm_id)

    async def _connect(self, asked: Asked, office: Office, code: SecretStr, realm_id: str) -> None:
        company = asked.company
        # Whoever refreshes meanwhile waits, and then finds tokens that are newer than those it knew.
        async with self._lock.hold(company):
            fresh = await office.endpoint.exchange_code(code, redirect_uri=asked.redirect_uri, generation=1)
            fresh = replace(fresh, realm_id=realm_id)
            for _ in range(_STORE_TRIES_MAX):
                stored = await self._tokens.get(company)
                following = first_generation(fresh, stored)
                if await self._tokens.compare_and_set(company, following.generation - 1, following):
                    break
            else:
                raise ConsentError(
                    f"The tokens of company {company} were changed by others all the time.", remedy="Connect again."
                )
        await self._connections.put(company, standing(following, realm_id, self._clock))

    async def disconnect(self, company: int, *, even_unrevoked: bool = False) -> bool:
        """End the connection at Intuit, and forget its tokens; everything else stays.

        Args:
            even_unrevoked: forget the tokens even where Intuit cannot be reached.

        Returns:
            False if there was none.

        Raises:
            TokenError: Intuit does not answer, or does not accept the app; nothing was forgotten.
        """
        office = await self._office(company)
        async with self._lock.hold(company):
            stored = await self._tokens.get(company)
            if stored is None:
                return False
            try:
                await office.endpoint.revoke(stored.refresh_token)
            except GrantRefusedError:
                pass  # dead already
            except CounterfoilError:
                if not even_unrevoked:
                    raise
            await self._tokens.delete(company)
        gone = Connection(state="disconnected", since=self._clock.now(), realm_id=stored.realm_id)
        await self._connections.put(company, gone)
        return True


def standing(tokens: TokenSet, realm_id: str, clock: Clock) -> Connection:
    """How a connection stands that was made just now."""
    return Connection(
        state="connected",
        since=clock.now(),
        realm_id=realm_id,
        refreshed_at=clock.now(),
        access_expires_at=tokens.access_expires_at,
        refresh_expires_at=tokens.refresh_expires_at,
        hard_expires_at=tokens.hard_expires_at,
    )


def _read(answer: Mapping[str, str], company: int) -> tuple[SecretStr, str]:
    """Code and realm of an answer whose state is good."""
    error = answer.get("error")
    if error == "access_denied":
        raise ConsentError(
            f"Whoever was asked did not give consent for company {company}.",
            remedy="Connect again when they are ready to.",
        )
    if error is not None:
        known = error if error in {"invalid_scope", "invalid_request", "server_error"} else "another error"
        raise ConsentError(
            f"Intuit's consent page answered with {known} for company {company}.",
            remedy="Check client id, redirect address and scope of the app in Intuit's portal.",
        )
    code, realm_id = answer.get("code", ""), answer.get("realmId", "")
    if not re.fullmatch(rf"[!-~]{{1,{CODE_LENGTH_MAX}}}", code) or not _REALM.fullmatch(realm_id):
        raise ConsentError(
            f"Intuit's answer for company {company} lacks a code or a realm.",
            remedy="Choose a QuickBooks company on the consent page, and connect again.",
        )
    return SecretStr(code), realm_id


def _check_realm(company: int, realm_id: str, office: Office) -> None:
    if office.realm_id is not None and realm_id != office.realm_id:
        raise ConsentError(
            f"Company {company} belongs to QuickBooks realm {office.realm_id}, but consent was given for realm "
            f"{realm_id}. Nothing was changed.",
            remedy="Connect again and choose the books that it belongs to, or set up a new company for the others.",
        )
    if realm_id in office.taken:
        raise ConsentError(
            f"QuickBooks realm {realm_id} is connected as company {office.taken[realm_id]} already. "
            "Nothing was changed.",
            remedy=f"Connect again and choose the books of company {company}.",
        )
