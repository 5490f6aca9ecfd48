"""The master key file: made once, whole, readable by its owner alone, whoever else starts at the same time."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from counterfoil.clock import SystemEntropy
from counterfoil.errors import ConfigurationError
from counterfoil.keys import KEY_FILE, master_key


def test_a_given_key_is_taken_and_none_is_made(tmp_path: Path) -> None:
    assert master_key(SecretStr("given"), tmp_path, SystemEntropy()).get_secret_value() == "given"
    assert list(tmp_path.iterdir()) == []


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = master_key(None, home, SystemEntropy()).get_secret_value()
    assert len(base64.b64decode(first)) == 32
    assert master_key(None, home, SystemEntropy()).get_secret_value() == first
    assert [path.name for path in home.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((home / KEY_FILE).stat().st_mode) == 0o600


def test_starters_at_the_same_time_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as starters:
        keys = starters.map(lambda _: master_key(None, tmp_path, SystemEntropy()).get_secret_value(), range(64))
    assert len({*keys}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_home_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"master\.key can be neither read nor made"):
        master_key(None, tmp_path / "home", SystemEntropy())
