"""Plug-ins by entry point: sources (`counterfoil.sources`) and emulators (`counterfoil.emulators`)."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from counterfoil.errors import ConfigurationError

SOURCES = "counterfoil.sources"
EMULATORS = "counterfoil.emulators"


def installed(group: str) -> Mapping[str, EntryPoint]:
    """The installed plug-ins of a group, by name."""
    return {point.name: point for point in entry_points(group=group)}


def load(group: str, name: str) -> Any:
    """What a plug-in's entry point names.

    Raises:
        ConfigurationError: no such plug-in, or it cannot be imported.
    """
    points = installed(group)
    kind = group.rpartition(".")[2].removesuffix("s")
    if name not in points:
        known = ", ".join(sorted(points)) or "none"
        raise ConfigurationError(
            f"There is no {kind} called {name}; installed are: {known}.",
            remedy=f"Correct the name, or install the package that brings the {kind}.",
        )
    try:
        return points[name].load()
    except (ImportError, AttributeError) as problem:
        raise ConfigurationError(
            f"The {kind} {name} ({points[name].value}) cannot be loaded: {problem}.",
            remedy="Install what it needs, or another version of it.",
        ) from None
