"""Exit codes, and which error leads to which."""

import asyncio
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command says by the number it leaves with."""

    OK = 0
    UNSETTLED = 1
    USAGE = 2
    UNREACHABLE = 3
    DAMAGE = 4
    PREVIEW = 5
    BUG = 70
    INTERRUPTED = 130


EXPLAINED = """\
Exit codes: 0 all is well · 1 something does not tie out, is parked where that was asked about, or has to stay
(rollback) · 2 the command line or the configuration is wrong · 3 Postgres, a source or QuickBooks cannot be reached ·
4 damage was found (log verify, rebuild), or the log has forgotten something (until recover) · 5 all is planned and
nothing sent, until a person approves the first run (onboard --approve) · 70 an error of Counterfoil's own; a report
with the details is kept in its folder.
"""


def first_of(error: BaseException) -> BaseException:
    """The error itself, or the first one inside a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def code_of(error: BaseException) -> ExitCode | None:
    """The exit code of an error that is told in one sentence; None for one that nobody expected."""
    import asyncpg

    from counterfoil.dispatch.books import BooksUnreadableError
    from counterfoil.dispatch.errors import LeaseElsewhereError, RealmMismatchError
    from counterfoil.errors import ConfigurationError, CounterfoilError
    from counterfoil.log import AnchorBrokenError, LogCorruptError, LogDamagedError, LogUnavailableError
    from counterfoil.postgres import PostgresError
    from counterfoil.recovery.operators import WorkUnderWayError
    from counterfoil.sources import SourceError

    match error:
        case LogCorruptError() | LogDamagedError() | AnchorBrokenError():
            return ExitCode.DAMAGE
        case LeaseElsewhereError() | WorkUnderWayError():
            return ExitCode.UNREACHABLE
        case PostgresError() | LogUnavailableError() | SourceError() | RealmMismatchError() | BooksUnreadableError():
            return ExitCode.UNREACHABLE
        case ConfigurationError() | CounterfoilError():
            return ExitCode.USAGE
        case asyncpg.PostgresConnectionError() | asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return ExitCode.UNREACHABLE
        case asyncpg.OperatorInterventionError() | asyncpg.InsufficientResourcesError():
            return ExitCode.UNREACHABLE
        case ConnectionError() | TimeoutError():
            return ExitCode.UNREACHABLE
        case KeyboardInterrupt() | asyncio.CancelledError():
            return ExitCode.INTERRUPTED
        case _:
            return None


def said(error: BaseException) -> str:
    """The sentence for an error that has an exit code."""
    import asyncpg

    from counterfoil.errors import CounterfoilError

    match error:
        case CounterfoilError():
            return str(error)
        case asyncpg.PostgresError() | asyncpg.InterfaceError() | asyncpg.InternalClientError() | OSError():
            reason = str(error).partition("\n")[0] or type(error).__name__
            return f"The connection broke off: {reason}. Nothing is lost; run the command again."
        case KeyboardInterrupt() | asyncio.CancelledError():
            return "Stopped."
        case _:
            return str(error)
