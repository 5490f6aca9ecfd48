"""`counterfoil emulator salesforce`: serves until told to stop."""

from collections.abc import Sequence
from dataclasses import asdict

from counterfoil.emulating.command import options_from, parser_of, serve_until_stopped
from counterfoil_adapters.salesforce.emulator.server import DAILY_CALLS, SalesforceEmulator, SalesforceOptions


async def serve(argv: Sequence[str]) -> int:
    """Run the emulator until SIGTERM or SIGINT; the exit code."""
    parser = parser_of("salesforce", "A Salesforce org to test with.")
    parser.add_argument("--daily-calls", type=int, default=DAILY_CALLS, help="calls in 24 hours")
    parser.add_argument("--multi-currency", action="store_true", help="records have a currency each")
    try:
        given = parser.parse_args(list(argv))
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else 0
    options = SalesforceOptions(
        **asdict(options_from(given)), daily_calls=given.daily_calls, multi_currency=given.multi_currency
    )
    return await serve_until_stopped(
        lambda: SalesforceEmulator(options), "Salesforce", options.port, as_json=given.json
    )
