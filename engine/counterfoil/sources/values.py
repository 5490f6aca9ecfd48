"""Values of a connection's settings."""

from typing import Annotated

from pydantic import BeforeValidator, SecretStr


def _revealed(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


PlainText = Annotated[str, BeforeValidator(_revealed)]
"""Text that is no secret, such as a client id, and that may be given as `env:NAME` all the same."""
