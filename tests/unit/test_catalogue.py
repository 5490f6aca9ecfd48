"""The catalogue of events says what the models say, and its examples are events."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

from counterfoil_schema.events.base import Event, PersonalText, registry
from counterfoil_schema.events.decisions import IntentPlanned
from counterfoil_schema.events.receipts import SourceObserved

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "schema" / "EVENTS.md"


@pytest.fixture(scope="module")
def catalogue() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("catalogue", ROOT / "ops" / "catalogue.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sections() -> dict[str, str]:
    """The page's sections on events, by the event's name."""
    parts = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {name: rest for name, _, rest in (part.partition("\n") for part in parts) if "." in name}


def test_the_page_is_what_the_models_say(catalogue: ModuleType) -> None:
    assert catalogue.page(catalogue.known_events()) == PAGE.read_text(encoding="utf-8"), "run `make catalogue`"


def test_every_event_of_this_release_has_a_section() -> None:
    ours = {
        name for name, event in registry.types().items() if event.__module__.startswith("counterfoil_schema.events.")
    }
    assert len(ours) >= 20
    assert ours == set(sections())


@pytest.mark.parametrize("name", sorted(sections()))
def test_an_example_can_be_read_as_its_event(name: str) -> None:
    found = re.search(r"```json\n(.*?)\n```", sections()[name], re.DOTALL)
    assert found is not None
    body = json.loads(found[1])
    event = registry.read(name, registry.types()[name].event_version, body)
    assert body == event.model_dump(mode="json")


def test_receipts_and_decisions_are_told_apart() -> None:
    assert "version 1, receipt." in sections()["source.observed"]
    assert "version 1, decision." in sections()["intent.planned"]
    assert not SourceObserved.decision
    assert IntentPlanned.decision


def test_what_is_sealed_is_marked() -> None:
    page = PAGE.read_text(encoding="utf-8")
    customer = page[page.index("### Customer\n") :]
    assert "| `name` | text |  | the subject's key |" in customer
    assert "| `active` | true or false | `true` |  |" in customer
    assert "| `raw` | text |  | the month's key |" in sections()["webhook.received"]


def test_a_new_field_changes_the_page(catalogue: ModuleType) -> None:
    class Changed(Event):
        """An event."""

        event_type: ClassVar[str] = "example.changed"
        when: ClassVar[str] = "Something happens."
        nickname: PersonalText

        def subject(self) -> str | None:
            return self.nickname

    section = "\n".join(catalogue.section_of(Changed))
    assert "| `nickname` | text |  | the subject's key |" in section
    assert "**When:** Something happens." in section
