"""Decides what goes wrong with requests, sources and deliveries: by chance from a seed, and counted."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp.client_reqrep import ClientRequest

from counterfoil.ports import Clock
from counterfoil.quickbooks.emulator.injection import FaultBoard, FaultKind, FaultRule, Target
from counterfoil.testing.simulation.network import FATE, Fate, Wire
from counterfoil.testing.simulation.phases import phase_here
from counterfoil.testing.simulation.tally import CELLS, SERVER, WIRE, Tally

STORM: Final = "429 storm"
HOLD_SECONDS: Final = 10.0
"""How long books that come to a late effect wait for their client: one whose process is stopped never leaves, and what
they promise of their own time counts from the request."""

WIRES: Final[tuple[Wire, ...]] = ("request lost", "request hangs", "answer lost", "answer hangs", "slow answer")


@dataclass(frozen=True, slots=True)
class Climate:
    """How bad the weather of a run is.

    Attributes:
        request: the share of requests with which something goes wrong.
        source: the same of readings of a source, and of write-backs.
        delivery: the same of webhooks.
        storm_seconds: how long a storm of 429 lasts, at most.
        late_seconds: how long after its client has gone an effect may still come, at most.
    """

    request: float = 0.2
    source: float = 0.1
    delivery: float = 0.4
    storm_seconds: float = 30.0
    late_seconds: float = 60.0


class Weather:
    """What goes wrong in one run, until it is calm."""

    def __init__(self, chance: random.Random, tally: Tally, climate: Climate) -> None:
        self._chance = chance
        self._climate = climate
        self._storm_ends = 0.0
        self.tally = tally
        self.calm = False

    def of_request(self, request: ClientRequest) -> Fate | None:
        """The fate of a request that the code here is about to make."""
        if self.calm:
            return None
        phase = phase_here()
        now = asyncio.get_running_loop().time()
        if request.url.path.startswith("/v3/") and now < self._storm_ends:
            return self._fate(STORM, phase)
        if self._chance.random() >= self._climate.request:
            return None
        faults = [fault for fault in (*WIRE, *SERVER) if phase in CELLS[fault]]
        if not faults:
            return None
        # Storms would take all the time there is, for they last; less so where little is asked for.
        storm = 0.1 if phase in {"settling", "reading books"} else 0.5
        weights = [storm if fault == STORM else 1.0 for fault in faults]
        return self._fate(self._chance.choices(faults, weights)[0], phase)

    def _fate(self, fault: str, phase: str) -> Fate:
        chance, climate = self._chance, self._climate
        once: list[None] = []

        def happened() -> None:
            if not once:
                once.append(None)
                self.tally.add(fault, phase)

        for wire in WIRES:
            if wire == fault:
                seconds = chance.uniform(1.0, 20.0) if fault == "slow answer" else chance.uniform(0.0, 5.0)
                return Fate(wire=wire, seconds=seconds, happened=happened)
        if fault == STORM and asyncio.get_running_loop().time() >= self._storm_ends:
            ends = asyncio.get_running_loop().time() + chance.uniform(1.0, climate.storm_seconds)
            self._storm_ends = ends
        return Fate(server=fault, seconds=chance.uniform(0.0, climate.late_seconds), happened=happened)

    def of_source(self, *faults: str) -> str | None:
        """What goes wrong with a reading of the source or a write-back."""
        return self._one_of(self._climate.source, faults)

    def of_delivery(self, *faults: str) -> str | None:
        """What goes wrong with a delivery."""
        return self._one_of(self._climate.delivery, faults)

    def _one_of(self, share: float, faults: tuple[str, ...]) -> str | None:
        if self.calm or self._chance.random() >= share:
            return None
        fault = self._chance.choice(faults)
        self.tally.add(fault, CELLS[fault][0])
        return fault

    def seconds(self, least: float, most: float) -> float:
        """A length of time."""
        return self._chance.uniform(least, most)


RULES: Final[dict[str, tuple[FaultKind, bool]]] = {
    STORM: ("throttle", False),
    "5xx before the effect": ("server_error", False),
    "5xx after the effect": ("server_error", True),
    "HTML before the effect": ("html_error", False),
    "HTML after the effect": ("html_error", True),
    "XML fault": ("xml_fault", False),
    "late effect": ("late_effect", False),
    "token refused": ("auth_expired", False),
    "saved by a person": ("stale", False),
}


class FatefulBoard(FaultBoard):
    """Lets a request go wrong as its fate has it.

    Args:
        status: draws the status of a server error.
    """

    def __init__(self, clock: Clock, status: Callable[[], int]) -> None:
        super().__init__(clock)
        self._status = status

    def hits(self, target: Target) -> list[FaultRule]:
        """What the fate of the request says, besides what was posted."""
        fate = FATE.get()
        found = super().hits(target)
        if fate is None or fate.server is None:
            return found
        kind, effect = RULES[fate.server]
        fate.happened()
        broken = kind in {"server_error", "html_error", "xml_fault"}
        rule = FaultRule(
            number=0,
            kind=kind,
            seconds=fate.seconds,
            hold_seconds=HOLD_SECONDS,
            effect=effect,
            status=self._status() if broken else None,
        )
        return [*found, rule]
