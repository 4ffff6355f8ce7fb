"""The commands of a human validation: draw a sample to code, score coded sheets, look for what the list misses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli_look import StoreOption

if TYPE_CHECKING:
    import pandas as pd

    from flows.validate import Drawn

validate_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Check an index by hand: draw a sample, code it in Excel, score it.",
)
Size = Annotated[int, typer.Option("--n", min=1, max=100_000, help="How many to draw.")]
Seed = Annotated[int, typer.Option(help="Seed of the draw; the same seed and store give the same sample.")]
Rule = Annotated[str, typer.Option(help="Matching rule; needed where several were measured.")]
Years = Annotated[str, typer.Option(help="Report years, for example 2019-2023 or 2019,2021.")]
Industry = Annotated[
    Path | None, typer.Option(help="CSV with stock_code, industry (and report_year): industries come in proportion.")
]
Base = Annotated[str, typer.Option("--reports", help="Where the reports stand, to link to: a folder or a URL.")]
Dictionaries = Annotated[list[str] | None, typer.Option("--dictionary", help="Dictionary; repeat for more.")]


@validate_app.command("sample")
def sample(
    out: Annotated[Path, typer.Option(help="Workbook to write (.xlsx).")] = Path("validate.xlsx"),
    n: Size = 200,
    seed: Seed = 1,
    dictionary: Dictionaries = None,
    rule: Rule = "",
    years: Years = "",
    industry: Industry = None,
    reports: Base = "",
    store: StoreOption = "",
) -> None:
    """Draw a stratified random sample of hits into an Excel sheet to code.

    Example:  shuzhi validate sample --store out --n 200 --out sheet.xlsx
    """
    from flows.inspect_store import find_store
    from flows.validate import draw_hits

    drawn = draw_hits(
        find_store(store),
        n=n,
        seed=seed,
        dictionaries=dictionary or (),
        rule=rule,
        years=_years(years),
        industries=_industries(industry),
    )
    _write(drawn, out, reports)


@validate_app.command("missed")
def missed(
    broad: Annotated[list[str], typer.Option("--broad", help="Broader dictionary; repeat for more.")],
    dictionary: Annotated[list[str], typer.Option("--dictionary", help="Dictionary under test; repeat for more.")],
    out: Annotated[Path, typer.Option(help="Workbook to write (.xlsx).")] = Path("missed.xlsx"),
    n: Size = 200,
    seed: Seed = 1,
    rule: Rule = "",
    years: Years = "",
    industry: Industry = None,
    reports: Base = "",
    store: StoreOption = "",
) -> None:
    """Draw sentences that a broader list flags and the list under test does not, to estimate recall.

    Example:  shuzhi validate missed --dictionary wu2021 --broad zhao2021 --store out --out missed.xlsx
    """
    from flows.inspect_store import find_store
    from flows.validate import draw_missed

    drawn = draw_missed(
        find_store(store),
        n=n,
        seed=seed,
        narrow=dictionary,
        broad=broad,
        rule=rule,
        years=_years(years),
        industries=_industries(industry),
    )
    _write(drawn, out, reports)


@validate_app.command("score")
def score(
    sheets: Annotated[list[Path], typer.Argument(help="Coded sheets (.xlsx), one a coder.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder to write the results to.")] = Path("validation"),
    store: Annotated[str, typer.Option("--store", help="Store of the sample; gives the corrected index.")] = "",
) -> None:
    """Score coded sheets: precision with intervals, agreement, confusion, the corrected index, recall.

    Example:  shuzhi validate score coder_a.xlsx coder_b.xlsx --store out --out validation
    """
    from flows.coding_sheet import read_sheets
    from flows.inspect_store import find_store
    from flows.validate_score import score as score_sheets
    from flows.validate_write import to_markdown, write_scores

    found = score_sheets(read_sheets(sheets), find_store(store) if store else None)
    write_scores(found, out)
    typer.echo(to_markdown(found))
    typer.echo(f"{len(sheets)} sheets scored; results in {out} (start with validation.md)", err=True)


def _write(drawn: Drawn, out: Path, reports: str) -> None:
    from flows.coding_sheet import write_sheet
    from flows.evidence_page import relative_base

    is_folder = reports and ":" not in reports and Path(reports).is_dir()
    base = relative_base(reports, out.parent) if is_folder else reports
    write_sheet(out, drawn.rows, drawn.kind, drawn.design, base)
    strata = ", ".join(f"{name} {size:,}" for name, size in sorted(drawn.design["strata"].items()))
    typer.echo(f"drew {len(drawn.rows):,} of {drawn.design['population']:,} into {out} (strata: {strata})", err=True)


def _years(text: str) -> list[int]:
    from pydantic import TypeAdapter, ValidationError

    from flows.settings import Years as YearList
    from shuzhi import UsageError

    try:
        found: list[int] = TypeAdapter(YearList).validate_python(text) if text else []
    except ValidationError as error:
        raise UsageError(f"--years: {error.errors()[0]['msg']}") from None
    return found


def _industries(path: Path | None) -> pd.DataFrame | None:
    from flows.validate import read_industries

    return read_industries(path) if path else None
