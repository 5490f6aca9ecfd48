"""The least time in which a backlog can be written within Intuit's limits: arithmetic, without the code under test.

500 calls in any 60 seconds, 10 in any second, 40 of them batches of 30. Names go one by one, transactions either way,
so a minute takes 40 batches and 460 single calls: 1,660 writes. No time for answers, and none for computing.
"""

BATCH_ITEMS = 30
BATCHES_PER_MINUTE = 40
CALLS_PER_MINUTE = 500
CALLS_PER_SECOND = 10
WINDOW_SECONDS = 60


def calls_by(second: int) -> int:
    """Most calls that can have been sent by this second, the first at 0."""
    windows, rest = divmod(second, WINDOW_SECONDS)
    return windows * CALLS_PER_MINUTE + min(CALLS_PER_MINUTE, CALLS_PER_SECOND * (rest + 1))


def batches_by(second: int) -> int:
    """The same of batches."""
    windows, rest = divmod(second, WINDOW_SECONDS)
    return windows * BATCHES_PER_MINUTE + min(BATCHES_PER_MINUTE, CALLS_PER_SECOND * (rest + 1))


def least_seconds(names: int, transactions: int) -> int:
    """The first second by which so many can have been sent."""
    second = 0
    while not _fits(names, transactions, calls_by(second), batches_by(second)):
        second += 1
    return second


def _fits(names: int, transactions: int, calls: int, batches: int) -> bool:
    # A batch takes the place of one single call and carries thirty: as many as there may be, but no more than needed.
    batched = min(batches, -(-transactions // BATCH_ITEMS))
    alone = max(0, transactions - batched * BATCH_ITEMS)
    return batched + alone + names <= calls
