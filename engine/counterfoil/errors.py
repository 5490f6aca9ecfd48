"""The root of every error that Counterfoil raises on purpose.

CounterfoilError
├── ConfigurationError      settings, mapping or command line; the remedy says what to change
└── …                       each room adds its own branch beside the code that raises it
"""


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
