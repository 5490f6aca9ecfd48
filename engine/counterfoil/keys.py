"""The master key: given by the host, or made once in the home folder, readable by its owner alone."""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from counterfoil.errors import ConfigurationError
from counterfoil.ports import Entropy
from counterfoil.secrets import MasterKeys
from counterfoil.secrets.envelope import fingerprint_of, read_master_keys

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
    draft = _draft(path, text, entropy)
    try:
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # another was quicker: its key counts
    finally:
        draft.unlink()


def _draft(path: Path, text: str, entropy: Entropy) -> Path:
    """The text in a new file beside the path, durable and readable by its owner alone."""
    draft = path.with_name(f"{path.name}.{entropy.token_bytes(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    return draft


def token_keys(secret: SecretStr) -> MasterKeys:
    """The same keys, in the form that the token store takes."""
    keys = read_master_keys(secret)
    # The first release knew one key, and called it so.
    return MasterKeys({**keys, "master": [*keys.values()][-1]})


def begin_rotation(home: Path, entropy: Entropy) -> bool:
    """Put a new key before the one in the key file, unless two are there already: then a rotation is under way.

    Returns:
        Whether a new key was made.

    Raises:
        ConfigurationError: the file cannot be read or written.
    """
    path = home / KEY_FILE
    with _told(path):
        keys = path.read_text(encoding="ascii").split()
        if len(keys) > 1:
            return False
        fresh = base64.b64encode(entropy.token_bytes(KEY_BYTES)).decode()
        _replace(path, "\n".join([fresh, *keys]), entropy)
        return True


def end_rotation(home: Path, entropy: Entropy) -> list[Path]:
    """Leave the present key alone in the key file; the older ones go into files beside it, for backups under them.

    Raises:
        ConfigurationError: the files cannot be written.
    """
    path = home / KEY_FILE
    kept = []
    with _told(path):
        first, *older = path.read_text(encoding="ascii").split()
        for key in older:
            name = fingerprint_of(base64.b64decode(key))
            kept.append(path.with_name(f"{KEY_FILE}.{name}"))
            _replace(kept[-1], key, entropy)
        if older:
            _replace(path, first, entropy)
    return kept


def _replace(path: Path, text: str, entropy: Entropy) -> None:
    draft = _draft(path, text, entropy)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it holds no keys"
        raise ConfigurationError(
            f"The master key {path} can be neither read nor written: {reason}.",
            remedy="Make file and folder readable and writable for whoever runs Counterfoil.",
        ) from None
