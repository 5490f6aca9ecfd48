"""The master key: given by the host, or made once in the home folder, readable by its owner alone."""

import base64
import os
from pathlib import Path

from pydantic import SecretStr

from counterfoil.errors import ConfigurationError
from counterfoil.ports import Entropy
from counterfoil.secrets import MasterKeys

KEY_FILE = "master.key"
KEY_BYTES = 32
_OWNER_ONLY = 0o600


def master_key(given: SecretStr | None, home: Path, entropy: Entropy) -> SecretStr:
    """The key under which all others are wrapped, in base64.

    Raises:
        ConfigurationError: the key file can be neither read nor made.
    """
    if given is not None:
        return given
    path = home / KEY_FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path, base64.b64encode(entropy.token_bytes(KEY_BYTES)).decode(), entropy)
        return SecretStr(path.read_text(encoding="ascii").strip())
    except OSError as problem:
        raise ConfigurationError(
            f"The master key {path} can be neither read nor made: {problem.strerror}.",
            remedy="Make the folder writable, or give the key as COUNTERFOIL_MASTER_KEY.",
        ) from None


def _make(path: Path, text: str, entropy: Entropy) -> None:
    """Put a new key in place whole: whoever is killed on the way, or is second, leaves no half of one behind."""
    draft = path.with_name(f"{path.name}.{entropy.token_bytes(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # another was quicker: its key counts
    finally:
        draft.unlink()


def token_keys(secret: SecretStr) -> MasterKeys:
    """The same key, in the form that the token store takes."""
    text = secret.get_secret_value().strip().replace("-", "+").replace("_", "/")
    return MasterKeys({"master": base64.b64decode(text + "=" * (-len(text) % 4))})
