"""Puts everything that a master key wraps under the present one; can be interrupted and begun again at any row."""

from collections.abc import Callable
from dataclasses import dataclass

from counterfoil.log import MasterKey
from counterfoil.log.keyring import key_id
from counterfoil.ports import Entropy
from counterfoil.postgres import Names, Pool, load_query
from counterfoil.secrets.envelope import MasterKeys, Origin, Sealed, seal, unseal

BATCH_ROWS_MAX = 200
STATEMENT_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many were put under the present key."""

    sealing_keys: int
    tokens: int
    source_tokens: int


async def rotate(
    pool: Pool,
    names: Names,
    *,
    master: MasterKey,
    token_keys: MasterKeys,
    entropy: Entropy,
    step: Callable[[str], None],
) -> Rotated:
    """Rewrap each row by itself, until none is under another key; running engines go on meanwhile.

    Raises:
        KeyringError, SealError: a row that none of the given keys opens; those before it are done.
    """
    tokens = await _tokens(pool, names, token_keys, entropy, step)
    source_tokens = await _source_tokens(pool, names, token_keys, entropy, step)
    return Rotated(await _sealing_keys(pool, names, master, step), tokens, source_tokens)


async def _sealing_keys(pool: Pool, names: Names, master: MasterKey, step: Callable[[str], None]) -> int:
    done = 0
    while True:
        rows = await pool.fetch(
            load_query("keys_outdated", names), master.fingerprint, BATCH_ROWS_MAX, timeout=STATEMENT_SECONDS_MAX
        )
        if not rows:
            return done
        for row in rows:
            company, scope, generation = row["company"], row["scope"], row["generation"]
            identity = key_id(scope, generation)
            plain = master.unwrap(company, identity, row["wrapped"], row["wrapped_by"])
            await pool.execute(
                load_query("keys_rewrap", names),
                company,
                scope,
                generation,
                row["wrapped"],
                master.wrap(company, identity, plain),
                master.fingerprint,
                timeout=STATEMENT_SECONDS_MAX,
            )
            done += 1
            step("key.rewrapped")


async def _tokens(pool: Pool, names: Names, keys: MasterKeys, entropy: Entropy, step: Callable[[str], None]) -> int:
    done = 0
    while True:
        rows = await pool.fetch(
            load_query("tokens_outdated", names), keys.current, BATCH_ROWS_MAX, timeout=STATEMENT_SECONDS_MAX
        )
        if not rows:
            return done
        for row in rows:
            company, generation = row["company"], row["generation"]
            old = Sealed(row["format_version"], row["master_key"], row["wrapped_key"], row["ciphertext"])
            plain = unseal(old, company=company, generation=generation, keys=keys)
            fresh = seal(plain, company=company, generation=generation, keys=keys, entropy=entropy)
            await pool.execute(
                load_query("tokens_reseal", names),
                company,
                generation,
                old.ciphertext,
                fresh.format_version,
                fresh.master_key,
                fresh.wrapped_key,
                fresh.ciphertext,
                timeout=STATEMENT_SECONDS_MAX,
            )
            done += 1
            step("tokens.resealed")


async def _source_tokens(
    pool: Pool, names: Names, keys: MasterKeys, entropy: Entropy, step: Callable[[str], None]
) -> int:
    done = 0
    while True:
        rows = await pool.fetch(
            load_query("source_tokens_outdated", names), keys.current, BATCH_ROWS_MAX, timeout=STATEMENT_SECONDS_MAX
        )
        if not rows:
            return done
        for row in rows:
            company, generation, origin = row["company"], row["generation"], Origin(row["connection"], row["origin"])
            old = Sealed(row["format_version"], row["master_key"], row["wrapped_key"], row["ciphertext"])
            plain = unseal(old, company=company, generation=generation, keys=keys, origin=origin)
            fresh = seal(plain, company=company, generation=generation, keys=keys, entropy=entropy, origin=origin)
            await pool.execute(
                load_query("source_tokens_reseal", names),
                company,
                origin.connection,
                origin.digest,
                generation,
                fresh.format_version,
                fresh.master_key,
                fresh.wrapped_key,
                fresh.ciphertext,
                old.ciphertext,
                timeout=STATEMENT_SECONDS_MAX,
            )
            done += 1
            step("source_tokens.resealed")
