"""What can end the demo before its report."""

from counterfoil.errors import CounterfoilError


class DemoError(CounterfoilError):
    """A part of the demo could not be started, or refused what it was told."""
