"""Envelope encryption: a fresh data key for every secret, wrapped by a master key that stays outside the database.

AES-256-GCM throughout. What a secret belongs to is authenticated with it (format, company, generation, master
key), so that a row copied to another company, or put back from an earlier day, does not open.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from counterfoil.errors import ConfigurationError, CounterfoilError
from counterfoil.ports import Entropy

FORMAT_VERSION = 1
KEY_BYTES = 32
_NONCE_BYTES = 12
_NAME_LENGTH_MAX = 40


class SealError(CounterfoilError):
    """A stored secret that does not open: wrong or missing master key, or a row that was tampered with."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as it is stored.

    Attributes:
        format_version: layout of what follows.
        master_key: name of the master key that wraps the data key.
        wrapped_key: nonce and wrapped data key.
        ciphertext: nonce and encrypted secret.
    """

    format_version: int
    master_key: str
    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


class MasterKeys:
    """The master keys by name; the first one seals, all of them open.

    Args:
        keys: name → 32 bytes, first the present one.
    """

    __slots__ = ("_ciphers", "current")

    def __init__(self, keys: dict[str, bytes]) -> None:
        for name, key in keys.items():
            if len(key) != KEY_BYTES or not name or len(name) > _NAME_LENGTH_MAX:
                raise _bad_keys()
        if not keys:
            raise _bad_keys()
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self.current = next(iter(keys))

    @classmethod
    def from_secret(cls, text: SecretStr) -> "MasterKeys":
        """Read `name:base64[,name:base64…]`, first the key that seals from now on.

        Raises:
            ConfigurationError: not of that form, a name used twice, or a key that is not of 32 bytes.
        """
        keys: dict[str, bytes] = {}
        for part in text.get_secret_value().split(","):
            name, separator, encoded = part.strip().partition(":")
            if not separator or name in keys:
                raise _bad_keys()
            try:
                keys[name] = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                raise _bad_keys() from None
        return cls(keys)

    def __repr__(self) -> str:
        return f"MasterKeys({', '.join(self._ciphers)})"

    def cipher(self, name: str) -> AESGCM:
        """The cipher of a key.

        Raises:
            SealError: a key that is not configured.
        """
        if name not in self._ciphers:
            raise SealError(
                f"A stored secret is sealed under the master key {name!r}, which is not configured.",
                remedy="Add that key behind the present one in the setting for master keys.",
            )
        return self._ciphers[name]


def fingerprint_of(key: bytes) -> str:
    """The name of a master key: it tells which key it is, and nothing of the key."""
    return hmac.new(key, b"counterfoil master key", hashlib.sha256).hexdigest()[:16]


def read_master_keys(text: SecretStr) -> dict[str, bytes]:
    """Master keys by fingerprint, in their order: the present one first, then those that still open old secrets.

    Args:
        text: each 32 bytes in base64, standard or URL-safe, parted by commas or blanks.

    Raises:
        ConfigurationError: anything else; says nothing of what was given.
    """
    keys: list[bytes] = []
    for part in text.get_secret_value().replace(",", " ").split():
        plain = part.replace("-", "+").replace("_", "/")
        try:
            keys.append(base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True))
        except ValueError:
            keys.append(b"")
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise ConfigurationError(
            "The master key is not 32 bytes in base64.",
            remedy="Make one with: python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'",
        )
    return {fingerprint_of(key): key for key in keys}


def _bad_keys() -> ConfigurationError:
    return ConfigurationError(
        "The master keys cannot be read.",
        remedy="Give them as name:key[,name:key], each key being 32 random bytes in base64.",
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """Which of a company's sources tokens are of, and a digest of the configured refresh token that they came of."""

    connection: str
    digest: bytes


def associated_data(
    format_version: int, company: int, generation: int, master_key: str, origin: Origin | None = None
) -> bytes:
    """What is authenticated with tokens: the company's QuickBooks tokens, or those of one of its sources."""
    whose = f"source_tokens|{origin.connection}|{origin.digest.hex()}" if origin is not None else "tokens"
    return f"counterfoil.{whose}|{format_version}|{company}|{generation}|{master_key}".encode()


def seal(
    secret: bytes, *, company: int, generation: int, keys: MasterKeys, entropy: Entropy, origin: Origin | None = None
) -> Sealed:
    """Encrypt under a fresh data key, and wrap that under the present master key."""
    bound_to = associated_data(FORMAT_VERSION, company, generation, keys.current, origin)
    data_key = entropy.token_bytes(KEY_BYTES)
    nonce, wrap_nonce = entropy.token_bytes(_NONCE_BYTES), entropy.token_bytes(_NONCE_BYTES)
    return Sealed(
        FORMAT_VERSION,
        keys.current,
        wrap_nonce + keys.cipher(keys.current).encrypt(wrap_nonce, data_key, bound_to),
        nonce + AESGCM(data_key).encrypt(nonce, secret, bound_to),
    )


def unseal(sealed: Sealed, *, company: int, generation: int, keys: MasterKeys, origin: Origin | None = None) -> bytes:
    """Decrypt, proving that the secret belongs to this company and generation, and came of this origin.

    Raises:
        SealError: it does not open.
    """
    whose = f"{origin.connection} of company {company}" if origin is not None else f"company {company}"
    again = f"give {origin.connection} a new refresh_token" if origin is not None else "connect QuickBooks again"
    if sealed.format_version != FORMAT_VERSION:
        raise SealError(
            f"The tokens of {whose} are stored in a format of a newer release.",
            remedy=f"Run the release that wrote them, or {again}.",
        )
    bound_to = associated_data(sealed.format_version, company, generation, sealed.master_key, origin)
    try:
        wrapper = keys.cipher(sealed.master_key)
        data_key = wrapper.decrypt(sealed.wrapped_key[:_NONCE_BYTES], sealed.wrapped_key[_NONCE_BYTES:], bound_to)
        return AESGCM(data_key).decrypt(sealed.ciphertext[:_NONCE_BYTES], sealed.ciphertext[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise SealError(
            f"The stored tokens of {whose} do not open: another master key, or an altered row.",
            remedy=f"Restore the right master key, or {again}.",
        ) from None
