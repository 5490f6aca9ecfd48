"""What the last `counterfoil loadtest` left in the home folder, for the tenth point."""

from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

REPORT_BYTES_MAX: Final = 64 * 1024


class LoadRun(BaseModel):
    """One company in one run: when it ended, how many times whose volume for how long, and whether it kept up.

    `by_hand`: the volume was stated, not taken from the log.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    finished_at: AwareDatetime
    times: float = Field(gt=0)
    seconds: float = Field(gt=0)
    by_hand: bool
    keeps_up: bool


def load_file(home: Path, company: int) -> Path:
    """Where the last run of a company is kept."""
    return home / f"loadtest-{company}.json"


def keep_run(path: Path, run: LoadRun) -> None:
    """Write it in the place of the one before, whole or not at all.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".part")
    whole.write_text(run.model_dump_json() + "\n", encoding="utf-8")
    whole.replace(path)


def read_load(path: Path) -> LoadRun | None:
    """The run that a file tells of; None if it tells of none."""
    try:
        with path.open("rb") as file:
            text = file.read(REPORT_BYTES_MAX + 1)
        return LoadRun.model_validate_json(text)
    except (OSError, ValidationError):
        return None
