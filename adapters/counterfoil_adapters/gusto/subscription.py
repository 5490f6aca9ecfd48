"""The connection's own webhook subscription: made, proven by its handshake, and proven again, all by itself.

Gusto posts the verification token of a new subscription to its URL, unsigned: anybody could. So a token that came there
is trusted only once Gusto takes it as the right one, and only then verifies deliveries.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr

from counterfoil.ports import Clock
from counterfoil.sources import Need, SourceError, SourceTokens, TokenKeeper
from counterfoil.sources.http import RefusedError
from counterfoil_adapters.gusto.api import GustoApi, identity
from counterfoil_schema.exact_json import JsonObject

HEARD_MAX: Final = 5
"""Handshakes that are remembered until one is proven; a stranger may send any number."""

RESEND_SECONDS: Final = 60.0
WAITS_MAX: Final = 15
VERIFIED: Final = "verified"


@dataclass(slots=True)
class Subscription:
    """Of one connection.

    Args:
        url: where deliveries shall go; None leaves subscriptions alone.
        configured: the token of the settings; with it nothing is proven here.
        secret: what the kept token belongs to.
        trouble: why it could not be seen to last time.
    """

    api: GustoApi
    clock: Clock
    keeper: TokenKeeper | None
    url: str | None
    configured: SecretStr | None
    secret: SecretStr | None
    trouble: str = ""
    _trusted: SourceTokens | None = None
    _heard: deque[str] = field(default_factory=lambda: deque(maxlen=HEARD_MAX))
    _asked_at: float = float("-inf")

    @property
    def token(self) -> SecretStr | None:
        """What keys the signatures of deliveries; None until it is known."""
        return self.configured or (self._trusted.access_token if self._trusted is not None else None)

    def heard(self, token: str) -> None:
        """A handshake brought a token; nobody knows yet whose."""
        if self.configured is None and token not in self._heard:
            self._heard.append(token)

    async def tend(self) -> None:
        """Do the next thing that is to do. Trouble is kept for `need`, since reading goes on without deliveries."""
        if self.url is None or self.configured is not None or not self.api.sees_events:
            return
        try:
            await self._load()
            if self._trusted is None or self._heard:
                await self._advance(self.url)
            self.trouble = ""
        except SourceError as error:
            self.trouble = str(error)

    async def need(self, *, write: bool) -> Need | None:
        """How the subscription stands; with `write`, after it was made and its handshake waited for.

        Raises:
            SourceError: Gusto cannot be asked now, or refuses.
        """
        if self.url is None:
            return None
        found = await self._own(self.url)
        if write and (found is None or found.get("status") != VERIFIED):
            if found is None:
                await self.api.subscribe(self.url)
            else:
                await self.api.resend(identity(found, "its subscriptions"))
            for _ in range(WAITS_MAX):
                found = await self._own(self.url)
                if found is not None and found.get("status") == VERIFIED:
                    break
                await self.clock.sleep(1.0)
        return self._need(self.url, found)

    def _need(self, url: str, found: JsonObject | None) -> Need:
        status = found.get("status") if found is not None else None
        problem = {
            None: "Gusto delivers nothing there yet.",
            VERIFIED: "",
            "pending": "Its handshake is open: `counterfoil serve` ends it, once Gusto reaches it at that address.",
        }.get(status if isinstance(status, str) else None, f"Gusto calls it {status}, and delivers nothing.")
        return Need(
            path=("settings", "webhook_url"),
            name=url,
            what="webhook subscription",
            state="there" if status == VERIFIED else "missing",
            problem=" ".join(filter(None, (problem, self.trouble))),
            scopes=("webhook_subscriptions:write",),
        )

    async def _own(self, url: str) -> JsonObject | None:
        return next((one for one in await self.api.subscriptions() if one.get("url") == url), None)

    async def _advance(self, url: str) -> None:
        found = await self._own(url)
        if found is not None and found.get("status") == VERIFIED:
            if self._trusted is not None:
                self._heard.clear()
                return
            # Its token is known to nobody any more, and Gusto does not show it: another one takes its place.
            await self.api.unsubscribe(identity(found, "its subscriptions"))
            found = None
        if found is None:
            self._heard.clear()
            self._asked_at = self.clock.monotonic()
            await self.api.subscribe(url)
        elif not await self._proven(identity(found, "its subscriptions")):
            await self._ask_again(identity(found, "its subscriptions"))

    async def _proven(self, subscription: str) -> bool:
        while self._heard:
            token = self._heard.popleft()
            try:
                await self.api.verify(subscription, token)
            except RefusedError:
                continue  # a stranger's, or of an earlier subscription
            self._heard.clear()
            await self._keep(SecretStr(token))
            return True
        return False

    async def _ask_again(self, subscription: str) -> None:
        if self.clock.monotonic() - self._asked_at >= RESEND_SECONDS:
            self._asked_at = self.clock.monotonic()
            await self.api.resend(subscription)

    def _origin(self) -> SecretStr | None:
        return SecretStr(f"webhooks {self.url} {self.secret.get_secret_value()}") if self.secret is not None else None

    async def _load(self) -> None:
        origin = self._origin()
        if self._trusted is None and self.keeper is not None and origin is not None:
            self._trusted = await self.keeper.load(origin)

    async def _keep(self, token: SecretStr) -> None:
        before = self._trusted.generation if self._trusted is not None else 0
        self._trusted = SourceTokens(access_token=token, generation=before + 1)
        origin = self._origin()
        if self.keeper is not None and origin is not None:
            await self.keeper.store(origin, self._trusted)
