"""What can be seen of a deployment: in its configuration, and in what its database remembers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from counterfoil.doctor.load import LoadRun
from counterfoil.doctor.sandbox import SandboxRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Of one company, at one moment.

    Attributes:
        now: when it was gathered.
        environment: which QuickBooks it is connected to: emulator, sandbox or production.
        is_worked_for: an engine holds its lease now.
        connection: `connected`, `reconnect`, `disconnected`; None before the first connection.
        token_store: where tokens are kept.
        token_stored_at, access_expires_at, refresh_expires_at: of the tokens; None without any.
        sources: by connection that hands out tokens, whether it refuses them.
        unlimited: the limiter is switched off.
        requests_per_minute: what the limiter allows.
        calls_in_minute: what was used of it.
        parked: changes that cannot go on; `unexplained` of them have no reason.
        has_verifier_token: QuickBooks' webhooks can be checked.
        heard_at: by connection, when its last webhook was recorded.
        listens: sources whose adapter has webhooks, by connection.
        looked_at: by connection, when it was last polled or swept.
        look_every: by connection, how often that is to happen at the rarest, in seconds.
        sweeps_stopped_until: until when the month's budget of metered reads leaves none for sweeps.
        reconciled_at: when source, log and books were last compared whole.
        drifts: differences that were found then and last.
        custom_numbers: whether the books take numbers of one's own; None before they are known.
        numbered: kinds of sales documents that a mapping numbers.
        telemetry: where traces and metrics go.
        anchor: where the signed heads of the log are kept.
        forgetful: in what way the log does not hold what was anchored; nothing is sent then.
        sandbox: the last run of the journeys against Intuit's sandbox, or why none is known.
        load: the last load test; None if there was none.
    """

    now: datetime
    company: int
    name: str
    environment: str
    is_worked_for: bool
    connection: str | None
    token_store: str
    token_stored_at: datetime | None
    access_expires_at: datetime | None
    refresh_expires_at: datetime | None
    unlimited: bool
    requests_per_minute: int
    calls_in_minute: int
    parked: int
    unexplained: int
    has_verifier_token: bool
    heard_at: Mapping[str, datetime] = field(default_factory=dict)
    sources: Mapping[str, bool] = field(default_factory=dict)
    looked_at: Mapping[str, datetime] = field(default_factory=dict)
    look_every: Mapping[str, float] = field(default_factory=dict)
    sweeps_stopped_until: datetime | None = None
    reconciled_at: datetime | None = None
    drifts: int = 0
    custom_numbers: bool | None = None
    numbered: tuple[str, ...] = ()
    telemetry: str | None = None
    anchor: str | None = None
    forgetful: str = ""
    sandbox: SandboxRun | str = ""
    load: LoadRun | None = None
