"""Commands on word lists: list, show, check, diff, import, expand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli_look import DictionaryFolder, StoreOption
from nlp.options import ImportFormat, VectorModel

if TYPE_CHECKING:
    from nlp.dictionary import Dictionary
    from nlp.dictionary_checks import Difference, Finding

dictionary_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, show, check, compare, import and expand dictionaries.",
)
NameOrFile = Annotated[str, typer.Argument(help="Name of a dictionary, or a YAML file.", show_default=False)]
SHOWN_VALUE = 60


def standing(dictionary: Dictionary) -> str:
    """Return in words whether a list was checked, or that it is ours and stands for no publication."""
    if dictionary.passport.get("house_list") == "true":
        return "house list, NOT verified"
    return "verified" if dictionary.verified else "NOT verified"


@dictionary_app.command("list")
def list_dictionaries(dictionary_folder: DictionaryFolder = "") -> None:
    """List the dictionaries: name, terms, whether verified, title.

    Example:  shuzhi dictionary list
    """
    from flows.dictionary_files import dictionary_paths, load_dictionary
    from shuzhi import DictionaryError

    problems = []
    for name, path in dictionary_paths(dictionary_folder).items():
        try:
            each = load_dictionary(path)
        except DictionaryError as error:
            problems.append(str(error))
            continue
        typer.echo(f"{name:<16} {len(each.terms):>4} terms  {standing(each):<24}  {each.content_hash}  {each.title_zh}")
    if problems:
        raise DictionaryError("\n".join(problems))


@dictionary_app.command("show")
def show_dictionary(name: NameOrFile, dictionary_folder: DictionaryFolder = "") -> None:
    """Show a dictionary: its passport, its terms by dimension, and why each term is there.

    Example:  shuzhi dictionary show wu2021
    """
    from flows.dictionary_files import find_dictionary

    for line in dictionary_lines(find_dictionary(name, dictionary_folder)):
        typer.echo(line)


def dictionary_lines(dictionary: Dictionary) -> Iterator[str]:
    """Yield a dictionary as text: its passport, then its terms by dimension, with reasons where it gives them."""
    yield f"{dictionary.name}  {dictionary.title_zh} / {dictionary.title_en}"
    yield f"hash {dictionary.content_hash}, {len(dictionary.terms)} terms, family {dictionary.family}"
    yield f"{standing(dictionary)}: see its notes" if not dictionary.verified else "verified against public sources"
    for key, value in dictionary.passport.items():
        if isinstance(value, dict):
            yield f"{key}:"
            yield from (f"    {name}: {entry}" for name, entry in value.items())
        elif isinstance(value, list) and sum(map(len, map(str, value))) > SHOWN_VALUE:
            yield f"{key}:"
            yield from (f"    - {entry}" for entry in value)
        else:
            yield f"{key}: {'; '.join(map(str, value)) if isinstance(value, list) else value}"
    for dimension in dictionary.dimensions:
        yield f"{dimension.id}  {dimension.zh} / {dimension.en} ({len(dimension.terms)} terms)"
        plain = [term for term in dimension.terms if term not in dictionary.notes]
        if plain:
            yield f"    {'、'.join(plain)}"
        for term in dimension.terms:
            if (note := dictionary.notes.get(term)) is not None:
                yield f"    {term}: {note.reason}" + (f" [{note.source}]" if note.source else "")


@dictionary_app.command("check")
def check_dictionaries(
    names: Annotated[list[str], typer.Argument(help="Names of dictionaries, or YAML files.")],
    dictionary_folder: DictionaryFolder = "",
    store: Annotated[
        str,
        typer.Option("--store", help="Count in the reports of this store how often short terms lie in longer words."),
    ] = "",
) -> None:
    """Check dictionaries alone and together; warnings are told, errors end with exit code 2.

    Errors: duplicates, empty terms, unknown keys, terms that are matched alike. Warnings: terms inside terms, terms of
    two dictionaries, terms that jieba cannot keep whole, terms that often mean something else.

    Example:  shuzhi dictionary check wu2021 my_words.yml --store out
    """
    from itertools import combinations

    from flows.dictionary_files import find_dictionary
    from nlp.dictionary_checks import check_alone, check_pair
    from shuzhi import DictionaryError

    found, problems = {}, []
    for name in dict.fromkeys(names):
        try:
            found[name] = find_dictionary(name, dictionary_folder)
        except DictionaryError as error:
            problems.append(str(error))
    in_store = _surroundings(list(found.values()), store) if store else {}
    for name, each in found.items():
        warnings = check_alone(each, ("jieba", "rjieba")) + in_store.get(each.name, [])
        size = f"{len(each.terms)} terms in {len(each.dimensions)} dimensions"
        typer.echo(f"{name}: no problem; {size}, hash {each.content_hash}; {standing(each)}; {_count(warnings)}")
        _tell(warnings)
    for first, second in combinations(found.values(), 2):
        warnings = check_pair(first, second)
        typer.echo(f"{first.name} + {second.name}: {_count(warnings)}")
        _tell(warnings)
    if problems:
        raise DictionaryError("\n".join(problems))


def _count(warnings: list[Finding]) -> str:
    return f"{len(warnings)} warning{'' if len(warnings) == 1 else 's'}"


def _tell(warnings: list[Finding]) -> None:
    for each in warnings:
        typer.echo(f"  {each.kind:<15}  {each.message}")


def _surroundings(lists: list[Dictionary], store: str) -> dict[str, list[Finding]]:
    """Return the warnings that only real reports can give, by name of the list."""
    import tempfile

    from flows.expand import spool_texts
    from flows.inspect_store import find_store
    from nlp.surroundings import surroundings, warn_of_surroundings

    with tempfile.TemporaryDirectory(prefix="shuzhi-check-") as place:
        texts = spool_texts(find_store(store), Path(place))
        return {each.name: list(warn_of_surroundings(each, surroundings(each, texts))) for each in lists}


@dictionary_app.command("diff")
def compare_dictionaries(first: NameOrFile, second: NameOrFile, dictionary_folder: DictionaryFolder = "") -> None:
    """Compare two dictionaries: terms of one alone, terms in another dimension.

    Example:  shuzhi dictionary diff wu2021 zhao2021
    """
    from flows.dictionary_files import find_all
    from nlp.dictionary_checks import compare

    found = find_all([first, second], dictionary_folder)
    left, right = found[0], found[-1]
    for line in difference_lines(left, right, compare(left, right)):
        typer.echo(line)


def difference_lines(first: Dictionary, second: Dictionary, difference: Difference) -> Iterator[str]:
    """Yield the difference of two lists as text, with counts."""
    for each in (first, second):
        yield f"{each.name}  {len(each.terms)} terms, hash {each.content_hash}, {standing(each)}"
    yield f"in both, same dimension: {difference.common}"
    yield f"in both, moved: {len(difference.moved)}"
    moves: dict[str, list[str]] = {}
    for term, before, after in difference.moved:
        moves.setdefault(f"{before} -> {after}", []).append(term)
    yield from (f"    {move}: {'、'.join(terms)}" for move, terms in moves.items())
    for each, only in ((first, difference.only_first), (second, difference.only_second)):
        yield f"only in {each.name}: {len(only)}"
        for identifier in dict.fromkeys(dimension for dimension, _ in only):
            yield f"    {identifier}: {'、'.join(term for dimension, term in only if dimension == identifier)}"


@dictionary_app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="Excel, CSV, text with one term a line, or jieba's user dictionary.")],
    name: Annotated[str, typer.Option(help="Name of the new dictionary.", show_default=False)],
    base: Annotated[str, typer.Option(help="Dictionary that it extends: a name or a YAML file.")] = "",
    form: Annotated[ImportFormat, typer.Option("--format", help="How the file holds its terms.")] = "auto",
    family: Annotated[str, typer.Option(help="What it measures; that of the base by default.")] = "",
    title: Annotated[str, typer.Option(help="Title.")] = "",
    author: Annotated[list[str] | None, typer.Option(help="Author; repeat for more.")] = None,
    year: Annotated[str, typer.Option(help="Year of the list.")] = "",
    dimension: Annotated[
        list[str] | None, typer.Option(help="ASCII id of a dimension, for example 数据=data; repeat for more.")
    ] = None,
    out: Annotated[str, typer.Option(help="Folder to write to; that of your own dictionaries by default.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file of that name.")] = False,
    dictionary_folder: DictionaryFolder = "",
) -> None:
    """Make a dictionary of a file, alone or on top of another, with its lineage in the passport.

    Columns of a table: term, and optionally dimension, keep (yes or no), reason, source; 词 and 维度 are known too.

    Example:  shuzhi dictionary import sheet.xlsx --base wu2021 --name wu2021_wide
    """
    from flows.dictionary_files import ImportRequest, find_dictionary, import_dictionary, save_dictionary
    from shuzhi import UsageError

    pairs = [entry.partition("=") for entry in dimension or []]
    if wrong := [label for label, sign, identifier in pairs if not (label and sign and identifier)]:
        raise UsageError(f"--dimension {wrong[0]}: write LABEL=ID, for example 数据=data")
    request = ImportRequest(
        file=file,
        name=name,
        base=find_dictionary(base, dictionary_folder) if base else None,
        form=form,
        family=family,
        title=title,
        authors=tuple(author or ()),
        year=year,
        dimension_ids={label.strip(): identifier.strip() for label, _, identifier in pairs},
    )
    made = import_dictionary(request)
    path = save_dictionary(made, Path(out or dictionary_folder or "."), replace=replace)
    size = f"{len(made.terms)} terms in {len(made.dimensions)} dimensions"
    typer.echo(f"written {path}: {size}, hash {made.content_hash}; NOT verified")
    lineage = made.passport["lineage"]
    if isinstance(lineage, dict) and "base" in lineage:
        changes = ", ".join(f"{lineage[key]} {key}" for key in ("added", "removed", "moved"))
        typer.echo(f"on top of {lineage['base']} {lineage['base_hash']}: {changes}")


@dictionary_app.command("expand")
def expand(
    name: NameOrFile,
    out: Annotated[Path, typer.Option(help="Excel sheet to write.", show_default=False)],
    store: StoreOption = "",
    limit: Annotated[int, typer.Option(min=1, help="Most proposals.")] = 300,
    min_count: Annotated[int, typer.Option(min=2, help="Fewest occurrences of a word.")] = 5,
    min_firms: Annotated[int, typer.Option(min=1, help="Fewest firms that use it.")] = 2,
    model: Annotated[VectorModel, typer.Option(help="Word vectors; word2vec needs gensim.")] = "word2vec",
    seed: Annotated[int, typer.Option(help="Seed of the word vectors.")] = 2024,
    years: Annotated[str, typer.Option(help="Report years, for example 2019-2023 or 2019,2021.")] = "",
    dictionary_folder: DictionaryFolder = "",
) -> None:
    """Propose terms from your own reports; edit the sheet, then import it with --base.

    Example:  shuzhi dictionary expand wu2021 --store out --out sheet.xlsx
    """
    from flows.dictionary_files import find_dictionary
    from flows.expand import ExpandOptions, expand_dictionary
    from flows.inspect_store import find_store
    from flows.settings import MeasureParameters
    from shuzhi import UsageError

    if out.suffix.lower() != ".xlsx":
        raise UsageError(f"--out {out}: the sheet is an Excel file; let its name end with .xlsx")
    found = find_store(store)
    options = ExpandOptions(
        limit, min_count, min_firms, model, seed, MeasureParameters(store=found.url, years=years).years
    )
    summary = expand_dictionary(found, find_dictionary(name, dictionary_folder), out, options)
    typer.echo(
        f"{summary.proposals:,} proposals from {summary.reports:,} reports of {summary.firms:,} firms, by likeness to"
        f" {summary.seeds:,} terms; written to {out}"
    )
