"""Where and how a file lies: odd names, links, pipes, and files that change or go away while the run reads.

Each mutation gets a folder of its own, by number, so that its rows are found whatever its name became.
"""

import os
import random
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.bases import Bases

ODD_NAMES = (
    "..\\..\\..\\evil.pdf",
    "x\\..\\..\\evil.pdf",
    "x..%2f..%2fevil.pdf",
    "line\nbreak\rreturn\ttab.pdf",
    "\x1b]0;title\x07\x1b[2J\x1b[31mred.pdf",
    "\x01\x02\x7f\x85\u2028.pdf",
    "=cmd|' ⧸C calc'!A0.pdf",
    "<img src=x onerror=alert(1)>.pdf",
    '"><script>alert(1)<⧸script>.pdf',
    "'; DROP TABLE documents; --.pdf",
    '"quoted", and, commas".pdf',
    "-rf --out .pdf",
    "$(touch evil) `touch evil` %PATH% ~.pdf",
    "*?[a-z]{1,2}.pdf",
    "\u202efdp.exe\u2066.pdf",
    "\U0001f4c8年报\u0301\ufe0f.pdf",
    "con.pdf",
    " blanks around .pdf",
    "年" * 83 + ".pdf",
    "2020" * 60 + ".pdf",
    "600519_9999年年度报告（九次修订稿）（已取消）.pdf",
    "%s%n%x{0}{{7*7}}{% raw %}.pdf",
)


@dataclass
class Placed:
    """One mutation, laid into its folder.

    Parameters
    ----------
    number, kind : int, str
        Which mutation.
    path : Path
        Its file.
    rows : int
        Rows that the table of documents must have of it.
    during : callable, optional
        What happens to the file while the run reads.
    after : callable, optional
        What happens to it before the second run.
    expected, expected_again : dict of str to str
        Statuses that are certain, by name of the file within the folder, after the first and the second run.
    """

    number: int
    kind: str
    path: Path
    rows: int = 1
    during: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    expected: dict[str, str] = field(default_factory=dict)
    expected_again: dict[str, str] = field(default_factory=dict)


Place = Callable[[random.Random, Bases, Path, int, str], Placed]


def readable(draw: random.Random, bases: Bases, number: int) -> bytes:
    """Return a readable PDF that no other mutation has."""
    pdfs = [data for name, data in sorted(bases.neighbours.items()) if name.endswith(".pdf")]
    return draw.choice(pdfs) + b"\n%% %d\n" % number


def empty_file(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Lay down a file without bytes."""
    path = folder / draw.choice(["empty.pdf", "empty.txt", "EMPTY.PDF"])
    path.touch()
    return Placed(number, kind, path, expected={path.name: "empty"})


def named_like_a_file(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Name a folder like a report, with or without a report in it."""
    place = folder / "x.pdf"
    place.mkdir()
    if draw.random() < 0.5:
        return Placed(number, kind, place, rows=0)
    (place / "y.txt").mkdir()
    (place / "z.pdf").write_bytes(readable(draw, bases, number))
    return Placed(number, kind, place / "z.pdf", expected={"x.pdf/z.pdf": "ok"})


def forbidden(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Forbid to read the file; for the superuser the rule does not hold, and the file is read."""
    path = folder / "forbidden.pdf"
    path.write_bytes(readable(draw, bases, number))
    path.chmod(0)
    return Placed(number, kind, path, expected={path.name: "ok" if os.geteuid() == 0 else "failed"})


def no_file(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Lay down what is no file: a pipe, a socket, a link to a device."""
    path = folder / "x.pdf"
    way = draw.choice(["pipe", "socket", "device"])
    if way == "pipe":
        os.mkfifo(path)
    elif way == "socket":
        here = Path.cwd()
        os.chdir(folder)  # a socket's path may have 107 bytes
        try:
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind("x.pdf")
        finally:
            os.chdir(here)
    else:
        path.symlink_to(draw.choice(["/dev/zero", "/dev/random", "/dev/null", "/dev/tty"]))
    return Placed(number, kind, path, expected={path.name: "failed"})


def links(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Lay down links: in a loop, to nowhere, to a folder above, to a file outside."""
    path = folder / "x.pdf"
    way = draw.choice(["loop", "nowhere", "above", "outside"])
    if way == "loop":
        path.symlink_to("y.pdf")
        (folder / "y.pdf").symlink_to("x.pdf")
        return Placed(number, kind, path, rows=2, expected={"x.pdf": "failed", "y.pdf": "failed"})
    if way == "nowhere":
        path.symlink_to("../../../nowhere.pdf")
        return Placed(number, kind, path, expected={path.name: "failed"})
    if way == "above":
        path.symlink_to("..", target_is_directory=True)
        return Placed(number, kind, path, rows=0)
    outside = folder.parent.parent / "elsewhere" / f"{number}.pdf"
    outside.parent.mkdir(exist_ok=True)
    outside.write_bytes(readable(draw, bases, number))
    path.symlink_to(outside)
    return Placed(number, kind, path, expected={path.name: "ok"})


def odd_name(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Give a readable file a name that breaks tables, pages, terminals or paths."""
    name = draw.choice(ODD_NAMES)
    path = folder / name
    path.write_bytes(readable(draw, bases, number))
    # Hidden files are no reports.
    return Placed(number, kind, path, rows=0 if name.startswith(".") else 1)


def same_name_twice(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Give two files one name in two encodings, which no user can tell apart."""
    for index, encoding in enumerate(("utf-8", "gb18030")):
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + "平安银行年报.pdf".encode(encoding)))
        path.write_bytes(readable(draw, bases, number) + b"%d" % index)
    return Placed(number, kind, path, rows=2)


def full_of_holes(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Lay down a file that claims gigabytes or terabytes and holds next to nothing."""
    path = folder / "sparse.pdf"
    with path.open("wb") as file:
        file.write(b"%PDF-1.7\n" + b"%d" % number)
        file.truncate(draw.choice([300 << 20, 900 << 20, 3 << 30, 1 << 40]))
    return Placed(number, kind, path)


def vanishing(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Let a file go away after it was listed, and come back with the same bytes or others before the second run."""
    path = folder / "vanishing.pdf"
    data = readable(draw, bases, number)
    path.write_bytes(data)
    later = data if draw.random() < 0.5 else data + b"later"
    gone = {path.name: "failed"}
    return Placed(
        number, kind, path, during=path.unlink, after=lambda: _write(path, later), expected=gone,
        expected_again={path.name: "ok"},
    )  # fmt: skip


def changing(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Let a file get other bytes after it was listed: readable ones, or half of them, whole again afterwards."""
    path = folder / "changing.pdf"
    data = readable(draw, bases, number)
    path.write_bytes(data)
    during = data + b"changed" if draw.random() < 0.5 else data[: len(data) // 2]
    after = draw.choice([data, data + b"changed"])
    return Placed(
        number, kind, path, during=lambda: _write(path, during), after=lambda: _write(path, after),
        expected={path.name: "failed"}, expected_again={path.name: "ok"},
    )  # fmt: skip


def vanishing_twin(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Let the first of two files with the same bytes go away: the second is as good."""
    data = readable(draw, bases, number)
    first, second = folder / "a.pdf", folder / "b.pdf"
    first.write_bytes(data)
    second.write_bytes(data)
    return Placed(
        number, kind, first, rows=2, during=first.unlink, after=lambda: _write(first, data),
        expected={"b.pdf": "ok"}, expected_again={"a.pdf": "ok", "b.pdf": "ok"},
    )  # fmt: skip


def becoming_a_pipe(draw: random.Random, bases: Bases, folder: Path, number: int, kind: str) -> Placed:
    """Put a pipe, a folder or a device in the place of a file after it was listed."""
    path = folder / "becoming.pdf"
    data = readable(draw, bases, number)
    path.write_bytes(data)
    way = draw.choice(["pipe", "folder", "device"])

    def during() -> None:
        path.unlink()
        if way == "pipe":
            os.mkfifo(path)
        elif way == "folder":
            path.mkdir()
        else:
            path.symlink_to("/dev/zero")

    def after() -> None:
        path.rmdir() if path.is_dir() else path.unlink()
        _write(path, data)

    return Placed(number, kind, path, during=during, after=after, expected_again={path.name: "ok"})


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


PLACES: dict[str, Place] = {
    each.__name__: each
    for each in (
        empty_file, named_like_a_file, forbidden, no_file, links, odd_name, same_name_twice, full_of_holes,
        vanishing, changing, vanishing_twin, becoming_a_pipe,
    )
}  # fmt: skip
IS_SUPPORTED = sys.platform.startswith("linux")
