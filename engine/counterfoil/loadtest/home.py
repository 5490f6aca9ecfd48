"""The load run's own folder: a configuration made from nothing; it reaches emulators of this machine and no more."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from counterfoil.dispatch.limiter import LimiterSettings
from counterfoil.errors import ConfigurationError
from counterfoil.settings import CONFIG_FILE, CompanySettings, Settings, load_settings
from counterfoil_schema.exact_json import JsonObject

CONNECTION = "load"
POLL_SECONDS = 2
"""How often the made-up source is looked at; what a deployment's own takes to tell comes on top of the delays."""

MAPPING_FILE = "load.toml"
MAPPING = """\
[connection]
source = "csv"
zone = "UTC"
currency = "USD"

[product]
income_account = "Sales of Product Income"
type = "NonInventory"

[invoice]
number = "{id}"
tax_code = "NON"

[csv.customer]
file = "customers_*.csv"
record = "customer"
id = "id"
columns = { name = "name", company_name = "edition" }

[csv.product]
file = "products_*.csv"
record = "product"
id = "id"
columns = { name = "name", unit_price = "price" }

[csv.order]
file = "orders_*.csv"
record = "invoice"
id = "id"
constants = { status = "ordered" }

[csv.order.columns]
dated = "date"
customer = { kind = "customer", column = "customer" }
won = { column = "state", when = ["won"] }

[csv.order.lines]
id = "line"
columns = { product = { kind = "product", column = "product" }, quantity = "quantity", unit_price = "price" }
"""

_HEAD = """\
# Written by `counterfoil loadtest`. The secrets open emulators on this machine and nothing else.
home = ".counterfoil"
lease_seconds = 10
"""
_COMPANY = """
[company.{number}]
name = "Company {number}"
zone = "UTC"
poll_seconds = {poll_seconds}
sweep_seconds = {sweep_seconds}
reconcile_days = 0

[company.{number}.quickbooks]
environment = "emulator"
base_url = "{ready[base_url]}"
realm_id = "{ready[realm_id]}"
client_id = "{ready[client_id]}"
client_secret = "{ready[client_secret]}"
refresh_token = "{ready[refresh_token]}"
verifier_token = "{ready[verifier_token]}"
requests_per_minute = {requests_per_minute}
ceiling = {ceiling}
timeout_seconds = 10
server_seconds = 5

[company.{number}.source.{connection}]
adapter = "csv"
mapping = "{mapping}"
folder = "feed-{number}"
rejected = "rejected-{number}"
settle_seconds = 0
"""


def ceiling_of(company: CompanySettings) -> float:
    """The share of Intuit's limits that a company's engine may use."""
    own = company.quickbooks.ceiling
    return LimiterSettings().ceiling if own is None else float(own)


def feed_of(home: Path, number: int) -> Path:
    """The folder of a company's made-up source."""
    return home / f"feed-{number}"


def write_home(home: Path, companies: Sequence[CompanySettings], emulators: Mapping[int, JsonObject]) -> Settings:
    """Write configuration and mapping, and check what was written; the settings as the engine will read them.

    Of a deployment only this is taken over: the numbers of its companies, how often their books are swept, and how
    much of Intuit's limits they may use.

    Args:
        emulators: for each company what its emulator said of itself.

    Raises:
        ConfigurationError: they would reach anything but this run's own emulators and folder.
    """
    parts = [
        _COMPANY.format(
            number=one.company,
            poll_seconds=POLL_SECONDS,
            sweep_seconds=one.sweep_seconds,
            ready=emulators[one.company],
            requests_per_minute=one.quickbooks.requests_per_minute,
            ceiling=ceiling_of(one),
            connection=CONNECTION,
            mapping=MAPPING_FILE,
        )
        for one in companies
    ]
    (home / MAPPING_FILE).write_text(MAPPING, encoding="utf-8")
    for one in companies:
        feed_of(home, one.company).mkdir()
    path = home / CONFIG_FILE
    path.write_text(_HEAD + "".join(parts), encoding="utf-8")
    path.chmod(0o600)
    settings = load_settings(path, {})
    require_harmless(settings, home, {number: str(ready["base_url"]) for number, ready in emulators.items()})
    return settings


def require_harmless(settings: Settings, home: Path, addresses: Mapping[int, str]) -> None:
    """Nothing but this run's own emulators, Postgres and files can be reached by these settings.

    Args:
        addresses: of the emulators that this run started, by company.

    Raises:
        ConfigurationError: something else could.
    """
    wrong = ""
    if settings.dsn is not None or settings.admin_dsn is not None:
        wrong = "a database of somebody else's"
    elif not settings.home.resolve().is_relative_to(home.resolve()):
        wrong = f"the folder {settings.home}"
    elif settings.tokens.store != "postgres" or settings.telemetry.otlp_endpoint or settings.anchor is not None:
        wrong = "a vault, a collector or an anchor"
    for one in settings.companies:
        books, address = one.quickbooks, addresses.get(one.company)
        if books.environment != "emulator" or books.base_url != address or books.token_url is not None:
            wrong = wrong or f"books that are not this run's emulator: company {one.company}, {books.environment}"
        elif urlsplit(address or "").hostname != "127.0.0.1":
            wrong = wrong or f"an emulator on another machine: company {one.company}"
        for source in one.sources.values():
            folder = Path(str(source.options.get("folder", "/")))
            if source.adapter != "csv" or not folder.resolve().is_relative_to(home.resolve()):
                wrong = wrong or f"a source that is not made up: company {one.company}"
    if wrong:
        raise ConfigurationError(
            f"The load run was about to use {wrong}. It was not begun.",
            remedy="Report this; a load run uses emulators of its own, and nothing of a deployment but its volume.",
        )
