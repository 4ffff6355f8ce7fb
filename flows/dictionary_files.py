"""Dictionaries as files: the shipped ones, those of a user's folder, and lists imported from elsewhere."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dictionaries
from flows.table_guard import check_content
from nlp.dictionary import Dictionary, parse
from nlp.dictionary_checks import compare
from nlp.dictionary_import import Passport, build, to_yaml
from nlp.options import ImportFormat
from nlp.term_rows import TermRow, decode, guess_format, has_terms, rows_of_table, rows_of_text
from shuzhi import DataError, DictionaryError

FOLDER_VARIABLE = "SHUZHI_DICTIONARIES"


def load_dictionaries(names: Sequence[str], folder: str = "") -> list[Dictionary]:
    """Load and check dictionaries by name.

    Raises
    ------
    DictionaryError
        If a name is unknown, or a list has problems.
    """
    paths = dictionary_paths(folder)
    unknown = [name for name in names if name not in paths]
    if unknown:
        raise DictionaryError(f"no dictionary {', '.join(unknown)}. There are: {', '.join(sorted(paths))}")
    return [load_dictionary(paths[name]) for name in dict.fromkeys(names)]


def load_dictionary(path: Path) -> Dictionary:
    """Load and check one dictionary file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DictionaryError(f"{path}: not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise DictionaryError(f"{path}: cannot be opened: {error.strerror}") from None
    loaded = parse(text, str(path))
    if loaded.name != path.stem:
        raise DictionaryError(f"{path} line 1: the name {loaded.name} is not the file's; make them the same")
    return loaded


def find_dictionary(name: str, folder: str = "") -> Dictionary:
    """Load a dictionary by its name, or from the YAML file of that path."""
    if name.lower().endswith((".yml", ".yaml")):
        return load_dictionary(Path(name))
    return load_dictionaries([name], folder)[0]


def find_all(names: Sequence[str], folder: str = "") -> list[Dictionary]:
    """Load dictionaries by name or file; the problems of all of them come in one error.

    Raises
    ------
    DictionaryError
        If any of them has problems.
    """
    found, problems = [], []
    for name in dict.fromkeys(names):
        try:
            found.append(find_dictionary(name, folder))
        except DictionaryError as error:
            problems.append(str(error))
    if problems:
        raise DictionaryError("\n".join(problems))
    return found


def dictionary_paths(folder: str = "") -> dict[str, Path]:
    """Return the files of all dictionaries by name: the shipped ones, and those of the user's folder.

    Parameters
    ----------
    folder : str
        The user's folder; empty takes the one that the environment variable SHUZHI_DICTIONARIES names, if any.

    Raises
    ------
    DictionaryError
        If the folder is missing, or a list there has the name of a shipped one.
    """
    paths = dictionaries.shipped()
    named = folder or os.environ.get(FOLDER_VARIABLE, "")
    if named:
        own = Path(named)
        if not own.is_dir():
            where = "" if folder else f" ({FOLDER_VARIABLE})"
            raise DictionaryError(f"{named}{where}: no such folder of dictionaries")
        found = {path.stem: path for path in sorted(own.glob("*.yml")) + sorted(own.glob("*.yaml"))}
        twins = sorted(found.keys() & paths.keys())
        if twins:
            raise DictionaryError(f"{named}: {', '.join(twins)} ships with shuzhi already; rename yours")
        paths |= found
    return paths


@dataclass(frozen=True)
class ImportRequest:
    """What to import and what to call it.

    Parameters
    ----------
    file : Path
        Excel workbook, CSV, text with one term a line, or jieba's user dictionary.
    name : str
        Name of the new list, and of its file.
    base : Dictionary, optional
        The list that it extends.
    form : str
        ``auto`` goes by the file's ending and content.
    family, title : str
        Empty takes those of the base, or the name.
    dimension_ids : mapping of str to str
        Id by label, for new dimensions with a Chinese label.
    """

    file: Path
    name: str
    base: Dictionary | None = None
    form: ImportFormat = "auto"
    family: str = ""
    title: str = ""
    authors: tuple[str, ...] = ()
    year: str = ""
    dimension_ids: Mapping[str, str] | None = None


def import_dictionary(request: ImportRequest) -> Dictionary:
    """Build a list from a file of somebody else, with its lineage in the passport.

    Raises
    ------
    DictionaryError
        With every problem of the file, each with its line or row.
    """
    try:
        data = request.file.read_bytes()
    except OSError as error:
        raise DictionaryError(f"{request.file}: cannot be opened: {error.strerror}") from None
    rows = _rows(request, data)
    base = request.base
    family = request.family or (base.family if base else request.name)
    passport = Passport(
        name=request.name,
        family=family,
        title_zh=request.title or (f"{base.title_zh}，修改稿 {request.name}" if base else request.name),
        title_en=request.title or (f"{base.title_en}, changed as {request.name}" if base else request.name),
        lineage=_lineage(request, data),
        authors=request.authors or ("not stated",),
        year=request.year or "not stated",
    )
    made = build(rows, passport, str(request.file), base, request.dimension_ids)
    if base is None:
        return made
    difference = compare(base, made)
    changes = {"added": difference.only_second, "removed": difference.only_first, "moved": difference.moved}
    lineage = {**passport.lineage, **{key: str(len(each)) for key, each in changes.items()}}
    return dataclasses.replace(made, passport={**made.passport, "lineage": lineage})


def _lineage(request: ImportRequest, data: bytes) -> dict[str, str]:
    lineage = {"imported_from": request.file.name, "sha256": hashlib.sha256(data).hexdigest()}
    if request.base is not None:
        lineage |= {"base": request.base.name, "base_hash": request.base.content_hash}
        earlier = request.base.passport.get("lineage")
        if isinstance(earlier, Mapping) and "base" in earlier:
            lineage["base_of_base"] = f"{earlier['base']} {earlier.get('base_hash', '')}".strip()
    return lineage


def _rows(request: ImportRequest, data: bytes) -> list[TermRow]:
    suffix = request.file.suffix.lower()
    form = request.form
    try:
        if form == "xlsx" or (form == "auto" and suffix in (".xlsx", ".xlsm")):
            check_content(data, request.file.name)
            return _rows_of_workbook(data)
        if suffix == ".xls":
            raise DictionaryError("the old Excel format; save the file as .xlsx")
        text = decode(data, str(request.file))
        return rows_of_text(text, guess_format(text, suffix) if form == "auto" else form)
    except (DictionaryError, DataError) as error:
        message = str(error)
        raise DictionaryError(
            message if message.startswith(str(request.file)) else f"{request.file}: {message}"
        ) from None


def _rows_of_workbook(data: bytes) -> list[TermRow]:
    """Return the terms of every worksheet that has a column of them."""
    import io

    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise DictionaryError(f"not an Excel workbook ({error}); save it as .xlsx or .csv") from None
    found: list[TermRow] = []
    seen_table = False
    for sheet in book.worksheets:
        table = [
            (f"sheet {sheet.title}, row {number}", tuple(cells))
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1)
        ]
        header = next((cells for _, cells in table if any(cell is not None for cell in cells)), ())
        if has_terms(header):
            seen_table = True
            found += rows_of_table(table)
    book.close()
    if not seen_table:
        raise DictionaryError("no worksheet has a column of terms; name its header 'term'")
    return found


def save_dictionary(dictionary: Dictionary, folder: Path, *, replace: bool = False) -> Path:
    """Write a list as YAML into a folder, under its name.

    Raises
    ------
    DictionaryError
        If the folder holds a file of that name already, or the name is one that ships with shuzhi.
    """
    path = folder / f"{dictionary.name}.yml"
    if dictionary.name in dictionaries.shipped():
        raise DictionaryError(f"{dictionary.name} ships with shuzhi already; choose another name")
    if path.exists() and not replace:
        raise DictionaryError(f"{path} is there already; choose another name, or add --replace")
    text = to_yaml(dictionary)
    parse(text, str(path))
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
