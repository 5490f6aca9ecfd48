"""How an emulator is set up, in code and on the command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import ValidationError

from counterfoil.emulating.command import port_number
from counterfoil.quickbooks.emulator.injection import FaultRule
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from counterfoil.quickbooks.emulator.notifications import WebhookFormat
from counterfoil.quickbooks.emulator.orders import FaultOrder, complaint
from counterfoil.quickbooks.emulator.requestids import ReplayRules
from counterfoil_schema.exact_json import loads

REALM_ID = "9130347596842384"
VOLUME_MAX = 100_000
UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True)
class Switches:
    """What Intuit's sources leave open or dispute; each can be had either way.

    Attributes:
        replay: what becomes of request ids.
        batch_items_max: 30 as documented, or 10.
        batch_objects: whether a batch that would answer more than a thousand objects gets 10100 for the rest, as
            documented; an extractor in wide use counts on a thousand for each of its queries.
        batch_order: items of a batch are handled one after the other, or at once, none seeing another.
        latin1_only: text outside ISO-8859-1 is refused, as documented for US companies.
        old_changes: change data capture asked further back than 30 days tells those of 30 days, or refuses.
        closed_period: the fault of a closed period, with a password set for it or without.
        old_refresh: a refresh with a token that was replaced is refused, or ends the connection too.
        unasked_form: the form of an answer where neither Accept nor the request's own body tells.
        used_code: a code that is sent a second time is refused, or ends what the first exchange gave.
        consents: each consent has tokens of its own beside the others', or there is one connection alone, which a
            new consent replaces.
        cdc_time_activity: whether change data capture tells of time activities.
    """

    replay: ReplayRules = field(default_factory=ReplayRules)
    batch_items_max: int = 30
    batch_objects: Literal["bounded", "any"] = "any"
    batch_order: Literal["serial", "parallel"] = "serial"
    latin1_only: bool = True
    old_changes: Literal["clipped", "refused"] = "clipped"
    closed_period: Literal["6210", "6200"] = "6210"
    old_refresh: Literal["refused", "revokes"] = "refused"
    unasked_form: Literal["xml", "json"] = "xml"
    used_code: Literal["refused", "revokes"] = "refused"
    consents: Literal["each", "one"] = "each"
    cdc_time_activity: Literal["told", "refused"] = "told"


@dataclass(frozen=True, slots=True)
class EmulatorOptions:
    """Everything that can be chosen.

    Attributes:
        port, control_port: 0 takes a free one.
        seed: makes ids, tokens and secrets repeatable; None draws them from the system.
        time_scale: emulated seconds per second.
        manual_clock: time stands still until the control port moves it.
        latency_seconds: how long every answer of the API takes at least.
        tls: speak https, with a throw-away authority.
        volume: so many invoices of generated customers, two thirds of them paid.
        load, save: files with a saved state, to begin with and to write at the end.
        faults: what goes wrong from the beginning.
        sample: "none" for empty lists, "small" for a few customers, items and employees, "craig" for the landscaping
            company that Intuit's US sandboxes start with.
    """

    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    limits: LimitNumbers = field(default_factory=LimitNumbers)
    switches: Switches = field(default_factory=Switches)
    seed: int | None = None
    realm_id: str = REALM_ID
    webhook_url: str = ""
    webhook_format: WebhookFormat = "cloudevents"
    time_scale: float = 1.0
    manual_clock: bool = False
    latency_seconds: float = 0.0
    tls: bool = False
    volume: int = 0
    load: str = ""
    save: str = ""
    sample: Literal["none", "small", "craig"] = "none"
    faults: tuple[FaultRule, ...] = ()


def parser() -> argparse.ArgumentParser:
    """The command line of `counterfoil emulator quickbooks`."""
    made = argparse.ArgumentParser(
        prog="counterfoil emulator quickbooks",
        description=(
            "A QuickBooks Online company on this machine: accounting API, OAuth and webhooks, with Intuit's limits. "
            "Prints one line when it is ready and serves until it is stopped (SIGTERM or Ctrl-C)."
        ),
        epilog=(
            "The control address moves the clock, injects faults, acts as a person in QuickBooks, and shows the "
            "journal of every effect: see the README beside the emulator, or GET <control_url>/ for the list. "
            "Example: counterfoil emulator quickbooks --port 8700 --json"
        ),
    )
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    made.add_argument(
        "--port", type=port_number, default=0, help="port of the API; 0 takes a free one (default: %(default)s)"
    )
    made.add_argument(
        "--control-port", type=port_number, default=0, help="port of the control address (default: a free one)"
    )
    made.add_argument("--json", action="store_true", help="print the ready line as JSON instead of words")
    made.add_argument(
        "--limits", choices=("on", "off"), default="on", help="enforce Intuit's limits (default: %(default)s)"
    )
    made.add_argument("--seed", type=int, help="make ids, tokens and secrets the same in every run")
    made.add_argument(
        "--realm", default=REALM_ID, metavar="ID", help="the company's id, a number (default: %(default)s)"
    )
    made.add_argument("--webhook-url", default="", metavar="URL", help="where to send notifications")
    made.add_argument(
        "--webhook-format",
        choices=("cloudevents", "legacy"),
        default="cloudevents",
        help="form of the notifications (default: %(default)s)",
    )
    made.add_argument(
        "--time-scale", type=float, default=1.0, metavar="N", help="let N seconds pass in one (default: %(default)s)"
    )
    made.add_argument("--manual-clock", action="store_true", help="time stands still until the control port moves it")
    made.add_argument(
        "--latency",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="let every answer take so long; QuickBooks takes some tenths of a second (default: %(default)s)",
    )
    made.add_argument(
        "--sample",
        choices=("none", "small", "craig"),
        default="none",
        help="what the lists hold (default: %(default)s)",
    )
    made.add_argument(
        "--volume", type=int, default=0, metavar="N", help="make N invoices first, up to 100,000 (default: %(default)s)"
    )
    made.add_argument("--load", default="", metavar="FILE", help="begin with a saved state instead of a sample")
    made.add_argument("--save", default="", metavar="FILE", help="write the state there when stopped")
    made.add_argument("--tls", action="store_true", help="speak https; the ready line names the authority's file")
    made.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="JSON",
        help="a fault from the beginning, as POST /faults takes it; can be given several times",
    )
    _add_switches(made)
    _add_token_switches(made)
    return made


def _add_switches(made: argparse.ArgumentParser) -> None:
    """What Intuit's pages leave open or dispute."""
    made.add_argument(
        "--rate",
        choices=("both", "second", "at-once"),
        default="both",
        help="ten requests in a second, ten at once, or both, as Intuit's pages disagree (default: %(default)s)",
    )
    made.add_argument(
        "--old-changes",
        choices=("clipped", "refused"),
        default="clipped",
        help="what change data capture makes of a date over 30 days ago (default: %(default)s)",
    )
    made.add_argument(
        "--batch-items", type=int, choices=(10, 30), default=30, help="most items in a batch (default: %(default)s)"
    )
    made.add_argument(
        "--batch-objects",
        choices=("any", "bounded"),
        default="any",
        help="whether a batch may answer more than a thousand objects (default: %(default)s)",
    )
    made.add_argument(
        "--batch-order",
        choices=("serial", "parallel"),
        default="serial",
        help="items of a batch one after the other, or at once and answered in any order (default: %(default)s)",
    )
    made.add_argument(
        "--request-ids",
        default="forever",
        metavar="forever|ignored|error|duplicate|MINUTES",
        help="how long request ids are remembered, or what a repetition gets: 6000, or 600 (default: %(default)s)",
    )
    made.add_argument(
        "--replay-faults",
        choices=("on", "off"),
        default="on",
        help="a fault is replayed under its request id like any answer (default: %(default)s)",
    )
    made.add_argument(
        "--cdc-time-activity",
        choices=("told", "refused"),
        default="told",
        help="whether change data capture tells of time activities (default: %(default)s)",
    )
    made.add_argument(
        "--closed-period",
        choices=("6210", "6200"),
        default="6210",
        help="fault of a closed period, with a password set for it or without (default: %(default)s)",
    )
    made.add_argument(
        "--text",
        choices=("latin1", "unicode"),
        default="latin1",
        help="characters that records may hold; US companies take ISO-8859-1 (default: %(default)s)",
    )


def _add_token_switches(made: argparse.ArgumentParser) -> None:
    """The same of OAuth, and of the form of answers."""
    made.add_argument(
        "--unasked-form",
        choices=("xml", "json"),
        default="xml",
        help="form of answers to requests that name none, by Accept or by their body (default: %(default)s)",
    )
    made.add_argument(
        "--old-refresh",
        choices=("refused", "revokes"),
        default="refused",
        help="what a refresh token that was replaced brings: a refusal, or the end (default: %(default)s)",
    )
    made.add_argument(
        "--used-code",
        choices=("refused", "revokes"),
        default="refused",
        help="what a code that is sent again brings: a refusal, or the end of its tokens (default: %(default)s)",
    )
    made.add_argument(
        "--consents",
        choices=("each", "one"),
        default="each",
        help="each consent has tokens of its own, or a new one ends those of the last (default: %(default)s)",
    )


def options_from(arguments: Sequence[str]) -> tuple[EmulatorOptions, bool]:
    """The options that a command line means, and whether the ready line is to be JSON.

    Raises:
        SystemExit: for --help, and with a usage message for a command line that is wrong.
    """
    made = parser()
    parsed = made.parse_args(list(arguments))
    if parsed.time_scale <= 0:
        made.error("--time-scale must be greater than 0")
    if not (parsed.realm.isascii() and parsed.realm.isdecimal()):
        made.error("--realm must be a number")
    if not 0 <= parsed.volume <= VOLUME_MAX:
        made.error(f"--volume must be between 0 and {VOLUME_MAX}")
    if parsed.load and (parsed.volume or parsed.sample != "none"):
        made.error("--load brings its own company; leave --sample and --volume out")
    replay = _replay(made, parsed.request_ids, faults=parsed.replay_faults == "on")
    options = EmulatorOptions(
        host=parsed.host,
        port=parsed.port,
        control_port=parsed.control_port,
        limits=_limits(parsed.limits, parsed.rate),
        switches=Switches(
            replay=replay,
            batch_items_max=parsed.batch_items,
            batch_objects=parsed.batch_objects,
            batch_order=parsed.batch_order,
            latin1_only=parsed.text == "latin1",
            old_changes=parsed.old_changes,
            closed_period=parsed.closed_period,
            old_refresh=parsed.old_refresh,
            used_code=parsed.used_code,
            unasked_form=parsed.unasked_form,
            consents=parsed.consents,
            cdc_time_activity=parsed.cdc_time_activity,
        ),
        seed=parsed.seed,
        realm_id=parsed.realm,
        webhook_url=parsed.webhook_url,
        webhook_format=parsed.webhook_format,
        time_scale=parsed.time_scale,
        manual_clock=parsed.manual_clock,
        tls=parsed.tls,
        volume=parsed.volume,
        load=parsed.load,
        save=parsed.save,
        latency_seconds=max(0.0, parsed.latency),
        sample=parsed.sample,
        faults=tuple(_fault(made, text) for text in parsed.fault),
    )
    return options, bool(parsed.json)


def _fault(made: argparse.ArgumentParser, text: str) -> FaultRule:
    try:
        return FaultOrder.model_validate(loads(text.encode())).rule(0)
    except ValidationError as error:
        made.error(f"--fault {text[:80]}: {complaint(error)}")
    except (ValueError, RecursionError) as error:
        made.error(f"--fault {text[:80]}: {error}")


def _limits(switch: str, rate: str) -> LimitNumbers:
    numbers = LimitNumbers(enabled=switch == "on")
    if rate == "second":
        return replace(numbers, concurrent=UNLIMITED)
    return replace(numbers, requests_per_second=UNLIMITED) if rate == "at-once" else numbers


def _replay(made: argparse.ArgumentParser, text: str, *, faults: bool) -> ReplayRules:
    match text:
        case "forever":
            return ReplayRules(faults=faults)
        case "ignored":
            return ReplayRules(remembered=False)
        case "error":
            return ReplayRules(faults=faults, as_error="6000")
        case "duplicate":
            return ReplayRules(faults=faults, as_error="600")
        case _:
            try:
                return ReplayRules(minutes=float(text), faults=faults)
            except ValueError:
                made.error(
                    f"--request-ids takes forever, ignored, error, duplicate or a number of minutes, not {text!r}"
                )
