"""Under which code a log is folded: an unfinished rebuild goes on under the same code, or begins anew."""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

_PLACES = ("counterfoil/state", "counterfoil/planning", "counterfoil_schema")


@cache
def edition() -> str:
    """A hash of every module that a fold can rest on."""
    found = hashlib.sha256()
    for place in _PLACES:
        package, *inner = place.split("/")
        for name, source in _sources(resources.files(package).joinpath(*inner)):
            found.update(f"{name} {len(source)} ".encode())
            found.update(source)
    return found.hexdigest()


def _sources(folder: Traversable) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _sources(entry)
        elif entry.name.endswith(".py"):
            yield entry.name, entry.read_bytes()
