"""The OAuth server over HTTP: who signs in, what is asked for, tokens given back."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from counterfoil.quickbooks.emulator import EmulatorOptions
from counterfoil_schema.exact_json import dumps
from support.quickbooks_company import Api, running

BACK = "http://localhost:9999/callback"
ACCOUNTING = "com.intuit.quickbooks.accounting"


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running(EmulatorOptions(seed=1)) as made:
        yield made


async def consent(api: Api, scope: str) -> dict[str, str]:
    asked = urlencode(
        {
            "client_id": api.emulator.office.client_id,
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": scope,
            "state": "s1",
        }
    )
    url = f"{api.emulator.base_url}/connect/oauth2?{asked}"
    async with api.session.get(url, allow_redirects=False) as answer:
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        (ACCOUNTING, {"code", "state", "realmId"}),
        (f"openid {ACCOUNTING} email", {"code", "state", "realmId"}),
        ("com.intuit.quickbooks.payment", {"code", "state", "realmId"}),
        ("openid profile email phone address", {"code", "state"}),
        ("", {"error", "state"}),
        (f"{ACCOUNTING}s", {"error", "state"}),
        (f"openid {ACCOUNTING} everything", {"error", "state"}),
    ],
)
async def test_who_only_signs_in_names_no_company_and_unknown_scopes_are_refused(
    api: Api, scope: str, told: set[str]
) -> None:
    answer = await consent(api, scope)
    assert told == set(answer)
    assert answer.get("error", "invalid_scope") == "invalid_scope"


@pytest.mark.parametrize(
    ("content_type", "write"),
    [
        ("application/json", lambda token: dumps({"token": token})),
        ("application/x-www-form-urlencoded", lambda token: urlencode({"token": token}).encode()),
    ],
)
async def test_a_token_is_revoked_by_json_and_by_form(
    api: Api, content_type: str, write: Callable[[str], bytes]
) -> None:
    office = api.emulator.office
    basic = b64encode(f"{office.client_id}:{office.client_secret}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": content_type}
    url = f"{api.emulator.base_url}/v2/oauth2/tokens/revoke"
    for token, status in (("unknown", 400), (api.token, 200), (api.token, 400)):
        async with api.session.post(url, data=write(token), headers=headers) as answer:
            assert answer.status == status
    assert office.refresh_token == ""
    assert (await api.get("companyinfo/1"))[0] == 401


async def test_the_certificate_is_good_for_intuit_s_names() -> None:
    async with running(EmulatorOptions(seed=1, tls=True)) as api:
        line = api.emulator.ready_line()
        host = urlsplit(api.emulator.base_url)
        trusted = ssl.create_default_context(cafile=str(line["ca_file"]))
        for name in ("quickbooks.api.intuit.com", "sandbox-quickbooks.api.intuit.com", "oauth.platform.intuit.com"):
            _, writer = await asyncio.open_connection(host.hostname, host.port, ssl=trusted, server_hostname=name)
            writer.close()
            await writer.wait_closed()
