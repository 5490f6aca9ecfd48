"""`shadow`: what another mapping, or another planner, would have made of what the log holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run, run_without_settings

if TYPE_CHECKING:
    from counterfoil.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(shadow)


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

    Leaves with 0 when it has shown what there is; --compare leaves with 1 if plans differ.

    Example: counterfoil shadow --mapping new.toml --connection hubspot
    Example: counterfoil shadow --export before.jsonl
    Example: counterfoil shadow --compare before.jsonl after.jsonl
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
            export=export,
            show=show,
            personal=personal,
            as_json=as_json,
        )
        return await shadow_of(settings, wish)

    run(work, config=config, company=company, as_json=as_json)
