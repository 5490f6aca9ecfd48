"""What can end a company's work for now."""

from counterfoil.errors import CounterfoilError


class LeaseLostError(CounterfoilError):
    """Another process holds the company now; whatever this one had not appended is left to that one."""


class RealmMismatchError(CounterfoilError):
    """The connection leads to other books than those that this company is pinned to."""


class ProjectionStoppedError(CounterfoilError):
    """The company's log holds an event that this release cannot fold."""


class LeaseElsewhereError(CounterfoilError):
    """Another process works for the company; what needs its lease has to wait."""
