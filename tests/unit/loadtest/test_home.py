"""The load run's own settings: what a deployment has of its own is in none of them, and anything else is refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from counterfoil.errors import ConfigurationError
from counterfoil.loadtest.home import require_harmless, write_home
from counterfoil.settings import CompanySettings, QuickBooksSettings, Settings, TokenStoreSettings
from counterfoil_schema.exact_json import JsonObject

ADDRESS = "http://127.0.0.1:4711"
READY: JsonObject = {
    "base_url": ADDRESS,
    "realm_id": "4620816365000000001",
    "client_id": "emulated-id",
    "client_secret": "emulated-secret",
    "refresh_token": "emulated-token",
    "verifier_token": "emulated-verifier",
}
PRODUCTION = CompanySettings(
    company=3,
    name="Real Shop",
    sweep_seconds=120,
    quickbooks=QuickBooksSettings(
        environment="production",
        realm_id="9130000000000000000",
        client_id=SecretStr("real-id"),
        client_secret=SecretStr("real-secret"),
        requests_per_minute=400,
    ),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_home(tmp_path, [PRODUCTION], {3: READY})


def with_books(settings: Settings, **change: Any) -> Settings:
    (company,) = settings.companies
    books = company.quickbooks.model_copy(update=change)
    return settings.model_copy(update={"companies": (company.model_copy(update={"quickbooks": books}),)})


def with_source(settings: Settings, **change: Any) -> Settings:
    (company,) = settings.companies
    source = company.sources["load"].model_copy(update=change)
    return settings.model_copy(update={"companies": (company.model_copy(update={"sources": {"load": source}}),)})


def test_nothing_of_the_deployment_is_in_them_but_numbers(settings: Settings, tmp_path: Path) -> None:
    (company,) = settings.companies
    assert (company.company, company.sweep_seconds, company.quickbooks.requests_per_minute) == (3, 120, 400)
    assert (company.quickbooks.environment, company.quickbooks.base_url) == ("emulator", ADDRESS)
    assert not company.quickbooks.unlimited
    assert settings.home.is_relative_to(tmp_path)
    written = "".join(path.read_text() for path in tmp_path.iterdir() if path.is_file())
    for theirs in ("Real Shop", "real-", "production", "9130000000000000000"):
        assert theirs not in written


def test_a_database_in_the_environment_is_not_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_DSN", "postgresql://books@db/books")
    monkeypatch.setenv("COUNTERFOIL_ADMIN_DSN", "postgresql://postgres@db/books")
    made = write_home(tmp_path, [PRODUCTION], {3: READY})
    assert (made.dsn, made.admin_dsn) == (None, None)


def test_anything_that_reaches_further_is_refused(settings: Settings, tmp_path: Path) -> None:
    dsn = SecretStr("postgresql://books@db/books")
    further = [
        (settings.model_copy(update={"dsn": dsn}), ADDRESS, "a database of somebody else's"),
        (settings.model_copy(update={"admin_dsn": dsn}), ADDRESS, "a database of somebody else's"),
        (settings.model_copy(update={"home": tmp_path.parent}), ADDRESS, "the folder"),
        (settings.model_copy(update={"tokens": TokenStoreSettings(store="aws")}), ADDRESS, "a vault"),
        (with_books(settings, environment="production"), ADDRESS, "company 3, production"),
        (with_books(settings, environment="sandbox"), ADDRESS, "company 3, sandbox"),
        (with_books(settings, base_url="http://127.0.0.1:4712"), ADDRESS, "not this run's emulator"),
        (with_books(settings, token_url="https://oauth.example"), ADDRESS, "not this run's emulator"),
        (with_books(settings, base_url="http://10.0.0.8:1"), "http://10.0.0.8:1", "on another machine"),
        (with_source(settings, adapter="hubspot"), ADDRESS, "a source that is not made up"),
        (with_source(settings, options={"folder": str(tmp_path.parent)}), ADDRESS, "a source that is not made up"),
        (with_source(settings, options={}), ADDRESS, "a source that is not made up"),
    ]
    require_harmless(settings, tmp_path, {3: ADDRESS})
    for changed, address, said in further:
        with pytest.raises(ConfigurationError, match=said) as refused:
            require_harmless(changed, tmp_path, {3: address})
        assert "It was not begun." in refused.value.message
