"""What an engine is told: by its host as objects, or by a configuration file and the environment."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from counterfoil.errors import ConfigurationError

_CONNECTION = re.compile(r"[a-z][a-z0-9_-]{0,39}")
CONFIG_FILE = "counterfoil.toml"


Reads = Annotated[int, Field(gt=0)] | Literal["off"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QuickBooksSettings(_Settings):
    """One QuickBooks Online connection. Secrets are given as `env:NAME` or `file:PATH`, or directly for emulators.

    `counterfoil connect quickbooks` brings realm and tokens. A `realm_id` given here admits no other books; a
    `refresh_token` given here, with the realm, is the first one where consent was given elsewhere.
    """

    environment: Literal["emulator", "sandbox", "production"] = "emulator"
    realm_id: str | None = None
    client_id: SecretStr
    client_secret: SecretStr
    refresh_token: SecretStr | None = None
    verifier_token: SecretStr | None = None
    base_url: str | None = None
    token_url: str | None = None
    timeout_seconds: float = Field(default=30.0, gt=0, le=120)
    server_seconds: float = Field(default=120.0, ge=0)
    ceiling: Decimal | None = Field(default=None, gt=0, le=1)
    requests_per_minute: int = Field(default=500, gt=0)
    unlimited: bool = False
    metered_reads_per_month: Reads | None = None

    @model_validator(mode="after")
    def _emulator_has_address(self) -> Self:
        if self.environment == "emulator" and not self.base_url:
            raise ValueError("an emulator needs its base_url")
        if self.refresh_token is not None and self.realm_id is None:
            raise ValueError("a refresh_token needs the realm_id that it leads to")
        if self.environment != "emulator" and (self.base_url or self.unlimited):
            raise ValueError("base_url and unlimited are for emulators only")
        return self


class SourceSettings(_Settings):
    """One source connection: which adapter, which mapping, and whatever else the adapter asks for in `options`.

    `mapping` is the text itself; `mapping_file` names where it came from, for messages. `leaves_no_trace`: for trials.
    """

    adapter: str
    mapping: str
    mapping_file: str = ""
    options: Mapping[str, Any] = Field(default_factory=dict)
    leaves_no_trace: bool = False


class BreakerSettings(_Settings):
    """How much of the books may be voided, deleted or made inactive before a person is asked.

    Args:
        share: of the documents of a kind that stand for source records; 1 never asks.
        documents: so many go unasked in any case.
        hours: the time over which is counted.
    """

    share: Decimal = Field(default=Decimal("0.1"), ge=0, le=1)
    documents: int = Field(default=5, ge=0)
    hours: float = Field(default=24.0, gt=0, le=24 * 31)


class CompanySettings(_Settings):
    """One set of books and the sources that feed it.

    Args:
        reconcile_days: from one reconciliation to the next; 0 for none but by command.
        preview_first: nothing goes out before `counterfoil onboard --approve`. In production that is always so.
        erased_people: what becomes of a person whom a source still shows after `counterfoil erase`: `park` asks for
            them to be erased there too, `skip` leaves them out in silence. Nothing personal is taken in either way.
    """

    company: int = Field(gt=0)
    name: str
    zone: str = "UTC"
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    quickbooks: QuickBooksSettings
    sources: Mapping[str, SourceSettings] = Field(default_factory=dict)
    poll_seconds: float = Field(default=60.0, gt=0)
    sweep_seconds: float = Field(default=300.0, gt=0)
    reconcile_days: float = Field(default=7.0, ge=0, le=366)
    preview_first: bool = False
    erased_people: Literal["park", "skip"] = "park"
    breaker: BreakerSettings = BreakerSettings()

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{zone!r} is no time zone; write one like 'America/New_York'") from None
        return zone

    @field_validator("sources")
    @classmethod
    def _names_are_plain(cls, sources: Mapping[str, SourceSettings]) -> Mapping[str, SourceSettings]:
        for name in sources:
            if not _CONNECTION.fullmatch(name) or name == "quickbooks":
                raise ValueError(
                    f"{name!r} cannot name a connection: lower-case letters, digits, dashes; not quickbooks"
                )
        return sources


class TelemetrySettings(_Settings):
    """Where traces and metrics go; nowhere by default."""

    otlp_endpoint: str | None = None
    service_name: str = "counterfoil"


class AnchorSettings(_Settings):
    """Where the signed heads of the log are kept, and how often they are written; also at shutdown.

    Keep file and key where the owner of the database cannot write.

    Args:
        before_sending: a company's head is written as well between the recording of a call and the call itself, so that
            no backup, however new, can forget a call without being found out. Where the file cannot be written, nothing
            is sent.
    """

    file: Path
    key: SecretStr
    every_seconds: float = Field(default=3600.0, ge=1)
    before_sending: bool = True


class TokenStoreSettings(_Settings):
    """Where OAuth tokens are kept: in Postgres under the master key, or in a vault that encrypts by itself.

    Args:
        prefix: what the names of the secrets begin with; one for each installation.
        region: of AWS; by default as the AWS SDK finds it.
        url: the vault's address, for azure; another address of Secrets Manager, for aws.
    """

    store: Literal["postgres", "aws", "azure"] = "postgres"
    prefix: str = Field(default="counterfoil", pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$")
    region: str | None = None
    url: str | None = None

    @model_validator(mode="after")
    def _vault_has_address(self) -> Self:
        if self.store == "azure" and not (self.url or "").startswith("https://"):
            raise ValueError("azure needs url, the address of the vault, beginning with https://")
        if self.store == "postgres" and (self.region or self.url):
            raise ValueError("region and url are for the stores aws and azure")
        return self


class WebhookSettings(_Settings):
    """Bounds of the webhook routes; what is over them is asked to come again, but for a body that is too large.

    Args:
        body_bytes_max: ten thousand of Intuit's events, and some.
        deliveries_at_once: being received and recorded.
        deliveries_per_second: recorded, on average over some seconds.
        answer_seconds: until when a delivery is recorded; Intuit waits three seconds.
    """

    body_bytes_max: int = Field(default=4_000_000, ge=1_000)
    deliveries_at_once: int = Field(default=64, gt=0)
    deliveries_per_second: float = Field(default=100.0, gt=0)
    answer_seconds: float = Field(default=2.5, gt=0)


class Settings(_Settings):
    """Everything an engine is told.

    Args:
        home: folder for the embedded Postgres, the master key and anchors.
        dsn: the engine's login on an outside Postgres; None for the embedded one.
        admin_dsn: a login for migrations on it.
        prefix: what the names of our schemas and roles begin with.
        master_key: 32 bytes in base64, under which all other keys are wrapped; made in `home` if None.
        public_url: under which the webhooks are reached from outside, if a proxy stands in between.
        metered_reads_per_month: of the app at Intuit, all companies together: as they run out, sweeps stop first; or
            off. A company may have fewer of its own, or be off alone.
        lease_seconds: how long another process waits for a company whose holder fell silent; calls need five of them.
        sandbox_report: what the last `make test-sandbox` left, for `counterfoil doctor`.
    """

    home: Path = Path(".counterfoil")
    dsn: SecretStr | None = None
    admin_dsn: SecretStr | None = None
    prefix: str = "counterfoil"
    master_key: SecretStr | None = None
    public_url: str | None = None
    lease_seconds: float = Field(default=60.0, ge=8)
    companies: tuple[CompanySettings, ...] = ()
    telemetry: TelemetrySettings = TelemetrySettings()
    tokens: TokenStoreSettings = TokenStoreSettings()
    webhooks: WebhookSettings = WebhookSettings()
    metered_reads_per_month: Reads = 500_000
    anchor: AnchorSettings | None = None
    sandbox_report: Path | None = None

    @model_validator(mode="after")
    def _companies_differ(self) -> Self:
        numbers = [company.company for company in self.companies]
        if len(set(numbers)) < len(numbers):
            raise ValueError("two companies have the same number")
        books: dict[tuple[str, str, str], int] = {}
        for one in self.companies:
            at = one.quickbooks
            if at.realm_id is None:
                continue
            other = books.setdefault((at.environment, at.base_url or "", at.realm_id), one.company)
            if other != one.company:
                raise ValueError(
                    f"companies {other} and {one.company} name the same QuickBooks realm {at.realm_id}: "
                    "one company may have several sources, but a set of books has one company"
                )
        return self


def reads_of(given: int | Literal["off"] | None) -> int | None:
    """A bound of metered reads as a number; None for none."""
    return None if given == "off" else given


def load_settings(
    path: Path, environment: Mapping[str, str] | None = None, *, may_lack_mappings: bool = False
) -> Settings:
    """Settings from a TOML file, with `COUNTERFOIL_DSN`, `COUNTERFOIL_ADMIN_DSN`, `COUNTERFOIL_MASTER_KEY` on top.

    Mapping files are read relative to the file's folder and become part of the settings.

    Args:
        may_lack_mappings: the smallest mapping stands in for a file that is not there yet.

    Raises:
        ConfigurationError: the file is missing or wrong; says which key, and what to do.
    """
    environment = os.environ if environment is None else environment
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no configuration file {path}.",
            remedy="Write one (`counterfoil init` writes an example), or name another with --config.",
        ) from None
    except OSError as problem:
        raise ConfigurationError(
            f"The configuration {path} cannot be read: {problem.strerror}.", remedy="Name a readable file."
        ) from None
    except UnicodeDecodeError as wrong:
        raise ConfigurationError(
            f"{path} is no UTF-8: byte {wrong.start} cannot be decoded.", remedy="Save it as UTF-8."
        ) from None
    except tomllib.TOMLDecodeError as wrong:
        raise ConfigurationError(f"{path} is no TOML file: {wrong}.", remedy="Mend that place.") from None
    folder = path.resolve().parent
    data = _resolved(data, folder, environment)
    for name in ("dsn", "admin_dsn", "master_key"):
        value = environment.get(f"COUNTERFOIL_{name.upper()}")
        if value:
            data[name] = value
    home = data.get("home", ".counterfoil")
    # Anything but a text is left for the validation to refuse.
    data["home"] = str(folder / home) if isinstance(home, str) else home
    report = data.get("sandbox_report")
    data |= {"sandbox_report": str(folder / report)} if isinstance(report, str) else {}
    anchor = data.get("anchor")
    if isinstance(anchor, dict) and isinstance(anchor.get("file"), str):
        data["anchor"] = {**anchor, "file": str(folder / anchor["file"])}
    _refuse(data, "the file", {"companies": 'did you mean "company"?'})
    data["companies"] = _companies(data.pop("company", {}), folder, may_lack_mappings=may_lack_mappings)
    try:
        return Settings.model_validate(data)
    except ValidationError as wrong:
        said = describe(wrong, [str(one["company"]) for one in data["companies"]])
        raise ConfigurationError(f"{path}: {said}", remedy="Mend that key and start again.") from None


def describe(wrong: ValidationError, companies: Sequence[str] = ()) -> str:
    """The first fault of a validation, with the key as the file has it; never the value, which may be secret.

    Args:
        wrong: what the validation of `Settings` found.
        companies: the numbers of the companies in their order, as written.
    """
    faults = wrong.errors(include_input=False, include_url=False)
    # A key that nobody knows explains the one that is missing.
    first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    place = [str(part) for part in first["loc"]]
    known = _known_keys(place[:-1])
    if place[:1] == ["companies"] and len(place) > 1:
        place[:2] = ["company", companies[int(place[1])] if companies else place[1]]
    table, key = ".".join(_SPELLED.get(part, part) for part in place[:-1]), place[-1] if place else ""
    within = f"[{table}]" if table else "the file"
    match first["type"]:
        case "extra_forbidden":
            near = get_close_matches(key, known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"known are {', '.join(known)}."
            return f'{within} has no key "{key}"; {hint}'
        case "missing":
            return f'{within} lacks "{key}".'
        case _:
            says = first["msg"].removeprefix("Value error, ")
            return f"{within} {key}: {says}.".replace(" :", ":") if key else f"{says}."


_SPELLED = {"sources": "source"}
"""Keys that are called otherwise in the file."""


def _known_keys(place: Sequence[str]) -> list[str]:
    """The keys that the table at this place may have."""
    model: type[BaseModel] = Settings
    inner: Mapping[str, type[BaseModel]] = {
        "companies": CompanySettings,
        "quickbooks": QuickBooksSettings,
        "breaker": BreakerSettings,
        "sources": SourceSettings,
        "telemetry": TelemetrySettings,
        "tokens": TokenStoreSettings,
        "webhooks": WebhookSettings,
    }
    for part in place:
        model = inner.get(part, model)
    spelled = {name: short for short, name in (("company", "companies"), ("source", "sources"))}
    return sorted(spelled.get(name, name) for name in model.model_fields)


def _refuse(table: Mapping[str, Any], within: str, keys: Mapping[str, str]) -> None:
    """Names that only the program uses would be taken for what it puts there itself."""
    for key, hint in keys.items():
        if key in table:
            raise ConfigurationError(f'{within} has no key "{key}"; {hint}', remedy="Mend that key and start again.")


def _companies(tables: object, folder: Path, *, may_lack_mappings: bool) -> list[dict[str, Any]]:
    if not isinstance(tables, dict):
        raise ConfigurationError("[company] must hold numbered tables.", remedy="Write [company.1] and so on.")
    companies = []
    for number, given in tables.items():
        if not isinstance(given, dict) or not number.isdecimal():
            raise ConfigurationError(f"[company.{number}] is no numbered table.", remedy="Write [company.1] and so on.")
        table = dict(given)
        hints = {"sources": 'did you mean "source"?', "company": "its number stands in its head."}
        _refuse(table, f"[company.{number}]", hints)
        sources = {}
        for name, named in dict(table.pop("source", {})).items():
            if not isinstance(named, dict) or not isinstance(named.get("mapping"), str):
                raise ConfigurationError(
                    f"[company.{number}.source.{name}] names no mapping file.", remedy='Write mapping = "FILE.toml".'
                )
            source = dict(named)
            file = str(source.pop("mapping"))
            adapter = source.pop("adapter", name)
            if may_lack_mappings and not (folder / file).exists():
                mapping = f'[connection]\nsource = "{adapter}"\n'
            else:
                mapping = _text_of(folder / file, f"mapping of {name}")
            options = {key: _path(key, value, folder) for key, value in source.items()}
            sources[name] = {"adapter": adapter, "mapping": mapping, "mapping_file": file, "options": options}
        companies.append({"company": number, "sources": sources, **table})
    return companies


def _path(key: str, value: object, folder: Path) -> object:
    return str(folder / value) if key in {"folder", "file", "rejected"} and isinstance(value, str) else value


def _text_of(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            f"The {what}, {path.name}, cannot be read.", remedy=f"Put it at {path}, in UTF-8, or correct the name."
        ) from None


def _resolved(value: Any, folder: Path, environment: Mapping[str, str]) -> Any:
    """The same value with `env:NAME` and `file:PATH` replaced by secrets."""
    if isinstance(value, dict):
        return {key: _resolved(part, folder, environment) for key, part in value.items()}
    if isinstance(value, list):
        return [_resolved(part, folder, environment) for part in value]
    if isinstance(value, str) and value.startswith("env:"):
        name = value.removeprefix("env:")
        if name not in environment:
            raise ConfigurationError(
                f"The configuration names the environment variable {name}, which is not set.", remedy="Set it."
            )
        return SecretStr(environment[name])
    if isinstance(value, str) and value.startswith("file:"):
        return SecretStr(_text_of(folder / value.removeprefix("file:"), "secret").strip())
    return value
