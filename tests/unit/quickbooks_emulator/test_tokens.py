"""How long a connection lasts: a hundred days from the last use, five years from the consent."""

import pytest

from counterfoil.clock import SystemClock
from counterfoil.quickbooks.emulator.clock import EmulatorClock, SeededEntropy
from counterfoil.quickbooks.emulator.oauth import OAuthRefusedError, TokenOffice, TokenRules
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object

DAY = 86_400
BACK = "https://app.example/cb"
ACCOUNTING = "com.intuit.quickbooks.accounting"


def an_office(rules: TokenRules | None = None) -> tuple[TokenOffice, EmulatorClock]:
    clock = EmulatorClock(SystemClock(), manual=True)
    return TokenOffice(clock, SeededEntropy(1), "123", rules), clock


def exchange(office: TokenOffice, code: str) -> JsonObject:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    return office.grant(form, hard_expiry=False)


def consent(office: TokenOffice) -> tuple[str, str]:
    """The refresh token and the access token of a new consent."""
    tokens = exchange(office, office.new_code(BACK, ACCOUNTING))
    return str(tokens["refresh_token"]), str(tokens["access_token"])


def lives(office: TokenOffice, token: str) -> bool:
    try:
        refresh(office, token)
    except OAuthRefusedError:
        return False
    return True


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


@pytest.mark.parametrize(("one_connection", "lived"), [(False, [True, True, True]), (True, [False, False, True])])
def test_each_consent_has_tokens_of_its_own_or_ends_the_last(one_connection: bool, lived: list[bool]) -> None:
    office, clock = an_office(TokenRules(one_connection=one_connection))
    held = [office.refresh_token, *(consent(office)[0] for _ in range(2))]
    assert lived == [lives(office, token) for token in held]
    # Each is replaced after its own day, and none by another's refresh.
    clock.advance(DAY)
    assert lived == [lives(office, token) for token in held]
    assert [lives(office, token) for token in held] == [False] * 3
    assert office.rotations == sum(lived)


@pytest.mark.parametrize(("one_connection", "lives_on"), [(False, True), (True, False)])
def test_who_revokes_ends_the_own_connection(one_connection: bool, lives_on: bool) -> None:
    office, _ = an_office(TokenRules(one_connection=one_connection))
    own_access = office.issue_access()
    other, other_access = consent(office)
    assert office.revoke(own_access)
    assert not office.access_is_good(own_access)
    assert (lives_on, lives_on) == (lives(office, other), office.access_is_good(other_access))
    assert not office.revoke(own_access)


def test_the_company_s_owner_ends_all() -> None:
    office, _ = an_office()
    other, access = consent(office)
    office.disconnect()
    assert not lives(office, other)
    assert not office.access_is_good(access)
    assert office.refresh_token == ""


@pytest.mark.parametrize(("revokes", "lives_on"), [(False, True), (True, False)])
def test_a_code_that_is_sent_again(revokes: bool, lives_on: bool) -> None:
    office, _ = an_office(TokenRules(used_code_revokes=revokes))
    first = office.refresh_token
    code = office.new_code(BACK, ACCOUNTING)
    given = str(exchange(office, code)["refresh_token"])
    with pytest.raises(OAuthRefusedError):
        exchange(office, code)
    assert (True, lives_on) == (lives(office, first), lives(office, given))


def test_every_connection_is_saved_and_taken_up() -> None:
    office, clock = an_office()
    first = office.refresh_token
    other, access = consent(office)
    clock.advance(DAY)
    replaced = str(
        office.grant({"grant_type": "refresh_token", "refresh_token": other}, hard_expiry=False)["refresh_token"]
    )
    again = TokenOffice(clock, SeededEntropy(2), "123", TokenRules(reuse_revokes=True))
    again.restore(loads_object(dumps(office.saved())))
    assert (again.client_id, again.client_secret) == (office.client_id, office.client_secret)
    assert again.access_is_good(access) == office.access_is_good(access)
    assert lives(again, first)
    # What came before is known too: to send it ends the connection.
    assert not lives(again, other)
    assert not lives(again, replaced)
    _, fresh = consent(again)
    assert again.revoke(fresh)
    assert again.refresh_token != ""
