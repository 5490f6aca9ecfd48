"""`parked`, `review`, `approve`, `retry`, `skip`: what waits for a person, and what a person says to it."""

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from pathlib import Path

    from counterfoil.cli.tasks.asking import Question
    from counterfoil.settings import Settings

RecordArgument = Annotated[
    str | None, typer.Argument(help="A record (hubspot:deal:512), a document (Invoice 145) or its number.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Everything that waits for it.")]
AuthorOption = Annotated[str, typer.Option("--author", help="Who says so; default: your login name.")]
WaitOption = Annotated[
    bool, typer.Option("--wait", help="Stay until it is taken up; works the companies meanwhile if nobody else does.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (parked, review, approve, retry, skip):
        app.command()(command)


def parked(*, config: ConfigOption = CONFIG_FILE, company: CompanyOption = None, as_json: JsonOption = False) -> None:
    """List what cannot go on until somebody acts.

    With the record, the amount, why, and what to do; `counterfoil deadletters list` groups them by cause. Leaves with
    1 if anything is parked.

    Example: counterfoil parked --company 1
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.lists import show_parked

        return await show_parked(settings, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def review(*, config: ConfigOption = CONFIG_FILE, company: CompanyOption = None, as_json: JsonOption = False) -> None:
    """List what waits for approval, with amounts.

    Example: counterfoil review
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.lists import show_held

        return await show_held(settings, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def approve(
    record: RecordArgument = None,
    *,
    all_of_them: AllOption = False,
    author: AuthorOption = "",
    wait: WaitOption = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let out what waits for approval.

    The approval is recorded at once; whoever works for the company takes it up, now or when it next runs.

    Example: counterfoil approve gusto:payroll:7b1e --author "Ann Smith"
    """
    from counterfoil.cli.tasks.asking import Question

    question = Question("approve", _one(record), all_of_them, author, wait=wait, as_json=as_json)
    begin_asking(question, config, company)


def retry(
    record: RecordArgument = None,
    *,
    all_of_them: AllOption = False,
    author: AuthorOption = "",
    wait: WaitOption = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have something parked decided afresh.

    Example: counterfoil retry hubspot:deal:512 --wait
    """
    from counterfoil.cli.tasks.asking import Question

    question = Question("retry", _one(record), all_of_them, author, wait=wait, as_json=as_json)
    begin_asking(question, config, company)


def skip(
    record: RecordArgument = None,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")],
    author: AuthorOption = "",
    wait: WaitOption = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide that something is not to be carried over.

    Something parked, or waiting for approval.

    Example: counterfoil skip hubspot:deal:512 --reason "invoiced by hand in March"
    """
    from counterfoil.cli.tasks.asking import Question

    question = Question("skip", _one(record), False, author, reason=reason, wait=wait, as_json=as_json)
    begin_asking(question, config, company)


def _one(record: str | None) -> tuple[str, ...]:
    return () if record is None else (record,)


def begin_asking(question: "Question", config: "Path", company: int | None) -> NoReturn:
    """Run a command that asks for something."""

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.asking import ask

        return await ask(settings, question)

    run(work, config=config, company=company, as_json=question.as_json)
