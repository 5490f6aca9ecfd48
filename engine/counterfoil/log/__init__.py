"""The append-only log: append, read, seal, verify.

Positions are gapless and in commit order within a company; nothing becomes visible before an earlier event of its
company. Why it is so, and what it costs: `ops/decisions/0001-log-order.md`.
"""

from counterfoil.log.anchor import Anchor, AnchorKey, accept_log, compare_anchor, read_anchor, write_anchor
from counterfoil.log.audit import PostgresAudit
from counterfoil.log.backfill import BackfillReport, backfill
from counterfoil.log.codec import EventCodec, UnsealableEventError
from counterfoil.log.errors import (
    AnchorBrokenError,
    AnchorError,
    EventTooLargeError,
    FencedError,
    KeyringError,
    LogClosedError,
    LogCorruptError,
    LogDamagedError,
    LogError,
    LogForgetfulError,
    LogUnavailableError,
    StaleDecisionError,
    UnfencedDecisionError,
)
from counterfoil.log.export import ExportReport, export
from counterfoil.log.group import LogLimits
from counterfoil.log.keyring import Keyring, MasterKey, SealingKey
from counterfoil.log.leases import PostgresLeases
from counterfoil.log.polling import Pace
from counterfoil.log.postgres_keyring import PostgresKeyring
from counterfoil.log.reader import PostgresLogReader
from counterfoil.log.standing import LogStanding
from counterfoil.log.types import (
    Append,
    Appended,
    Delivery,
    Guard,
    Head,
    Lease,
    Leases,
    LogReader,
    LogWriter,
    NewEvent,
    PreparedAppend,
    RecordedEvent,
)
from counterfoil.log.verify import Fault, VerifyReport, verify
from counterfoil.log.writer import PostgresLog

__all__ = [
    "Anchor",
    "AnchorBrokenError",
    "AnchorError",
    "AnchorKey",
    "Append",
    "Appended",
    "BackfillReport",
    "Delivery",
    "EventCodec",
    "EventTooLargeError",
    "ExportReport",
    "Fault",
    "FencedError",
    "Guard",
    "Head",
    "Keyring",
    "KeyringError",
    "Lease",
    "Leases",
    "LogClosedError",
    "LogCorruptError",
    "LogDamagedError",
    "LogError",
    "LogForgetfulError",
    "LogLimits",
    "LogReader",
    "LogStanding",
    "LogUnavailableError",
    "LogWriter",
    "MasterKey",
    "NewEvent",
    "Pace",
    "PostgresAudit",
    "PostgresKeyring",
    "PostgresLeases",
    "PostgresLog",
    "PostgresLogReader",
    "PreparedAppend",
    "RecordedEvent",
    "SealingKey",
    "StaleDecisionError",
    "UnfencedDecisionError",
    "UnsealableEventError",
    "VerifyReport",
    "accept_log",
    "backfill",
    "compare_anchor",
    "export",
    "read_anchor",
    "verify",
    "write_anchor",
]
