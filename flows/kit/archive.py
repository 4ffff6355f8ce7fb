"""The checksums of a study kit and its archive, which are the same whenever the kit is."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from flows.formats import replacing
from flows.kit.options import SUMS_FILE
from flows.kit.tables import write_text
from flows.outputs import file_hash

# The first moment that an archive can hold.
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
READABLE = 0o100644 << 16
CHUNK_BYTES = 1 << 20


def write_sums(folder: Path, names: Sequence[str]) -> None:
    """Write the SHA-256 of every file, as ``sha256sum -c`` reads it."""
    write_text(folder / SUMS_FILE, sums_of(folder, names))


def sums_of(folder: Path, names: Sequence[str]) -> str:
    """Return the content of ``SHA256SUMS``."""
    return "".join(f"{file_hash(folder / name)}  {name}\n" for name in names)


def has_sums(folder: Path, names: Sequence[str]) -> bool:
    """Tell whether a folder holds exactly these files as its checksums say; other people's files do not count."""
    path = folder / SUMS_FILE
    if not path.is_file() or not all((folder / name).is_file() for name in names):
        return False
    return path.read_text(encoding="utf-8") == sums_of(folder, names)


def write_archive(folder: Path, names: Sequence[str], path: Path) -> None:
    """Pack files of a folder into a ZIP archive, under the name of the folder: no clock, no owner, one order."""
    with (
        replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        for name in sorted((*names, SUMS_FILE)):
            entry = zipfile.ZipInfo(f"{folder.name}/{name}", FIXED_TIME)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, READABLE
            size = (folder / name).stat().st_size
            with (folder / name).open("rb") as source, archive.open(entry, "w", force_zip64=size >= 1 << 31) as target:
                while chunk := source.read(CHUNK_BYTES):
                    target.write(chunk)
