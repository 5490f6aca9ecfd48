"""The root of every error that Counterfoil raises on purpose.

CounterfoilError
├── ConfigurationError      settings, mapping or command line; the remedy says what to change
└── …                       each room adds its own branch beside the code that raises it
"""

import traceback
from pathlib import Path


class CounterfoilError(Exception):
    """An error meant for people: what happened, to which record, and what to do about it.

    Args:
        message: one sentence that says what happened and to which record.
        remedy: one sentence that says what to do; empty where nothing can be done by the reader.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class ConfigurationError(CounterfoilError):
    """Settings, a mapping or a command line that cannot be used as they are."""


_PACKAGES = frozenset({"counterfoil", "counterfoil_adapters", "counterfoil_schema"})


def in_words(error: BaseException) -> str:
    """What may be said of an error to anybody: our own words and the operating system's, else its type and its place.

    The texts of other libraries may hold what was being written: `invalid input for query argument $3: 'Ann Lee'`.
    """
    if isinstance(error, CounterfoilError | OSError) and str(error):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _PACKAGES.intersection(Path(frame.filename).parts)] or frames
    place = f" at {Path(ours[-1].filename).stem}, line {ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{place}"
