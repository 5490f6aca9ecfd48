"""`deadletters list | show | retry | edit | resolve | map | skip`: what is parked, and what a person does about it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.operator_commands import AllOption, AuthorOption, WaitOption, begin_asking
from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings

CauseOption = Annotated[
    str | None,
    typer.Option("--cause", help="All of one cause, as `deadletters list` names it: unknown_product:deal, or a code."),
]
RecordsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[RECORD]...", help="Records (hubspot:deal:512), documents or numbers.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is recorded.")]


def make_app() -> typer.Typer:
    """The sub-commands."""
    app = typer.Typer(
        help="Dead letters: what cannot go on until somebody acts, by cause, with what can be done.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.command("list")(list_letters)
    app.command("show")(show)
    app.command("retry")(retry)
    app.command("edit")(edit)
    app.command("resolve")(resolve_conflict)
    app.command("map")(map_letter)
    app.command("skip")(skip)
    return app


def list_letters(
    *,
    cause: CauseOption = None,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List dead letters by cause: how many, since when, what they come to, what waits for them, and what to do.

    With --cause: every letter of that cause. Leaves with 1 if there is any.

    Example: counterfoil deadletters list --cause unknown_product
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.deadletters import show_causes, show_letters

        if cause is not None:
            return await show_letters(settings, cause, as_json=as_json)
        return await show_causes(settings, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def show(
    record: Annotated[str, typer.Argument(help="A record (hubspot:deal:512), a document (Invoice 145) or its number.")],
    *,
    personal: Annotated[
        bool, typer.Option("--personal", help="Open sealed personal fields of the record too.")
    ] = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter whole: why, the fault as it came in, what waits for it, and the record behind it.

    With --json --personal the record is such as `deadletters edit --file` takes.

    Example: counterfoil deadletters show hubspot:deal:512
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.deadletters import show_letter

        return await show_letter(settings, record, personal=personal, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def retry(
    records: RecordsArgument = None,
    *,
    cause: CauseOption = None,
    all_of_them: AllOption = False,
    author: AuthorOption = "",
    wait: WaitOption = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have dead letters decided afresh: some, all of a cause, or all.

    What waits for them is let go by itself once they are through.

    Example: counterfoil deadletters retry --cause unknown_product --wait
    """
    from counterfoil.cli.tasks.asking import Question

    question = Question(
        "retry", tuple(records or ()), all_of_them, author, wait=wait, as_json=as_json, cause=cause, letters=True
    )
    begin_asking(question, config, company)


def skip(
    records: RecordsArgument = None,
    *,
    reason: ReasonOption,
    cause: CauseOption = None,
    all_of_them: AllOption = False,
    author: AuthorOption = "",
    wait: WaitOption = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide that dead letters are not to be carried over: some, all of a cause, or all.

    Example: counterfoil deadletters skip hubspot:deal:512 --reason "invoiced by hand in March"
    """
    from counterfoil.cli.tasks.asking import Question

    question = Question(
        "skip",
        tuple(records or ()),
        all_of_them,
        author,
        reason=reason,
        wait=wait,
        as_json=as_json,
        cause=cause,
        letters=True,
    )
    begin_asking(question, config, company)


def map_letter(
    record: Annotated[str, typer.Argument(help="A customer, vendor, employee, product or invoice of a source.")],
    document: Annotated[str, typer.Argument(help='What stands for it in QuickBooks: "Item 45", "Item Gardening".')],
    *,
    author: AuthorOption = "",
    wait: WaitOption = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which document of the books stands for a parked record. Nothing is written to QuickBooks by that.

    The document is read first: it must be there, active, and stand for nothing else. What waited for the record is
    let go. A name counts for items, accounts, classes and other lists without people; people go by their Id.

    Example: counterfoil deadletters map hubspot:product:12 "Item 45" --wait
    """
    from counterfoil.cli.tasks.asking import Question

    question = Question("map", (record,), False, author, wait=wait, as_json=as_json, document=document, letters=True)
    begin_asking(question, config, company)


def edit(
    record: Annotated[str, typer.Argument(help="A parked source record (hubspot:deal:512).")],
    *,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="PLACE=VALUE", help="What to put where; may be given again.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="The whole record as JSON, as `show --json --personal` prints it.")
    ] = None,
    reason: ReasonOption,
    author: AuthorOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and record nothing.")] = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correct a parked source record here, where its source cannot be corrected in time.

    The correction is an event with its author and reason; the source is not written to. It holds until the source
    shows the record with another content. It is decided like any change.

    Example: counterfoil deadletters edit hubspot:deal:512 --set lines.0.amount=120.00 --reason "agreed by phone"
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.deadletter_edit import Correction, correct

        correction = Correction(record, tuple(assignments or ()), file, author, reason, dry_run, as_json)
        return await correct(settings, correction)

    run(work, config=config, company=company, as_json=as_json)


def resolve_conflict(
    record: Annotated[str, typer.Argument(help="A record (hubspot:deal:512) parked because both sides changed it.")],
    *,
    keep: Annotated[str | None, typer.Option("--keep", help="Whose version counts: source or books.")] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PLACE=VALUE", help="Neither's: the record corrected, as by `edit`, and sent."),
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option("--field", help="Only this field or line, as `show` names it."),
    ] = None,
    reason: ReasonOption,
    author: AuthorOption = "",
    wait: WaitOption = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which version of what both sides changed counts: the source's, the books', or a third.

    `deadletters show` shows the versions. The answer is an event with its author and reason, and holds for the versions
    that were shown: should either side change again, it is asked again.

    Example: counterfoil deadletters resolve hubspot:deal:512 --keep books --reason "agreed with the customer"
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.resolve import Answer, resolve

        answer = Answer(
            record=record,
            keep=keep,
            fields=tuple(fields or ()),
            assignments=tuple(assignments or ()),
            author=author,
            reason=reason,
            wait=wait,
            as_json=as_json,
        )
        return await resolve(settings, answer)

    run(work, config=config, company=company, as_json=as_json)
