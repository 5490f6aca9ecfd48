"""What can go wrong with the log.

CounterfoilError
└── LogError
    ├── UnfencedDecisionError    a decision without the epoch of a lease: a fault of the caller, never sent
    ├── FencedError              the epoch is not the company's present one: somebody else decides now
    ├── StaleDecisionError       something newer bears on a record that the decision was about
    ├── EventTooLargeError       an event, or one append, over its limit
    ├── LogUnavailableError      Postgres could not be reached for too long; whether it was recorded is not known
    ├── LogClosedError           appended to a writer that is not running
    ├── LogCorruptError          a body in the log cannot be read
    ├── LogDamagedError          a company's log is not as it was written, and nothing is written on the strength of it
    │   └── LogForgetfulError    it lacks what its outside anchor knows of: it has forgotten what was sent
    ├── AnchorError              an anchor file that cannot be read, or whose signature is wrong
    └── KeyringError             a master key that does not fit, or a key that ought to be there and is not
"""

from counterfoil.errors import CounterfoilError


class LogError(CounterfoilError):
    """The log refuses or cannot do what it was asked."""


class UnfencedDecisionError(LogError):
    """A decision was to be appended without the epoch of the lease it was made under."""


class FencedError(LogError):
    """The append brought an epoch that is not the company's present one."""

    def __init__(self, company: int, brought: int | None, present: int) -> None:
        super().__init__(
            f"Company {company} is decided under epoch {present} now, not {brought}.",
            remedy="The lease was lost: stop deciding for this company and acquire it anew.",
        )
        self.company = company
        self.brought = brought
        self.present = present


class StaleDecisionError(LogError):
    """Something newer than the decision's state bears on one of its records."""

    def __init__(self, company: int, known: int, newest: int) -> None:
        super().__init__(
            f"The decision for company {company} was made at position {known}, "
            f"but position {newest} bears on its records.",
            remedy="Fold up to the head and decide again.",
        )
        self.company = company
        self.known = known
        self.newest = newest


class EventTooLargeError(LogError):
    """An event or an append is larger than the log takes."""


class LogUnavailableError(LogError):
    """Postgres did not answer for so long that the writer gave up; the events may or may not be recorded."""


class LogClosedError(LogError):
    """The writer was not started, or is stopping."""


class LogCorruptError(LogError):
    """Something in the log cannot be read back."""


class LogDamagedError(LogError):
    """A company's log is not as it was written: nothing is sent for it until that is cleared up."""


class LogForgetfulError(LogDamagedError):
    """A company's log does not hold what was anchored: restored from an older backup, it has forgotten what it sent."""


class AnchorError(LogError):
    """An anchor cannot be read or written."""


class AnchorBrokenError(AnchorError):
    """An anchor was changed, or the log no longer holds what was anchored."""


class KeyringError(LogError):
    """A sealing key cannot be had."""
