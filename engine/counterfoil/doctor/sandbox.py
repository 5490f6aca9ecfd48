"""What the last run of the journeys against Intuit's sandbox left behind: `make test-sandbox` writes it."""

from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

REPORT_BYTES_MAX: Final = 64 * 1024


class SandboxRun(BaseModel):
    """One run: when it ended, against which company, and how many journeys held."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    finished_at: AwareDatetime
    realm_id: str = Field(pattern=r"^[0-9]{1,25}$")
    passed: int = Field(ge=0)
    failed: int = Field(ge=0)


def read_run(path: Path) -> SandboxRun | str:
    """The run that a file tells of, or why it tells of none."""
    try:
        with path.open("rb") as file:
            text = file.read(REPORT_BYTES_MAX + 1)
        if len(text) > REPORT_BYTES_MAX:
            return f"{path} is too large to be a report."
        return SandboxRun.model_validate_json(text)
    except FileNotFoundError:
        return f"There is no report {path}."
    except OSError as problem:
        return f"The report {path} cannot be read: {problem.strerror}."
    except ValidationError:
        return f"{path} is no report of `make test-sandbox`."
