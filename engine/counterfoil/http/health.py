"""Health and readiness: whether the process lives, and whether its companies are being worked for."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import asyncpg
from aiohttp import web

from counterfoil.expectation import expected, refuse_strange_expectations
from counterfoil.runner import CompanyRunner
from counterfoil.state.store import StateStore

Health = Callable[[], Awaitable[dict[str, Any]]]


async def health_of(
    runners: Iterable[CompanyRunner], store: StateStore, deliveries: Mapping[str, int]
) -> dict[str, Any]:
    """State, error, position and troubles of each company; and how the process's webhook deliveries have ended.

    A company that another process holds is no trouble; one that stands still or fails is.
    """
    companies = []
    reachable = True
    for runner in runners:
        entry: dict[str, Any] = {"company": runner.company, "state": runner.state, "error": runner.error}
        try:
            checkpoint = await store.checkpoint(runner.company)
            entry |= {"position": checkpoint.position, "projection": checkpoint.state}
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            reachable = False
        entry["quickbooks"] = "reconnect" if runner.connected.access.reconnect_needed else "connected"
        if runner.worker is not None:
            entry["troubles"] = dict(runner.worker.progress.troubles)
        companies.append(entry)
    working = all(entry["state"] in {"working", "elsewhere"} for entry in companies)
    return {
        "live": True,
        "ready": reachable and working,
        "postgres": reachable,
        "companies": companies,
        "deliveries": dict(deliveries),
    }


def health_routes(application: web.Application, health: Health) -> None:
    """`GET /health` answers while the process lives; `GET /ready` answers 200 only if all companies are worked for."""

    async def live(_: web.Request) -> web.Response:
        return web.json_response(await health())

    async def ready(_: web.Request) -> web.Response:
        found = await health()
        return web.json_response(found, status=200 if found["ready"] else 503)

    application.router.add_get("/health", live, expect_handler=expected)
    application.router.add_get("/ready", ready, expect_handler=expected)
    refuse_strange_expectations(application)
