"""Settings of a connection, checked when it is opened: one clear sentence about what is wrong."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from counterfoil.errors import ConfigurationError
from counterfoil.sources.port import SourceContext

M = TypeVar("M", bound=BaseModel)


def read_settings(model: type[M], context: SourceContext, name: str) -> M:
    """The connection's settings; where its own table is silent, the mapping's `[source]` table speaks.

    Args:
        name: the source's name as people know it.

    Raises:
        ConfigurationError: naming each key that is missing, wrong or unknown, and for these the nearest known one.
    """
    known = {field.alias or key for key, field in model.model_fields.items()}
    unknown = [key for key in context.settings if key not in known]
    if unknown:
        near = get_close_matches(unknown[0], known, n=1)
        raise ConfigurationError(
            f'The {name} connection {context.connection!r} has a setting "{unknown[0]}", which is not known.',
            remedy=f'Did you mean "{near[0]}"?' if near else f"Known are {', '.join(sorted(known))}.",
        )
    mapped = context.mapping.get("source")
    spoken = {key: value for key, value in mapped.items() if key in known} if isinstance(mapped, Mapping) else {}
    try:
        return model.model_validate({**spoken, **context.settings})
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        problems = "; ".join(_problem(".".join(map(str, one["loc"])), str(one["msg"])) for one in found)
        raise ConfigurationError(
            f"The {name} connection {context.connection!r} cannot be used: {problems}.",
            remedy="Correct the connection's settings.",
        ) from None


def _problem(key: str, what: str) -> str:
    what = what.removeprefix("Value error, ")
    return f"{key}: {what}" if key else what
