"""`shadow`, `redrive`: what another mapping would have made of what the log holds, and having it done."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.operator_commands import AuthorOption
from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run, run_without_settings

if TYPE_CHECKING:
    from counterfoil.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (shadow, redrive):
        app.command()(command)


def shadow(
    *,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", metavar="FILE", help="The mapping to try; default: the present one.")
    ] = None,
    connection: Annotated[
        str | None, typer.Option("--connection", metavar="NAME", help="Whose records; needed if there are several.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write all that differs, a JSON object a line.")
    ] = None,
    put_back: Annotated[
        str | None, typer.Option("--put-back", metavar="RUN", help="Preview anew what a redrive put back.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write every plan with the hashes of its inputs.")
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option("--compare", metavar="A B", help="Compare two exports.")
    ] = None,
    show: Annotated[int, typer.Option("--show", min=0, max=10_000, help="Records to show in full.")] = 50,
    personal: Annotated[bool, typer.Option("--personal", help="Show and write personal fields, too.")] = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what another mapping would have made of what the log holds.

    Every record of the connection, as its source showed it last, is planned twice: under the mapping that holds now and
    under the other one, as though it came for the first time. Shows the documents that would be there, would not be
    there, or would say something else, field by field; the records that would be parked or passed over; and what all
    documents come to, by account and currency, under both. Reads the log and its projections alone: no source and no
    books are asked, nothing is written. Records whose kind only their adapter can plan are counted as parked.

    With --export the plans themselves are written, a record a line: its key, the hashes of all that the plan was made
    from (record, mapping, planner, preferences, rates), and the documents. So two versions of the planner are compared
    by an export from each. Personal fields are hashed under the company's own key unless --personal is said.

    A file that --out wrote is a preview, which `counterfoil redrive` applies. --compare leaves with 1 if plans differ.

    Example: counterfoil shadow --mapping new.toml --connection hubspot
    """
    if compare is not None:

        async def held_together() -> int:
            from counterfoil.cli.tasks.shadow_compare import compare_exports

            return await compare_exports(*compare, show=show, as_json=as_json)

        run_without_settings(held_together, as_json=as_json)

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.shadow import Wish, shadow_of

        wish = Wish(
            mapping=mapping,
            connection=connection,
            out=out,
            put_back=put_back,
            export=export,
            show=show,
            personal=personal,
            as_json=as_json,
        )
        return await shadow_of(settings, wish)

    run(work, config=config, company=company, as_json=as_json)


def redrive(
    preview: Annotated[Path, typer.Argument(help="A preview: what `counterfoil shadow --mapping … --out` wrote.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")] = "",
    author: AuthorOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="Without a question.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until the books show it; works if nobody serves.")] = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plan once more, under a new mapping, exactly those records that a preview shows, and send what it shows.

    First put the mapping in the place of the configured one, and start the engine anew if it serves: the redrive waits
    until that mapping holds. Each record is then planned afresh. If its content, a document that stands for it, or that
    document's version (SyncToken) is another than in the preview, nothing of it is sent: it is put back, and
    `shadow --put-back RUN` makes a new preview of it. Documents that the mapping no longer wants stay in the books.

    All that is written is one run, which `counterfoil rollback --run RUN` takes back as one.

    Leaves with 1 if, with --wait, anything was put back, is parked or still on its way.

    Example: counterfoil redrive differences.jsonl --reason "new numbers" --wait
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.redrive import Wish
        from counterfoil.cli.tasks.redrive import redrive as begin

        wish = Wish(preview=preview, reason=reason, author=author, yes=yes, wait=wait, as_json=as_json)
        return await begin(settings, wish)

    run(work, config=config, company=company, as_json=as_json)
