"""intuit-oauth checks the id token of the emulator against its keys, and ends the connection."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from intuitlib import config as intuit_config
from intuitlib import utils as intuit_utils
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError

from support.quickbooks_emulator import EmulatorProcess, emulator_process


@pytest.fixture(params=["", "/"])
def auth(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AuthClient]:
    with emulator_process("--limits", "off") as emulator:
        discover(emulator, monkeypatch, request.param)
        yield connected(emulator)


def discover(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch, slash: str = "") -> None:
    addresses = dict.fromkeys(("sandbox", "production"), emulator["discovery_url"] + slash)
    monkeypatch.setattr(intuit_config, "DISCOVERY_URL", addresses)
    monkeypatch.setattr(intuit_utils, "DISCOVERY_URL", addresses)


def connected(emulator: EmulatorProcess) -> AuthClient:
    client = AuthClient(emulator["client_id"], emulator["client_secret"], "http://localhost:9999/callback", "sandbox")
    consent(client, emulator)
    return client


def consent(auth: AuthClient, emulator: EmulatorProcess) -> None:
    page = urlsplit(auth.get_authorization_url([Scopes.ACCOUNTING, Scopes.OPENID], state_token="s1"))
    answer = requests.get(f"{emulator['auth_url']}?{page.query}", allow_redirects=False, timeout=10)
    told = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert told["state"] == ["s1"]
    auth.get_bearer_token(told["code"][0], realm_id=told["realmId"][0])


def test_the_id_token_is_accepted_by_intuit_s_own_check(auth: AuthClient) -> None:
    assert auth.id_token is not None
    assert is_valid(auth, auth.id_token)
    # Four letters at a time, so that it is still well formed.
    head, claims, signature = auth.id_token.split(".")
    assert not is_valid(auth, ".".join((head, claims, signature[4:8] + signature[:4] + signature[8:])))


def is_valid(auth: AuthClient, id_token: str) -> bool:
    return bool(intuit_utils.validate_id_token(id_token, auth.client_id, auth.issuer_uri, auth.jwks_uri))


def test_revoking_ends_the_connection(auth: AuthClient) -> None:
    assert auth.revoke()
    for refused in (auth.refresh, auth.revoke, auth.get_user_info):
        with pytest.raises(AuthClientError) as caught:
            refused()
        assert caught.value.status_code in {400, 401}


def test_many_clients_work_at_once_each_by_its_own_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    with emulator_process("--limits", "off") as emulator:
        discover(emulator, monkeypatch)
        clients = [connected(emulator) for _ in range(3)]
        for _ in range(2):
            for client in clients:
                client.refresh()
                assert client.get_user_info().status_code == 200
            emulator.control("/clock", {"advance_seconds": 90_000})
        clients[1].revoke()
        for client in (clients[0], clients[2]):
            client.refresh()
        with pytest.raises(AuthClientError):
            clients[1].refresh()
