"""What may become a connection: one answer to one question of ours, for the right books."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.quickbooks.online.endpoints import Endpoints, endpoints_from, known_endpoints
from counterfoil.quickbooks.online.oauth import AUTHORIZE_URL, GRANT_URL, REVOKE_URL
from counterfoil.secrets.consents import hash_of, is_same_browser, new_state
from support.seeded import SeededEntropy


def test_intuits_addresses_are_taken_from_its_document() -> None:
    found = endpoints_from(
        {
            "authorization_endpoint": "https://appcenter.intuit.com/connect/oauth3",
            "token_endpoint": "https://oauth.platform.intuit.com/oauth3/tokens",
            "revocation_endpoint": "https://developer.api.intuit.com/v3/revoke",
        },
        Endpoints(),
        base_url=None,
    )
    assert found == Endpoints(
        "https://appcenter.intuit.com/connect/oauth3",
        "https://oauth.platform.intuit.com/oauth3/tokens",
        "https://developer.api.intuit.com/v3/revoke",
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://oauth.platform.intuit.com/tokens",
        "https://intuit.com.example/tokens",
        "https://notintuit.com/tokens",
        "https://intuit.com@example.com/tokens",
        "https://user@oauth.platform.intuit.com/tokens",
        "//oauth.platform.intuit.com",
        "",
        7,
        None,
    ],
)
def test_an_address_that_may_not_see_the_secret_is_not_taken(url: str | int | None) -> None:
    found = endpoints_from({"token_endpoint": url}, Endpoints(), base_url=None)
    assert (found.authorize, found.grant, found.revoke) == (AUTHORIZE_URL, GRANT_URL, REVOKE_URL)


def test_an_emulator_has_all_addresses_at_its_own() -> None:
    base = "http://127.0.0.1:8080"
    known = known_endpoints(f"{base}/")
    assert known.grant == "http://127.0.0.1:8080/oauth2/v1/tokens/bearer"
    assert known == endpoints_from({"token_endpoint": "https://oauth.platform.intuit.com/x"}, known, base_url=base)


def test_states_differ_and_only_their_hash_is_kept() -> None:
    states = {new_state(SeededEntropy(seed)) for seed in range(100)}
    assert len(states) == 100
    assert {len(state) for state in states} == {43}
    assert hash_of("abc") == hashlib.sha256(b"abc").digest()


@given(st.text(), st.text())
def test_another_browser_is_told(state: str, cookie: str) -> None:
    assert is_same_browser(state, hash_of(state).hex())
    assert not is_same_browser(state, cookie)
    assert not is_same_browser(state, None)
