"""`counterfoil emulator NAME`: an emulator as a process of its own.

One line on standard output says where it listens and with which secrets (`--json`: as one object); then it serves
until SIGTERM or SIGINT. Exit codes: 0 stopped, 2 the port is taken, or arguments cannot be understood.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from counterfoil_schema.exact_json import dumps

PORT_MAX = 65_535
VOLUME_MAX = 100_000
ORDERS = (
    "Pages, limits and signatures are as the vendor has them. At `control_url` one orders faults (POST /faults), "
    "loads records (POST /load), subscribes to webhooks (POST /webhooks), moves time (POST /clock), looks (GET /state)."
)
UNUSABLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorOptions:
    """How an emulator starts.

    `port` 0 takes any. `seed` decides every secret and id. `limits` enforces the vendor's rates. `webhook_url` is
    delivered to from the start. `tls` speaks https under a throw-away authority. `webhook_pause_seconds` stands before
    the first repetition of a delivery and doubles each time. `volume` is how many records are there from the start:
    deals of a CRM, people of a personnel or payroll system, with what belongs to them.
    """

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 1
    limits: bool = True
    webhook_url: str | None = None
    tls: bool = False
    webhook_pause_seconds: float = 0.2
    volume: int = 0


class Served(Protocol):
    """An emulator that is up."""

    def ready(self) -> Mapping[str, object]:
        """What whoever started it needs to know: `base_url`, `control_url`, secrets."""
        ...


def port_number(text: str) -> int:
    """The port that an argument names.

    Raises:
        ArgumentTypeError: it names none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(PORT_MAX)) and int(text) <= PORT_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no port, which is a number from 0 to {PORT_MAX}")
    return int(text)


def volume_of(text: str) -> int:
    """How many records an argument asks for.

    Raises:
        ArgumentTypeError: none that can be made.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(VOLUME_MAX)) and int(text) <= VOLUME_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of records from 0 to {VOLUME_MAX}")
    return int(text)


def parser_of(name: str, description: str) -> argparse.ArgumentParser:
    """The arguments that all emulators take; a vendor's own can be added."""
    example = f" Example: counterfoil emulator {name} --port 8701 --volume 100"
    parser = argparse.ArgumentParser(
        prog=f"counterfoil emulator {name}", description=description, epilog=ORDERS + example
    )
    parser.add_argument("--port", type=port_number, default=0, help="port of the API; 0 takes a free one")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")
    parser.add_argument("--seed", type=int, default=1, help="decides every secret and id")
    parser.add_argument("--limits", choices=("on", "off"), default="on", help="enforce the vendor's rate limits")
    parser.add_argument("--webhook-url", default=None, help="deliver webhooks there from the start")
    parser.add_argument("--tls", action="store_true", help="speak https; `ca_file` is what clients must trust")
    parser.add_argument(
        "--volume",
        type=volume_of,
        default=0,
        metavar="N",
        help="begin with N won deals, or people, and what belongs to them",
    )
    return parser


def options_from(given: argparse.Namespace) -> EmulatorOptions:
    """What `parser_of` understood."""
    return EmulatorOptions(
        port=given.port,
        seed=given.seed,
        limits=given.limits == "on",
        webhook_url=given.webhook_url,
        tls=given.tls,
        volume=given.volume,
    )


async def serve_until_stopped(
    open_emulator: Callable[[], AbstractAsyncContextManager[Served]], name: str, port: int, *, as_json: bool
) -> int:
    """Serve until SIGTERM or SIGINT; the exit code.

    Args:
        name: the vendor's, for messages.
        port: that was asked for, for messages.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with open_emulator() as emulator:
            ready = dict(emulator.ready())
            line = dumps(ready).decode() if as_json else "\n".join(f"{key}: {value}" for key, value in ready.items())
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            await stop.wait()
    except OSError as error:
        sys.stderr.write(
            f"The {name} emulator cannot listen on port {port}: {error.strerror}. Choose another --port.\n"
        )
        return UNUSABLE
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0


async def serve_with(
    argv: Sequence[str],
    name: str,
    description: str,
    open_emulator: Callable[[EmulatorOptions], AbstractAsyncContextManager[Served]],
) -> int:
    """The whole command of an emulator with no arguments of its own."""
    try:
        given = parser_of(name, description).parse_args(list(argv))
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else 0
    options = options_from(given)
    return await serve_until_stopped(lambda: open_emulator(options), name, options.port, as_json=given.json)
