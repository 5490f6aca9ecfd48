"""Who signed in: id tokens signed with RS256, and the key that they are checked with.

Source: Intuit's OpenID Connect page; its Python client, which wants `aud` to be a list.
"""

from base64 import urlsafe_b64encode
from datetime import datetime
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from counterfoil_schema.exact_json import JsonObject, dumps

ISSUER = "https://oauth.platform.intuit.com/op/v1"
SUBJECT = "d1b2c3"
KEY_ID = "emulator-1"
KEY_BITS = 2048
EXPONENT = 65537
LIFETIME_SECONDS = 3600


class Identity:
    """Signs id tokens with a key of this run, made when it is first needed."""

    @cached_property
    def _key(self) -> RSAPrivateKey:
        return generate_private_key(public_exponent=EXPONENT, key_size=KEY_BITS)

    def keys(self) -> JsonObject:
        """The public key, as `jwks_uri` answers."""
        numbers = self._key.public_key().public_numbers()
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "alg": "RS256",
                    "kid": KEY_ID,
                    "n": _number(numbers.n),
                    "e": _number(numbers.e),
                }
            ]
        }

    def token(self, client_id: str, realm_id: str, now: datetime) -> str:
        """A signed id token for the app."""
        issued = int(now.timestamp())
        claims: JsonObject = {
            "sub": SUBJECT,
            "aud": [client_id],
            "realmid": realm_id,
            "auth_time": issued,
            "iss": ISSUER,
            "iat": issued,
            "exp": issued + LIFETIME_SECONDS,
        }
        signed = f"{_text(dumps({'kid': KEY_ID, 'alg': 'RS256'}))}.{_text(dumps(claims))}"
        return f"{signed}.{_text(self._key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
