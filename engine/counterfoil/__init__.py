"""Counterfoil keeps CRM and HR systems in step with QuickBooks through an append-only event log.

What a host needs is here; each name is loaded when it is first used, so that importing the package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterfoil.engine import Engine
    from counterfoil.errors import ConfigurationError, CounterfoilError
    from counterfoil.log import LogError, RecordedEvent
    from counterfoil.ports import Clock, Entropy
    from counterfoil.postgres import Names, Pool, PostgresError, create_pool, migrate
    from counterfoil.settings import (
        CompanySettings,
        QuickBooksSettings,
        Settings,
        SourceSettings,
        TelemetrySettings,
        load_settings,
    )
    from counterfoil.sources import SourceError

__all__ = [
    "Clock",
    "CompanySettings",
    "ConfigurationError",
    "CounterfoilError",
    "Engine",
    "Entropy",
    "LogError",
    "Names",
    "Pool",
    "PostgresError",
    "QuickBooksSettings",
    "RecordedEvent",
    "Settings",
    "SourceError",
    "SourceSettings",
    "TelemetrySettings",
    "create_pool",
    "load_settings",
    "migrate",
]

_HOMES = {
    "counterfoil.engine": ("Engine",),
    "counterfoil.errors": ("ConfigurationError", "CounterfoilError"),
    "counterfoil.log": ("LogError", "RecordedEvent"),
    "counterfoil.ports": ("Clock", "Entropy"),
    "counterfoil.postgres": ("Names", "Pool", "PostgresError", "create_pool", "migrate"),
    "counterfoil.settings": (
        "CompanySettings",
        "QuickBooksSettings",
        "Settings",
        "SourceSettings",
        "TelemetrySettings",
        "load_settings",
    ),
    "counterfoil.sources": ("SourceError",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name from its room, once."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'counterfoil' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
