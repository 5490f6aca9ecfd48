"""Ids follow from what they stand for. The golden values were made with printf and sha256sum."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.dispatch.ids import batch_request_id, intent_id, marker, request_id


@dataclass(frozen=True)
class Wanted:
    """What an id stands for."""

    company: int = 7
    target: str = "quickbooks"
    record_key: str = "shop:order:1"
    operation: str = "update"
    body_hash: str = "abc"
    sync_token: str | None = field(default="3")
    generation: int = 2
    recovery: str = ""

    @property
    def id(self) -> str:
        return request_id(
            company=self.company,
            target=self.target,
            record_key=self.record_key,
            operation=self.operation,
            body_hash=self.body_hash,
            sync_token=self.sync_token,
            generation=self.generation,
            recovery=self.recovery,
        )


def test_golden_values() -> None:
    assert intent_id(7, "quickbooks", "shop:order:1", 42, 0) == "99f556c62c8e3cb67ef51d7a44726ce6"
    assert Wanted(operation="create", sync_token=None, generation=0).id == "f5d52a00e41616591e8b3a6b7b12d783"
    assert Wanted().id == "95a94f6a81671cb8afc3c3aafcfa20b6"
    assert batch_request_id(["aa", "bb"]) == "a19ef893d5f7843986e86c645fc3e6fb"
    assert marker(7, "shop:order:é1", "Invoice", 1) == "cf-3e29073ea0ef7a2d67bd"


def test_the_same_body_again_under_another_token_is_another_call() -> None:
    """A, then B, then A again: three ids."""
    steps = [("A", "0"), ("B", "1"), ("A", "2")]
    assert len({Wanted(body_hash=body, sync_token=token).id for body, token in steps}) == 3


def test_everything_counts() -> None:
    changed = [
        Wanted(),
        Wanted(company=8),
        Wanted(target="crm"),
        Wanted(record_key="shop:order:2"),
        Wanted(operation="void"),
        Wanted(body_hash="abd"),
        Wanted(sync_token=None),
        Wanted(generation=3),
        Wanted(recovery="r1"),
        Wanted(recovery="r2"),
    ]
    assert len({one.id for one in changed}) == len(changed)


def test_order_counts_in_a_batch_and_its_members_do_not_run_together() -> None:
    batches = [["a", "b"], ["b", "a"], ["ab"], ["a", "b", ""]]
    assert len({batch_request_id(batch) for batch in batches}) == 4


@given(st.text(max_size=400), st.integers(1, 2**63), st.integers(0, 10**6))
def test_ids_fit(record: str, company: int, generation: int) -> None:
    """With a batch id of two digits they stay inside Intuit's 36 and 50 characters."""
    identity = Wanted(record_key=record, company=company, generation=generation).id
    assert len(identity) == 32
    assert identity.isalnum()
    assert len(marker(company, record, "Invoice", generation + 1)) == 23
