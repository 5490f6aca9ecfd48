"""Named points between two durable steps, at which tests end the process."""

from collections.abc import Callable

Step = Callable[[str], None]
"""Called with the name of every such point as it is passed."""


def no_step(_: str) -> None:
    """Nobody watches the steps."""
