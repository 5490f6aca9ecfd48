"""`counterfoil keys rotate`."""

import asyncio
from pathlib import Path

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import console, write_json
from counterfoil.clock import SystemEntropy
from counterfoil.dispatch.steps import no_step
from counterfoil.errors import ConfigurationError
from counterfoil.keys import begin_rotation, end_rotation, master_key, token_keys
from counterfoil.log import MasterKey
from counterfoil.postgres import load_query
from counterfoil.rotation import Rotated
from counterfoil.rotation import rotate as rotate_rows
from counterfoil.secrets.envelope import read_master_keys
from counterfoil.settings import Settings

_RESTART = (
    "A new master key stands in the key file, before the old one. Processes that run now know only the old one: "
    "restart them, then run this command again."
)


async def rotate(settings: Settings, *, as_json: bool) -> int:
    """Make a new key where keys are ours to make, put all under it, set the old one aside."""
    entropy = SystemEntropy()
    async with open_state(settings) as opened:  # this makes the first key, if there was none
        if settings.master_key is not None:
            _need_two(settings)
            rotated, kept = await _rewrap(opened, entropy), []
        else:
            made = await asyncio.to_thread(begin_rotation, settings.home, entropy)
            if made and await opened.pool.fetchval(load_query("keys_holders", opened.names)):
                return _ask_for_restart(as_json=as_json)
            rotated = await _rewrap(opened, entropy)
            kept = await asyncio.to_thread(end_rotation, settings.home, entropy)
    _show(rotated, kept, given=settings.master_key is not None, as_json=as_json)
    return ExitCode.OK


def _need_two(settings: Settings) -> None:
    if settings.master_key is not None and len(read_master_keys(settings.master_key)) == 1:
        raise ConfigurationError(
            "Only one master key is configured, so there is nothing to change to.",
            remedy="Make a new one, configure NEW,OLD as the master key of every process, restart, and run this again.",
        )


async def _rewrap(opened: Opened, entropy: SystemEntropy) -> Rotated:
    # Read afresh: a new key may have been put before the one that was opened with.
    secret = await asyncio.to_thread(master_key, opened.settings.master_key, opened.settings.home, entropy)
    return await rotate_rows(
        opened.pool,
        opened.names,
        master=MasterKey(secret, entropy),
        token_keys=token_keys(secret),
        entropy=entropy,
        step=no_step,
    )


def _ask_for_restart(*, as_json: bool) -> int:
    if as_json:
        write_json({"rotated": False, "restart_needed": True})
    else:
        console().print(Text(_RESTART), soft_wrap=True)
    return ExitCode.UNSETTLED


def _show(rotated: Rotated, kept: list[Path], *, given: bool, as_json: bool) -> None:
    if as_json:
        counts = {
            "sealing_keys": rotated.sealing_keys,
            "tokens": rotated.tokens,
            "source_tokens": rotated.source_tokens,
        }
        write_json({"rotated": True, **counts, "kept": kept})
        return
    tokens = f"{rotated.tokens:,} sets of QuickBooks' and {rotated.source_tokens:,} of sources' tokens"
    lines = [f"{rotated.sealing_keys:,} sealing keys, {tokens} are under the new master key."]
    if kept:
        names = ", ".join(str(path) for path in kept)
        lines.append(f"The old key is in {names}: keep it for as long as backups from before today, then destroy it.")
    if given:
        lines.append("Take the old key out of the configuration; keep it for as long as backups from before today.")
    console().print(Text("\n".join(lines)), soft_wrap=True)
