"""The keyring in Postgres: data keys wrapped under a master key that the database never sees."""

import hashlib
import hmac
from collections.abc import Collection, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from counterfoil.log.errors import KeyringError
from counterfoil.log.keyring import (
    HASH_SCOPE,
    KEY_BYTES,
    PERSON,
    KeyCache,
    MasterKey,
    SealingKey,
    key_id,
    person_scope,
    split_key_id,
)
from counterfoil.ports import Clock, Entropy
from counterfoil.postgres.connect import Pool
from counterfoil.postgres.names import Names, load_query

_RACES_MAX = 8
_HASH_KEYS_MAX = 1024


class PostgresKeyring:
    """Keys in `sealing_keys`, with those used last kept ready.

    A key is committed before anything is sealed under it, so no event can outlive the key it never had.
    """

    def __init__(self, pool: Pool, names: Names, master: MasterKey, *, clock: Clock, entropy: Entropy) -> None:
        self._pool = pool
        self._master = master
        self._entropy = entropy
        self._cache = KeyCache(clock)
        self._hash_keys: dict[int, bytes] = {}
        self._living = load_query("log_key_living", names)
        self._generation = load_query("log_key_generation", names)
        self._generations = load_query("log_key_generations", names)
        self._last = load_query("log_key_last", names)
        self._insert = load_query("log_key_insert", names)
        self._destroy = load_query("log_key_destroy", names)
        self._destroy_one = load_query("log_key_destroy_one", names)
        self._living_of = load_query("log_key_living_of", names)
        self._tombstone = load_query("log_key_tombstone", names)

    async def sealing_key(self, company: int, scope: str) -> SealingKey | None:
        """See `Keyring.sealing_key`."""
        key = self._cache.get(company, scope)
        if key is None:
            found = await self._living_or_new(company, scope)
            if found is None:
                return None
            identity, raw = found
            key = SealingKey(identity, AESGCM(raw))
            self._cache.put(company, scope, key)
        return key

    async def opening_key(self, company: int, identity: str) -> SealingKey | None:
        """See `Keyring.opening_key`."""
        key = self._cache.get(company, identity)
        if key is not None:
            return key
        scope, generation = split_key_id(identity)
        row = await self._pool.fetchrow(self._generation, company, scope, generation)
        if row is None:
            raise KeyringError(
                f"The sealing key {identity} of company {company} is missing, and was not destroyed.",
                remedy="Restore the table of sealing keys from its backup.",
            )
        if row["wrapped"] is None:
            return None
        raw = self._master.unwrap(company, identity, row["wrapped"], row["wrapped_by"])
        key = SealingKey(identity, AESGCM(raw))
        self._cache.put(company, identity, key)
        return key

    async def make_ready(self, company: int, identities: Collection[str]) -> None:
        """See `Keyring.make_ready`."""
        unknown = [split_key_id(identity) for identity in identities if self._cache.get(company, identity) is None]
        if not unknown:
            return
        scopes, generations = zip(*unknown, strict=True)
        for row in await self._pool.fetch(self._generations, company, [*scopes], [*generations]):
            if row["wrapped"] is not None:
                identity = key_id(row["scope"], row["generation"])
                raw = self._master.unwrap(company, identity, row["wrapped"], row["wrapped_by"])
                self._cache.put(company, identity, SealingKey(identity, AESGCM(raw)))

    async def keyed_hash(self, company: int, data: bytes) -> str:
        """See `Keyring.keyed_hash`."""
        raw = self._hash_keys.get(company)
        if raw is None:
            found = await self._living_or_new(company, HASH_SCOPE)
            if found is None:
                raise KeyringError(f"The key for hashes of company {company} was destroyed.")
            raw = found[1]
            if len(self._hash_keys) >= _HASH_KEYS_MAX:
                self._hash_keys.clear()
            self._hash_keys[company] = raw
        return hmac.new(raw, data, hashlib.sha256).hexdigest()

    async def destroy(self, company: int, subject: str) -> int:
        """See `Keyring.destroy`. Other processes follow when told, or when their copy runs out: a minute at most."""
        scope = person_scope(subject)
        gone = len(await self._pool.fetch(self._destroy, company, scope))
        if not gone:
            # Nobody may make a first key either; one that was made at this moment goes the same way.
            await self._pool.execute(self._tombstone, company, scope, self._master.fingerprint)
            gone = len(await self._pool.fetch(self._destroy, company, scope))
        self._cache.drop(company, scope)
        return gone

    async def living(self, company: int, subjects: Sequence[str]) -> list[str]:
        """See `Keyring.living`."""
        rows = await self._pool.fetch(self._living_of, company, [person_scope(one) for one in subjects])
        return [row["scope"].removeprefix(PERSON) for row in rows]

    async def destroy_key(self, company: int, identity: str) -> int:
        """See `Keyring.destroy_key`."""
        scope, generation = split_key_id(identity)
        rows = await self._pool.fetch(self._destroy_one, company, scope, generation)
        self._cache.drop(company, scope)
        return len(rows)

    async def _living_or_new(self, company: int, scope: str) -> tuple[str, bytes] | None:
        for _ in range(_RACES_MAX):
            row = await self._pool.fetchrow(self._living, company, scope)
            if row is not None:
                identity = key_id(scope, row["generation"])
                return identity, self._master.unwrap(company, identity, row["wrapped"], row["wrapped_by"])
            known = await self._pool.fetchrow(self._last, company, scope)
            last: int = known["last"] if known is not None else 0
            if known is not None and known["destroyed"] and scope.startswith(PERSON):
                return None
            identity = key_id(scope, last + 1)
            wrapped = self._master.wrap(company, identity, self._entropy.token_bytes(KEY_BYTES))
            # Whoever comes second inserts nothing, and finds the first one's key on the next round.
            await self._pool.execute(self._insert, company, scope, last + 1, wrapped, self._master.fingerprint)
        raise KeyringError(f"The key {scope} of company {company} is made and destroyed over and over.")
