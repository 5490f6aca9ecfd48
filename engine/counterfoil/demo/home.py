"""The demo's folder: configuration, mappings, and the address at which webhooks will arrive."""

import socket
from importlib import resources
from pathlib import Path

from counterfoil.settings import CONFIG_FILE, Settings, load_settings
from counterfoil_schema.exact_json import JsonObject

COMPANY = 1
COMPANY_NAME = "Sample Company"
CALL_SECONDS = 10
SERVER_SECONDS = 5
LEASE_SECONDS = 10
SWEEP_SECONDS = 60
_TEMPLATE = """\
# Written by `counterfoil demo`. The secrets open emulators on this machine and nothing else.
home = ".counterfoil"
lease_seconds = {lease_seconds}

[company.{company}]
name = "{name}"
zone = "America/New_York"
poll_seconds = 60
sweep_seconds = {sweep_seconds}

[company.{company}.quickbooks]
environment = "emulator"
base_url = "{quickbooks[base_url]}"
realm_id = "{quickbooks[realm_id]}"
client_id = "{quickbooks[client_id]}"
client_secret = "{quickbooks[client_secret]}"
refresh_token = "{quickbooks[refresh_token]}"
verifier_token = "{quickbooks[verifier_token]}"
timeout_seconds = {call_seconds}
# Intuit ends its own work on a call after 120 s; the emulator's longest takes 5.
server_seconds = {server_seconds}
{unlimited}
[company.{company}.source.hubspot]
adapter = "hubspot"
mapping = "hubspot.toml"
base_url = "{hubspot[base_url]}"
access_token = "{hubspot[access_token]}"
client_secret = "{hubspot[client_secret]}"
app_id = "{hubspot[app_id]}"
portal_id = "{hubspot[portal_id]}"
{hubspot_pace}
[company.{company}.source.gusto]
adapter = "gusto"
mapping = "gusto.toml"
base_url = "{gusto[base_url]}"
company_uuid = "{gusto[company_uuid]}"
access_token = "{gusto[access_token]}"
refresh_token = "{gusto[refresh_token]}"
client_id = "{gusto[client_id]}"
client_secret = "{gusto[client_secret]}"
verification_token = "{gusto[verification_token]}"
since = "2026-01-01"
"""


def write_home(home: Path, connections: dict[str, JsonObject], *, limits: bool) -> Settings:
    """Write configuration and mappings; the settings as they will be read."""
    mappings = resources.files("counterfoil.demo").joinpath("mappings")
    for name in ("hubspot.toml", "gusto.toml"):
        (home / name).write_text(mappings.joinpath(name).read_text(encoding="utf-8"), encoding="utf-8")
    text = _TEMPLATE.format(
        company=COMPANY,
        name=COMPANY_NAME,
        lease_seconds=LEASE_SECONDS,
        call_seconds=CALL_SECONDS,
        server_seconds=SERVER_SECONDS,
        sweep_seconds=SWEEP_SECONDS,
        unlimited="" if limits else "unlimited = true\n",
        hubspot_pace="" if limits else "calls_per_10_seconds = 10000\nsearches_per_second = 1000\n",
        **connections,
    )
    path = home / CONFIG_FILE
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load_settings(path, {})


def free_port() -> int:
    """A port that nobody listens on: the engine takes it, and takes it again after the restart."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
