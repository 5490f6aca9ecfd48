"""What a recovery leaves in the rows."""

from datetime import UTC, datetime

from counterfoil.state.fold import Folded, PageRows, Rows
from counterfoil.state.projection import fold
from counterfoil.state.rows import ChangeRow, CompanyRow, LinkRow, RecordRow, RecoveredRow, Row, key_of
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.recoveries import RecoveryBegun, RecoveryEnded, RecoveryFound

KEY = "shop:order:1"
COMPANY = CompanyRow(company=1)
RECORD = RecordRow(company=1, record_key=KEY, kind="invoice", position=3, version="", content_hash="h")
CHANGE = ChangeRow(company=1, position=3, record_key=KEY, side="source", state="applied", code="", decided=4)
LINK = LinkRow(
    company=1, record_key=KEY, entity="Invoice", document_id="7", sync_token="0", content_hash="c", image=5, latest=9
)
AT = [
    ("companies", ()),
    ("recovered", ("Invoice", "cf-1")),
    ("recovered", ("Invoice", f"record:{KEY}")),
    ("links", (KEY,)),
    ("records", (KEY,)),
    ("changes", ("3",)),
]


def folded(*events: Event, rows: tuple[Row, ...] = (COMPANY,)) -> dict[str, Row]:
    """The rows after these events, by table."""
    held = PageRows({**dict.fromkeys(AT), **{(row.table, key_of(row)): row for row in rows}})
    for position, event in enumerate(events, start=10):
        found = Rows(1, held)
        fold(found, Folded(company=1, position=position, event=event))
        held.put(found.changed)
    return {row.table: row for row in held.values() if row is not None}


def begun(recovery: str = "r1") -> RecoveryBegun:
    return RecoveryBegun(recovery=recovery, since=datetime(2026, 1, 1, tzinfo=UTC), author="Ann", reason="disk")


def found(document_id: str, sign: str = "cf-1") -> RecoveryFound:
    return RecoveryFound(recovery="r1", entity="Invoice", document_id=document_id, observed=9, signs=(sign,))


def ended(recovery: str = "r1") -> RecoveryEnded:
    return RecoveryEnded(recovery=recovery, found=1, changed=0)


def test_between_its_beginning_and_its_end_a_company_is_recovering() -> None:
    assert folded(begun())["companies"] == CompanyRow(company=1, recovery="r1", recovering=10)
    assert folded(begun(), ended())["companies"] == CompanyRow(company=1, recovery="r1")
    assert folded(begun("r1"), begun("r2"), ended("r1"))["companies"] == CompanyRow(
        company=1, recovery="r2", recovering=11
    )


def test_documents_are_kept_by_their_sign_and_each_once() -> None:
    row = folded(found("7"), found("8"), found("7"))["recovered"]
    assert isinstance(row, RecoveredRow)
    assert row.documents == ("7", "8")


def test_what_changed_is_decided_afresh_unless_its_record_is_gone() -> None:
    sign = f"record:{KEY}"
    after = folded(found("7", sign), rows=(COMPANY, RECORD, CHANGE, LINK))
    change, link = after["changes"], after["links"]
    assert isinstance(change, ChangeRow)
    assert isinstance(link, LinkRow)
    assert (change.state, change.code, change.decided, link.content_hash) == ("waiting", "decision", None, "")
    gone = RecordRow(company=1, record_key=KEY, kind="invoice", position=3, version="", content_hash="", removed=True)
    assert folded(found("7", sign), rows=(COMPANY, gone, CHANGE, LINK))["changes"] == CHANGE
