"""`counterfoil adapters setup`."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.cli.tasks.mapping_trials import chosen, without_traces
from counterfoil.dispatch.adapters import kept_apart
from counterfoil.engine import Engine
from counterfoil.settings import Settings
from counterfoil.sources import Need, Preparing

_STANDS = {"there": "there", "missing": "missing", "wrong": "not fit"}


async def set_up_sources(settings: Settings, connection: str | None, *, apply: bool, as_json: bool) -> int:
    """Tell how the needs of each connection stand; with `apply`, after what was missing was set up."""
    shown: list[dict[str, object]] = []
    open_needs = 0
    wanted = chosen(settings, connection)
    async with Engine(without_traces(settings)) as engine:
        for company, name in wanted:
            adapter = engine.connected(company.company).sources[name]
            if not isinstance(adapter, Preparing):
                shown.append({"company": company.company, "connection": name, "needs": None, "made": []})
                continue
            before = await kept_apart(name, adapter.prepare(write=False))
            lacking = {(need.what, need.name) for need in before if need.state == "missing"}
            needs = await kept_apart(name, adapter.prepare(write=True)) if apply and lacking else before
            made = [need.name for need in needs if (need.what, need.name) in lacking and need.state == "there"]
            open_needs += sum(need.state != "there" for need in needs)
            shown.append({"company": company.company, "connection": name, "needs": list(needs), "made": made})
            if not as_json:
                _show(name, company.company, needs, made, apply=apply)
    if as_json:
        write_json({"connections": [_without_known(one) for one in shown]})
    else:
        for one in shown:
            if one["needs"] is None:
                console().print(Text(f"{one['connection']} (company {one['company']}): nothing is set up there."))
    return ExitCode.UNSETTLED if open_needs else ExitCode.OK


def _without_known(one: dict[str, object]) -> dict[str, object]:
    needs = one["needs"]
    if not isinstance(needs, list):
        return one
    told = [
        {
            "key": ".".join(need.path),
            "name": need.name,
            "what": need.what,
            "state": need.state,
            "problem": need.problem,
            "scopes": need.scopes,
        }
        for need in needs
    ]
    return {**one, "needs": told}


def _show(name: str, company: int, needs: Sequence[Need], made: Sequence[str], *, apply: bool) -> None:
    out = console()
    out.print(Text(f"{name} (company {company}): {_counted(needs)}."))
    if needs:
        rows = table("", "key", "name", "what", "stands", "")
        for need in needs:
            stands = "set up now" if need.name in made and need.state == "there" else _STANDS[need.state]
            add_row(rows, f"[{need.path[0]}] {need.path[-1]}", need.name, need.what, stands, need.problem)
        out.print(rows)
    missing = [need for need in needs if need.state == "missing"]
    if missing and not apply:
        scopes = ", ".join(dict.fromkeys(scope for need in missing for scope in need.scopes))
        needed = f" The token needs {scopes}." if scopes else ""
        out.print(Text(f"Nothing was changed. Set up what is missing with --apply.{needed}"))
    if any(need.state == "wrong" for need in needs):
        out.print(Text("What is not fit is somebody's, and stays as it is: name another in the mapping."))


def _counted(needs: Sequence[Need]) -> str:
    counts = Counter(_STANDS[need.state] for need in needs)
    return (
        ", ".join(f"{count} {stands}" for stands, count in sorted(counts.items())) or "the mapping writes nothing back"
    )
