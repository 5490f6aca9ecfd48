"""Keys that sealed parts of events are under: one per person, one per company and month for raw payloads.

A key is known by scope and generation, `person/hubspot:contact:5/1`. Destroying a person's key erases that
person from an unchanged log, and no other key is ever made for them: what is recorded of them later lacks what is
personal. A destroyed key for raw payloads is followed by the next generation.
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from counterfoil.errors import ConfigurationError
from counterfoil.log.errors import KeyringError
from counterfoil.ports import Clock, Entropy
from counterfoil.secrets.envelope import read_master_keys

KEY_BYTES = 32
NONCE_BYTES = 12
CACHED_KEYS_MAX = 4096
CACHED_SECONDS_MAX = 60.0
"""How long a process may go on with a key that another process has destroyed."""
HASH_SCOPE = "hash"
PERSON = "person/"
RAW = "raw/"


def person_scope(subject: str) -> str:
    """The scope of a person's key."""
    return f"{PERSON}{subject}"


def raw_scope(recorded_at: datetime) -> str:
    """The scope of the key for raw payloads of that month."""
    return f"{RAW}{recorded_at:%Y-%m}"


def key_id(scope: str, generation: int) -> str:
    """What a sealed segment names its key by."""
    return f"{scope}/{generation}"


def split_key_id(identity: str) -> tuple[str, int]:
    """Scope and generation of a key.

    Raises:
        KeyringError: not the id of a key.
    """
    scope, _, generation = identity.rpartition("/")
    if not scope or not generation.isascii() or not generation.isdigit():
        raise KeyringError(f"{identity!r} is not the id of a sealing key.")
    return scope, int(generation)


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A key, ready for use. The cipher object is kept because making one costs more than using it."""

    id: str
    cipher: AESGCM

    def __repr__(self) -> str:
        return f"SealingKey({self.id!r})"


class Keyring(Protocol):
    """Where sealing keys come from."""

    async def sealing_key(self, company: int, scope: str) -> SealingKey | None:
        """The living key of a scope, made if there is none; None for a person who was erased."""
        ...

    async def opening_key(self, company: int, identity: str) -> SealingKey | None:
        """The key of that id, or None if it was destroyed.

        Raises:
            KeyringError: there never was such a key, or the master key is another one.
        """
        ...

    async def make_ready(self, company: int, identities: Collection[str]) -> None:
        """Fetch the keys of these ids at once, so that `opening_key` finds them; what is missing is told there."""
        ...

    async def keyed_hash(self, company: int, data: bytes) -> str:
        """HMAC-SHA256 under a key of the company's own, in hexadecimal: for hashes over personal data."""
        ...

    async def destroy(self, company: int, subject: str) -> int:
        """Destroy the person's living key for good, and let none be made again; how many there were (0 or 1)."""
        ...

    async def living(self, company: int, subjects: Sequence[str]) -> list[str]:
        """Which of these people have a living key."""
        ...

    async def destroy_key(self, company: int, identity: str) -> int:
        """Destroy one key by its id; answers how many there were (0 or 1)."""
        ...


class MasterKey:
    """The key that wraps all others; it lives outside the database.

    Args:
        secret: 32 bytes in base64, standard or URL-safe; behind it, after a comma, older ones that only unwrap.

    Raises:
        KeyringError: anything else.
    """

    __slots__ = ("_ciphers", "_entropy", "fingerprint")

    def __init__(self, secret: SecretStr, entropy: Entropy) -> None:
        try:
            keys = read_master_keys(secret)
        except ConfigurationError as wrong:
            raise KeyringError(wrong.message, remedy=wrong.remedy) from None
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._entropy = entropy
        self.fingerprint = next(iter(keys))

    def __repr__(self) -> str:
        return f"MasterKey({self.fingerprint})"

    def wrap(self, company: int, identity: str, key: bytes) -> bytes:
        """The key, encrypted and bound to its company and id."""
        nonce = self._entropy.token_bytes(NONCE_BYTES)
        return nonce + self._ciphers[self.fingerprint].encrypt(nonce, key, _binding(company, identity))

    def unwrap(self, company: int, identity: str, wrapped: bytes, wrapped_by: str) -> bytes:
        """The key again.

        Raises:
            KeyringError: wrapped under another master key, or damaged.
        """
        cipher = self._ciphers.get(wrapped_by)
        if cipher is None:
            raise KeyringError(
                f"The sealing key {identity} of company {company} is wrapped under another master key.",
                remedy="Give the master key that this database was set up with.",
            )
        try:
            return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _binding(company, identity))
        except InvalidTag:
            raise KeyringError(
                f"The sealing key {identity} of company {company} is damaged.",
                remedy="Restore the table of sealing keys from its backup.",
            ) from None


def _binding(company: int, identity: str) -> bytes:
    return b"counterfoil key 1" + company.to_bytes(8, "big", signed=True) + identity.encode()


class KeyCache:
    """The keys used last, each for a limited time only."""

    def __init__(self, clock: Clock, keys_max: int = CACHED_KEYS_MAX, seconds_max: float = CACHED_SECONDS_MAX) -> None:
        self._clock = clock
        self._keys_max = keys_max
        self._seconds_max = seconds_max
        self._keys: OrderedDict[tuple[int, str], tuple[float, SealingKey]] = OrderedDict()

    def get(self, company: int, name: str) -> SealingKey | None:
        """A key kept under that name (a scope or an id), unless it is too old."""
        kept = self._keys.get((company, name))
        if kept is None:
            return None
        if kept[0] < self._clock.monotonic():
            del self._keys[company, name]
            return None
        self._keys.move_to_end((company, name))
        return kept[1]

    def put(self, company: int, name: str, key: SealingKey) -> None:
        """Keep a key; the one used longest ago makes room."""
        self._keys[company, name] = (self._clock.monotonic() + self._seconds_max, key)
        self._keys.move_to_end((company, name))
        while len(self._keys) > self._keys_max:
            self._keys.popitem(last=False)

    def drop(self, company: int, scope: str) -> None:
        """Forget all keys of a scope."""
        for owner, name in [*self._keys]:
            if owner == company and (name == scope or name.rpartition("/")[0] == scope):
                del self._keys[owner, name]
