"""Tokens as bytes, for sealing or for a store that seals by itself."""

import json
from datetime import datetime

from pydantic import SecretStr

from counterfoil.secrets.tokens import TokenSet


def encode(tokens: TokenSet) -> bytes:
    """The set as JSON; plain text, to be sealed at once."""
    return json.dumps(_fields(tokens)).encode()


def decode(plain: bytes, generation: int) -> TokenSet:
    """The set from its JSON."""
    return _tokens(json.loads(plain), generation)


def encode_owned(tokens: TokenSet, company: int) -> str:
    """The same with company and generation inside, for stores that keep nothing beside the text."""
    return json.dumps({"company": company, "generation": tokens.generation, **_fields(tokens)})


def decode_owned(text: str, company: int) -> TokenSet:
    """The set from such a text.

    Raises:
        ValueError: no such text, or another company's; says nothing of what stands in it.
    """
    try:
        fields = json.loads(text)
        found = _tokens(fields, int(fields["generation"]))
        owner = fields["company"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("not a set of tokens") from None
    if owner != company:
        raise ValueError("another company's tokens")
    return found


def _fields(tokens: TokenSet) -> dict[str, str]:
    fields = {
        "access_token": tokens.access_token.get_secret_value(),
        "refresh_token": tokens.refresh_token.get_secret_value(),
        "access_expires_at": tokens.access_expires_at.isoformat(),
        "refresh_expires_at": tokens.refresh_expires_at.isoformat(),
        "realm_id": tokens.realm_id,
    }
    if tokens.hard_expires_at is not None:
        fields["hard_expires_at"] = tokens.hard_expires_at.isoformat()
    return fields


def _tokens(fields: dict[str, str], generation: int) -> TokenSet:
    hard = fields.get("hard_expires_at")
    return TokenSet(
        access_token=SecretStr(fields["access_token"]),
        refresh_token=SecretStr(fields["refresh_token"]),
        access_expires_at=datetime.fromisoformat(fields["access_expires_at"]),
        refresh_expires_at=datetime.fromisoformat(fields["refresh_expires_at"]),
        generation=generation,
        # Sets that were stored by the first release hold neither of these two.
        realm_id=fields.get("realm_id", ""),
        hard_expires_at=datetime.fromisoformat(hard) if hard else None,
    )
