"""How long a connection lasts: a hundred days from the last use, five years from the consent."""

import pytest

from counterfoil.clock import SystemClock
from counterfoil.quickbooks.emulator.clock import EmulatorClock, SeededEntropy
from counterfoil.quickbooks.emulator.oauth import OAuthRefusedError, TokenOffice

DAY = 86_400


def an_office() -> tuple[TokenOffice, EmulatorClock]:
    clock = EmulatorClock(SystemClock(), manual=True)
    return TokenOffice(clock, SeededEntropy(1), "123"), clock


def refresh(office: TokenOffice, token: str = "") -> object:
    form = {"grant_type": "refresh_token", "refresh_token": token or office.refresh_token}
    return office.grant(form, hard_expiry=True)["x_refresh_token_hard_expires_in"]


def test_a_hundred_days_without_use_end_it() -> None:
    office, clock = an_office()
    clock.advance(100 * DAY)
    refresh(office)
    clock.advance(100 * DAY + 1)
    with pytest.raises(OAuthRefusedError) as refused:
        refresh(office)
    assert (refused.value.status, refused.value.error) == (400, "invalid_grant")


def test_five_years_end_it_however_often_it_is_used_and_consent_begins_anew() -> None:
    office, clock = an_office()
    for used in range(1, 31):
        clock.advance(60 * DAY)
        assert refresh(office) == 157_680_000 - used * 60 * DAY
    clock.advance(25 * DAY)
    with pytest.raises(OAuthRefusedError):
        refresh(office)
    code = office.new_code("https://app.example/cb", "com.intuit.quickbooks.accounting")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://app.example/cb"}
    answer = office.grant(form, hard_expiry=True)
    assert answer["x_refresh_token_hard_expires_in"] == 157_680_000
    assert "id_token" not in answer


def test_a_code_is_bound_to_its_address_and_spent_by_one_attempt() -> None:
    office, _ = an_office()
    code = office.new_code("https://app.example/cb", "com.intuit.quickbooks.accounting")
    for address in ("https://app.example/other", "https://app.example/cb"):
        with pytest.raises(OAuthRefusedError) as refused:
            office.grant({"grant_type": "authorization_code", "code": code, "redirect_uri": address}, hard_expiry=False)
        assert refused.value.error == "invalid_grant"
