"""The configuration file: what is wrong with it is named as the file has it, with the nearest known key."""

import base64
from pathlib import Path

import pytest

from counterfoil.errors import ConfigurationError
from counterfoil.settings import Settings, load_settings

CONFIGURATION = """
[company.1]
name = "Shop"

[company.1.quickbooks]
environment = "emulator"
realm_id = "1"
client_id = "id"
client_secret = "hidden-word"
base_url = "http://127.0.0.1:9"

[company.1.source.shop]
adapter = "csv"
mapping = "shop.toml"
folder = "exports"
"""


def loaded(folder: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    (folder / "counterfoil.toml").write_text(text, encoding="utf-8")
    (folder / "shop.toml").write_text("[connection]\n", encoding="utf-8")
    return load_settings(folder / "counterfoil.toml", environment or {})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("realm_id =", "realm =", '[company.1.quickbooks] has no key "realm"; did you mean "realm_id"?'),
        ('client_id = "id"\n', "", '[company.1.quickbooks] lacks "client_id".'),
        ('realm_id = "1"\n', 'refresh_token = "RT1-x"\n', "a refresh_token needs the realm_id that it leads to"),
        ('name = "Shop"', 'nam = "Shop"', '"nam"; did you mean "name"?'),
        ('name = "Shop"', 'name = "Shop"\nzone = "Europe/Berlyn"', "[company.1] zone: 'Europe/Berlyn' is no time zone"),
        ('"emulator"', '"sandbox"', "base_url and unlimited are for emulators only"),
        ('"hidden-word"', '"env:SHOP_SECRET"', "names the environment variable SHOP_SECRET, which is not set"),
        ('mapping = "shop.toml"', 'mapping = "shep.toml"', "The mapping of shop, shep.toml, cannot be read."),
        ('mapping = "shop.toml"\n', "", "[company.1.source.shop] names no mapping file."),
        (
            "[company.1]",
            "lease_second = 5\n[company.1]",
            'the file has no key "lease_second"; did you mean "lease_seconds"',
        ),
        ("[company.1]", "[companies.1]\n[company.1]", 'the file has no key "companies"; did you mean "company"?'),
        (
            "[company.1.source.shop]",
            "[company.1.sources.shop]",
            '[company.1] has no key "sources"; did you mean "source"?',
        ),
        (
            'name = "Shop"',
            'name = "Shop"\ncompany = 7',
            '[company.1] has no key "company"; its number stands in its head.',
        ),
        ("[company.1.source.shop]", "[company.1.source.Shop]", "'Shop' cannot name a connection"),
        ("[company.1]", "home = 5\n[company.1]", "the file home: Input is not a valid path"),
    ],
)
def test_a_wrong_key_is_named_with_the_nearest(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in CONFIGURATION

    with pytest.raises(ConfigurationError) as raised:
        loaded(tmp_path, CONFIGURATION.replace(old, new, 1))

    assert said in str(raised.value)
    assert raised.value.remedy
    assert "hidden-word" not in str(raised.value)


def test_paths_count_from_the_folder_of_the_file(tmp_path: Path) -> None:
    settings = loaded(tmp_path, CONFIGURATION)

    assert tmp_path / ".counterfoil" == settings.home
    source = settings.companies[0].sources["shop"]
    assert source.mapping == "[connection]\n"
    assert source.mapping_file == "shop.toml"
    assert str(tmp_path / "exports") == source.options["folder"]


def test_a_set_of_books_has_one_company(tmp_path: Path) -> None:
    """Two would count its limits apart, and each refresh a token that the other holds."""
    second = CONFIGURATION.replace("company.1", "company.2")
    with pytest.raises(ConfigurationError, match="companies 1 and 2 name the same QuickBooks realm 1"):
        loaded(tmp_path, CONFIGURATION + second)
    for different in (second.replace('realm_id = "1"', 'realm_id = "2"'), second.replace(":9", ":10")):
        assert len(loaded(tmp_path, CONFIGURATION + different).companies) == 2
    unconnected = 'realm_id = "1"\n'
    assert len(loaded(tmp_path, (CONFIGURATION + second).replace(unconnected, "")).companies) == 2


def test_a_report_of_the_sandbox_lies_beside_the_file(tmp_path: Path) -> None:
    settings = loaded(tmp_path, 'sandbox_report = "reports/sandbox.json"\n' + CONFIGURATION)
    assert settings.sandbox_report == tmp_path / "reports/sandbox.json"


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    key = base64.b64encode(b"k" * 32).decode()
    environment = {"COUNTERFOIL_DSN": "postgresql://elsewhere/books", "COUNTERFOIL_MASTER_KEY": key, "WORD": "hush"}
    text = "dsn = 'postgresql://here/books'\n" + CONFIGURATION.replace('"hidden-word"', '"env:WORD"')

    settings = loaded(tmp_path, text, environment)

    assert settings.dsn is not None
    assert settings.dsn.get_secret_value() == "postgresql://elsewhere/books"
    assert settings.companies[0].quickbooks.client_secret.get_secret_value() == "hush"
    assert "hush" not in repr(settings)
    assert key not in repr(settings)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("hush\n", encoding="utf-8")

    settings = loaded(tmp_path, CONFIGURATION.replace('"hidden-word"', '"file:word"'))

    assert settings.companies[0].quickbooks.client_secret.get_secret_value() == "hush"


@pytest.mark.parametrize("text", ["company = 1", "[company.one]\nname = 'x'", "company.1 = 2"])
def test_companies_are_numbered_tables(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Write \[company\.1\] and so on\."):
        loaded(tmp_path, text)
