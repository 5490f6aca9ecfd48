"""How the tokens stand that sources hand out; nothing of what is sealed is opened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import SecretStr

from counterfoil.cli.opening import Opened
from counterfoil.secrets.source_tokens import Stand, origin_of, stands_of
from counterfoil.settings import CompanySettings

OPTION = "refresh_token"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTokensSeen:
    """Of one connection.

    Attributes:
        state: `kept`; `configured`, where the refresh token in the configuration was never used; `refused`, where the
            source wants to be connected again.
        generation: how often they were kept.
    """

    connection: str
    state: Literal["kept", "configured", "refused"]
    generation: int = 0
    stored_at: datetime | None = None
    access_expires_at: datetime | None = None
    refused_at: datetime | None = None

    def sentence(self, age: str) -> str:
        """The same in words."""
        match self.state:
            case "configured":
                return f"{self.connection}: the configured {OPTION} was not used yet."
            case "refused":
                return (
                    f"{self.connection}: refuses its tokens since {self.refused_at:%Y-%m-%d %H:%M} UTC; connect it "
                    f"again, and put the new {OPTION} into the configuration. Nothing is lost: it reads on from there."
                )
            case "kept":
                return f"{self.connection}: tokens are {age} old, and kept sealed across restarts."


async def source_tokens_of(opened: Opened, company: CompanySettings) -> list[SourceTokensSeen]:
    """Those of a company's connections that have or had any."""
    stands = await stands_of(opened.pool, opened.names, company.company)
    seen: list[SourceTokensSeen] = []
    for name, source in sorted(company.sources.items()):
        own = [stand for stand in stands if stand.connection == name]
        given = source.options.get(OPTION)
        if isinstance(given, str | SecretStr) and given:
            secret = given if isinstance(given, SecretStr) else SecretStr(given)
            digest = origin_of(company.company, name, secret).digest
            of_this = [stand for stand in own if stand.origin == digest]
            seen.append(_seen(of_this[0]) if of_this else SourceTokensSeen(connection=name, state="configured"))
        elif own:  # an adapter that calls its setting otherwise
            seen.append(_seen(own[0]))
    return seen


def _seen(stand: Stand) -> SourceTokensSeen:
    return SourceTokensSeen(
        connection=stand.connection,
        state="refused" if stand.refused_at is not None else "kept",
        generation=stand.generation,
        stored_at=stand.stored_at,
        access_expires_at=stand.access_expires_at,
        refused_at=stand.refused_at,
    )
