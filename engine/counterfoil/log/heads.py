"""Where a writer believes the log of each company to end, and the links that follow from there.

The server compares, under the heads' lock, and makes the links itself where the belief is wrong: somebody else
appended in between, or a request before was refused. So a link costs the server nothing as a rule, and one writer
more costs no failure.
"""

from collections.abc import Sequence
from typing import NamedTuple

from counterfoil.log import chain
from counterfoil.log.group import Request, Verdict

# No link at all: whatever head it is compared with, the belief is wrong.
_UNKNOWN = bytes(chain.HASH_BYTES)


class Believed(NamedTuple):
    """What follows if every head stands where it is believed to, and nothing is refused.

    Per company, ascending: where its events end among all, and its head before. Then the links of all events, end to
    end; the first position of each request; and the head of each company afterwards.
    """

    companies: list[int]
    ends: list[int]
    positions: list[int]
    hashes: bytes
    links: bytes
    firsts: list[int]
    after: dict[int, tuple[int, bytes]]


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
        ends: list[int] = []
        hashes: list[bytes] = []
        links: list[bytes] = []
        firsts: list[int] = []
        before: dict[int, int] = {}
        after: dict[int, tuple[int, bytes]] = {}
        company, position, link = -1, 0, _UNKNOWN
        for request in requests:
            if request.company != company:
                if before:
                    after[company] = position, link
                    ends.append(len(links))
                company = request.company
                position, link = self._heads[company]
                before[company] = position
                hashes.append(link)
            firsts.append(position + 1)
            for event in request.events:
                position += 1
                link = chain.link(link, position, event.digest)
                links.append(link)
        after[company] = position, link
        ends.append(len(links))
        return Believed(list(before), ends, list(before.values()), b"".join(hashes), b"".join(links), firsts, after)

    def confirm(self, requests: Sequence[Request], answer: Sequence[Verdict], believed: Believed) -> list[Verdict]:
        """Take over what the server answered to what was `believed`: nothing if all was so. What became of each."""
        if not answer:
            self._heads.update(believed.after)
            return [Verdict("appended", first) for first in believed.firsts]
        end = 0
        for request, (status, position, made) in zip(requests, answer, strict=True):
            size = len(request.events)
            end += chain.HASH_BYTES * size
            if status != "appended":
                continue
            # Of one company, the last is the furthest.
            self._heads[request.company] = position + size - 1, made or self._given(request, believed.links, end)
        return [*answer]

    @staticmethod
    def _given(request: Request, links: bytes, end: int) -> bytes:
        # Sent again, it may stand where a lost answer had left it, under another link than was given now.
        return links[end - chain.HASH_BYTES : end] if request.since is None else _UNKNOWN
