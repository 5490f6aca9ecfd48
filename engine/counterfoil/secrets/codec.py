"""Tokens as bytes, for sealing."""

import json
from datetime import datetime

from pydantic import SecretStr

from counterfoil.secrets.tokens import TokenSet


def encode(tokens: TokenSet) -> bytes:
    """The set as JSON; plain text, to be sealed at once."""
    fields = {
        "access_token": tokens.access_token.get_secret_value(),
        "refresh_token": tokens.refresh_token.get_secret_value(),
        "access_expires_at": tokens.access_expires_at.isoformat(),
        "refresh_expires_at": tokens.refresh_expires_at.isoformat(),
    }
    return json.dumps(fields).encode()


def decode(plain: bytes, generation: int) -> TokenSet:
    """The set from its JSON."""
    fields: dict[str, str] = json.loads(plain)
    return TokenSet(
        access_token=SecretStr(fields["access_token"]),
        refresh_token=SecretStr(fields["refresh_token"]),
        access_expires_at=datetime.fromisoformat(fields["access_expires_at"]),
        refresh_expires_at=datetime.fromisoformat(fields["refresh_expires_at"]),
        generation=generation,
    )
