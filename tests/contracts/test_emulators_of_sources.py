"""What every emulator of a source offers: help, volume, https, faults on order. Pages, limits and signatures have
tests of their own beside each adapter's."""

import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from counterfoil.emulating import EmulatorOptions, FaultPlan
from counterfoil.emulating.faults import FAULT_KINDS
from counterfoil_adapters.bamboohr.emulator import BambooEmulator
from counterfoil_adapters.bamboohr.emulator import serve as serve_bamboohr
from counterfoil_adapters.gusto.emulator import EmulatorOptions as GustoOptions
from counterfoil_adapters.gusto.emulator import GustoEmulator
from counterfoil_adapters.gusto.emulator import serve as serve_gusto
from counterfoil_adapters.hubspot.emulator import EmulatorOptions as HubSpotOptions
from counterfoil_adapters.hubspot.emulator import HubSpotEmulator
from counterfoil_adapters.hubspot.emulator import serve as serve_hubspot
from counterfoil_adapters.pipedrive.emulator import PipedriveEmulator
from counterfoil_adapters.pipedrive.emulator import serve as serve_pipedrive
from counterfoil_adapters.salesforce.emulator import SalesforceEmulator, SalesforceOptions
from counterfoil_adapters.salesforce.emulator import serve as serve_salesforce
from counterfoil_schema.exact_json import loads_object
from support import bamboohr, gusto, hubspot, pipedrive, salesforce

VOLUME = 23


@dataclass(frozen=True)
class Offer:
    """One emulator: its command, itself, an adapter on it, a call of its API; how many records a volume of 23 is."""

    serve: Callable[[Sequence[str]], Awaitable[int]]
    open: Callable[..., AbstractAsyncContextManager[Any]]
    source: Callable[[Any, aiohttp.ClientSession], Any]
    call: str
    counts: Mapping[str, int]


# Worked out by hand: a customer for ten deals or part of ten; a product for each deal, up to 50; hours of each person
# on 1, 2, 3, 4, 5 days in turn, 15 for each five people.
OFFERS = {
    "hubspot": Offer(
        serve_hubspot,
        lambda **given: HubSpotEmulator(HubSpotOptions(**given)),
        lambda emulator, http: hubspot.Account(emulator, http).source(timeout_seconds=30),
        "/crm/objects/2026-09/deals",
        {"company": 3, "product": 23, "deal": 23},
    ),
    "salesforce": Offer(
        serve_salesforce,
        lambda **given: SalesforceEmulator(SalesforceOptions(**given)),
        lambda emulator, http: salesforce.Org(emulator, http).source(timeout_seconds=30),
        "/services/data/v66.0/limits",
        {"account": 3, "product": 23, "opportunity": 23},
    ),
    "pipedrive": Offer(
        serve_pipedrive,
        lambda **given: PipedriveEmulator(EmulatorOptions(**given)),
        lambda emulator, http: pipedrive.Account(emulator, http).source(timeout_seconds=30),
        "/api/v2/deals",
        {"organization": 2, "person": 2, "product": 23, "deal": 23},
    ),
    "bamboohr": Offer(
        serve_bamboohr,
        lambda **given: BambooEmulator(EmulatorOptions(**given)),
        lambda emulator, http: bamboohr.Company(emulator, http, bamboohr.HastyClock(emulator)).source(),
        "/api/v1/employees/changed",
        {"employee": 23, "time": 66},
    ),
    "gusto": Offer(
        serve_gusto,
        lambda **given: GustoEmulator(GustoOptions(**given)),
        lambda emulator, http: gusto.Company(emulator, http, gusto.HastyClock(emulator)).source(),
        "/v1/token_info",
        {"employee": 23, "payroll": 6},
    ),
}


@pytest.fixture(params=OFFERS)
def offer(request: pytest.FixtureRequest) -> Offer:
    return OFFERS[request.param]


async def test_help_names_what_there_is(offer: Offer, capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(SystemExit):
        assert await offer.serve(["--help"]) == 0
    told = capsys.readouterr().out
    for name in ("--port", "--json", "--seed", "--limits", "--webhook-url", "--tls", "--volume", "/faults", "/load"):
        assert name in told


async def test_volume_is_read_whole_over_https(offer: Offer) -> None:
    async with offer.open(volume=VOLUME, limits=False, tls=True) as emulator:
        trusted = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=emulator.ca_file))
        async with aiohttp.ClientSession(connector=trusted) as http:
            source = offer.source(emulator, http)
            found: dict[str, set[str]] = {kind: set() for kind in source.kinds()}
            for kind in found:
                async for page in source.changes(kind, None):
                    found[kind] |= {change.source_id for change in page.changes if change.kind == kind}
                    assert [one for one in page.changes if type(one).__name__ == "Unreadable"] == []
                    if page.done:
                        break
    assert {kind: len(found[kind]) for kind in offer.counts} == offer.counts


async def test_faults_are_ordered_by_the_same_names(offer: Offer) -> None:
    async with offer.open() as emulator, aiohttp.ClientSession() as http:
        plan: FaultPlan = emulator.faults
        for kind in FAULT_KINDS:
            async with http.post(f"{emulator.control_url}/faults", json={"kind": kind, "times": 2}) as answer:
                assert answer.status < 300, await answer.text()
        assert [rule.kind for rule in plan.rules] == [*FAULT_KINDS]
        async with http.get(emulator.base_url + offer.call) as faulty:
            assert faulty.status == 503
        async with http.get(f"{emulator.control_url}/state") as shown:
            assert shown.status == 200
            loads_object(await shown.read())
