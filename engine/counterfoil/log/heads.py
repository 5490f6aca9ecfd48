"""Where a writer believes the log of each company to end, and the links that follow from there.

The server compares, under the heads' lock, and makes the links itself where the belief is wrong: somebody else
appended in between, or a request before was refused. So a link costs the server nothing as a rule, and one writer
more costs no failure.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from counterfoil.log import chain
from counterfoil.log.group import Request, Verdict

_UNKNOWN = b""


class Believed(NamedTuple):
    """Per company, ascending, its head; and the links of all events of all requests, end to end."""

    positions: list[int]
    hashes: list[bytes]
    links: bytes


class Heads:
    """The heads that one writer knows of."""

    def __init__(self) -> None:
        self._heads: dict[int, tuple[int, bytes]] = {}

    def __contains__(self, company: int) -> bool:
        return company in self._heads

    def seen(self, company: int, position: int, link: bytes) -> None:
        """The server said so."""
        self._heads[company] = position, link

    def position(self, company: int) -> int:
        """Up to where the log is known to reach; it may reach farther."""
        return self._heads[company][0]

    def believed(self, requests: Sequence[Request]) -> Believed:
        """What to tell the server beside the requests, which ascend by company; each company is known."""
        positions: list[int] = []
        hashes: list[bytes] = []
        links: list[bytes] = []
        for company, of_company in groupby(requests, attrgetter("company")):
            position, link = self._heads[company]
            positions.append(position)
            hashes.append(link)
            digests = [event.digest for request in of_company for event in request.prepared.events]
            links += chain.links(link, position, digests)
        return Believed(positions, hashes, b"".join(links))

    def confirm(self, requests: Sequence[Request], verdicts: Sequence[Verdict], links: bytes) -> None:
        """Take over what the server answered to what was `believed`."""
        end = 0
        for request, (status, position, made) in zip(requests, verdicts, strict=True):
            size = len(request.prepared.events)
            end += chain.HASH_BYTES * size
            if status != "appended":
                continue
            # Of one company, the last is the furthest.
            self._heads[request.company] = position + size - 1, made or self._given(request, links, end)

    @staticmethod
    def _given(request: Request, links: bytes, end: int) -> bytes:
        # Sent again, it may stand where a lost answer had left it, under another link than was given now.
        return links[end - chain.HASH_BYTES : end] if request.since is None else _UNKNOWN
