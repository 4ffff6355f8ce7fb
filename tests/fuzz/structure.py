"""Changes to the objects of a real PDF: the file stays well formed and says something wrong."""

import random
import re
import zlib

from tests.fuzz.bases import Bases
from tests.fuzz.raw_pdf import Objects, bomb, file_of, objects_of, references, stream

REFERENCE = re.compile(rb"\b(\d+) 0 R\b")
TO_UNICODE = re.compile(rb"/ToUnicode \d+ \d+ R")
STREAM = re.compile(rb"stream\r?\n(.*)\r?\nendstream", re.DOTALL)
LINES = b"BT /F1 9 Tf 50 700 Td (the same line again and again) Tj ET\n"


def _open(draw: random.Random, bases: Bases) -> tuple[Objects, int]:
    return objects_of(bases.excerpt(draw))


def _of_type(objects: Objects, pattern: bytes) -> list[int]:
    return [number for number, body in objects.items() if re.search(pattern, body[:4000])]


def swapped_objects(draw: random.Random, bases: Bases) -> bytes:
    """Exchange the bodies of objects, so that each reference leads to something else."""
    objects, root = _open(draw, bases)
    for _ in range(draw.choice([1, 2, 10])):
        first, second = draw.choice(list(objects)), draw.choice(list(objects))
        objects[first], objects[second] = objects[second], objects[first]
    return file_of(objects, root)


def missing_objects(draw: random.Random, bases: Bases) -> bytes:
    """Leave objects out that others refer to."""
    objects, root = _open(draw, bases)
    for number in draw.sample(list(objects), min(len(objects), draw.choice([1, 3, 10]))):
        del objects[number]
    return file_of(objects, root)


def other_references(draw: random.Random, bases: Bases) -> bytes:
    """Lead references to other objects, to themselves, or to none."""
    objects, root = _open(draw, bases)
    numbers = [*objects, 0, 10**6, 2**31]
    for number in draw.sample(list(objects), min(len(objects), draw.choice([1, 5, 20]))):
        target = draw.choice([number, draw.choice(numbers)])
        head, mark, rest = objects[number].partition(b"stream")
        objects[number] = REFERENCE.sub(b"%d 0 R" % target, head) + mark + rest
    return file_of(objects, root)


def without_tounicode(draw: random.Random, bases: Bases) -> bytes:
    """Take the tables away by which codes become characters."""
    objects, root = _open(draw, bases)
    return file_of({number: TO_UNICODE.sub(b"", body) for number, body in objects.items()}, root)


def exchanged_tounicode(draw: random.Random, bases: Bases) -> bytes:
    """Give each font the table of another, or a table that is none."""
    objects, root = _open(draw, bases)
    tables = sorted({match for body in objects.values() for match in TO_UNICODE.findall(body)})
    tables.append(b"/ToUnicode %d 0 R" % draw.choice(list(objects)))
    return file_of(
        {number: TO_UNICODE.sub(lambda _: draw.choice(tables), body) for number, body in objects.items()}, root
    )


def damaged_streams(draw: random.Random, bases: Bases) -> bytes:
    """Damage what streams inflate to: page contents, fonts, character maps."""
    objects, root = _open(draw, bases)
    streams = [number for number, body in objects.items() if STREAM.search(body) and b"FlateDecode" in body[:500]]
    for number in draw.sample(streams, min(len(streams), draw.choice([1, 3]))):
        found = STREAM.search(objects[number])
        assert found is not None
        try:
            content = bytearray(zlib.decompress(found[1]))
        except zlib.error:
            continue
        for _ in range(draw.choice([1, 10, 200]) if content else 0):
            content[draw.randrange(len(content))] = draw.randrange(256)
        packed = zlib.compress(bytes(content))
        head = re.sub(rb"/Length \d+( \d+ R)?", b"/Length %d" % len(packed), objects[number][: found.start()])
        objects[number] = head + b"stream\n" + packed + b"\nendstream"
    return file_of(objects, root)


def inflated_stream(draw: random.Random, bases: Bases) -> bytes:
    """Put a bomb in the place of a stream of a real file: contents, a font, a character map, a picture."""
    objects, root = _open(draw, bases)
    streams = [number for number, body in objects.items() if STREAM.search(body)]
    number = draw.choice(streams)
    unit = draw.choice([bytes(1024), b" " * 1024, LINES, b"q ", b"<0041> <4E00>\n"])
    packed = bomb(unit, draw.choice([20, 200, 1000, 4000]))
    head = objects[number].partition(b"stream")[0]
    head = re.sub(rb"/(?:Length|Filter|DecodeParms)\s*(?:\d+ \d+ R|\d+|/\w+|\[[^]]*\]|<<[^>]*>>)", b"", head)
    head = head.rstrip().removesuffix(b">>") + b"/Length %d/Filter/FlateDecode>>" % len(packed)
    objects[number] = head + b"\nstream\n" + packed + b"\nendstream"
    return file_of(objects, root)


def looped_page_tree(draw: random.Random, bases: Bases) -> bytes:
    """Let the tree of pages lead back to itself, to its parents, or to nothing, and lie about its counts."""
    objects, root = _open(draw, bases)
    trees = _of_type(objects, rb"/Type\s*/Pages\b")
    pages = _of_type(objects, rb"/Type\s*/Page\b")
    top = trees[0]
    new = max(objects) + 1
    targets = [top, new, root, *pages[:2], 10**6]
    kids = references([draw.choice(targets) for _ in range(draw.choice([1, 2, 50]))] + pages)
    count = draw.choice([len(pages), 0, -1, 1, 10**6, 2**31 - 1, 10**12])
    parent = draw.choice([top, new, pages[0]])
    objects[new] = b"<</Type/Pages/Parent %d 0 R/Kids[%s]/Count %d>>" % (top, kids, count)
    objects[top] = b"<</Type/Pages/Parent %d 0 R/Kids[%d 0 R %s]/Count %d>>" % (parent, new, kids, count)
    return file_of(objects, root)


def repeated_pages(draw: random.Random, bases: Bases) -> bytes:
    """Name the same real page a great many times, plainly or by a tree that doubles at each level."""
    objects, root = _open(draw, bases)
    top, page = _of_type(objects, rb"/Type\s*/Pages\b")[0], _of_type(objects, rb"/Type\s*/Page\b")[0]
    if draw.random() < 0.5:
        count = draw.choice([3_000, 50_000, 1_000_000])
        objects[top] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b"%d 0 R " % page * count, count)
        return file_of(objects, root)
    new, levels = max(objects) + 1, draw.choice([8, 12, 20, 30])
    for level in range(levels):
        below = b"%d 0 R " % (new + level + 1 if level < levels - 1 else page)
        entry = b"<</Type/Pages/Parent %d 0 R/Kids[%s]/Count %d>>"
        objects[new + level] = entry % (top if not level else new + level - 1, below * 2, 2 ** (levels - level))
    objects[top] = b"<</Type/Pages/Kids[%d 0 R]/Count %d>>" % (new, 2**levels)
    return file_of(objects, root)


def odd_page_size(draw: random.Random, bases: Bases) -> bytes:
    """Give the pages sizes that no paper has."""
    objects, root = _open(draw, bases)
    sides = [b"0", b"-1", b"1e30", b"99999999999999999999", b"nan", b"3.4e38", b"0.0000001", b"(a)", b"null"]
    box = b"/MediaBox[%s]" % b" ".join(draw.choice(sides) for _ in range(draw.choice([4, 4, 3, 0])))
    extra = box + draw.choice([b"", b"/UserUnit 1e30", b"/Rotate 45", b"/Rotate 99999999999", b"/CropBox[1 1 1 1]"])
    for number in _of_type(objects, rb"/Type\s*/Page\b"):
        body = re.sub(rb"/(?:MediaBox|CropBox)\s*\[[^]]*\]", b"", objects[number])
        objects[number] = body.rstrip().removesuffix(b">>") + extra + b">>"
    return file_of(objects, root)


def odd_encryption(draw: random.Random, bases: Bases) -> bytes:
    """Claim an encryption: known, unknown, or senseless."""
    objects, root = _open(draw, bases)
    number = max(objects) + 1
    version = draw.choice([b"/V 1/R 2", b"/V 2/R 3/Length 128", b"/V 5/R 6/Length 256", b"/V 99/R 99", b""])
    name = draw.choice([b"Standard", b"Adobe.PubSec", b"Foo"])
    key = draw.randbytes(draw.choice([0, 32, 48, 5000])).hex().encode()
    objects[number] = b"<</Filter/%s%s/P -4/O<%s>/U<%s>/OE<%s>/UE<%s>>>" % (name, version, key, key, key, key)
    return file_of(objects, root, b"/Encrypt %d 0 R/ID[<00><00>]" % number)


def odd_metadata(draw: random.Random, bases: Bases) -> bytes:
    """Put paths, formulas, markup, control characters or a megabyte into the title."""
    objects, root = _open(draw, bases)
    titles = [
        b"../../../../evil",
        b"=cmd|' /C calc'!A0",
        b"<script>alert(1)</script>",
        b"a\\000b\\033[2J\\r\\n\\b",
        b"\xfe\xff\xd8\x00\x00A\xdc\x00",
        b"2020" * draw.choice([10, 250_000, 2_000_000]),
        bytes(draw.choice(b"0123456789 -.") for _ in range(20_000)),
        "平安银行2020年年度报告".encode("gb18030"),
    ]
    number = max(objects) + 1
    objects[number] = b"<</Title(%s)/Author(%s)>>" % (draw.choice(titles), draw.choice(titles))
    return file_of(objects, root, b"/Info %d 0 R" % number)


def attached_actions(draw: random.Random, bases: Bases) -> bytes:
    """Attach scripts, launches, files and links that a viewer might follow."""
    objects, root = _open(draw, bases)
    new = max(objects) + 1
    objects[new] = draw.choice(
        [
            b"<</S/JavaScript/JS(app.alert\\(1\\); this.exportDataObject\\('x'\\);)>>",
            b"<</S/Launch/F(touch evil)/Win<</F(cmd.exe)/P(/c echo evil > evil)>>>>",
            b"<</S/GoToR/F(../../../../etc/passwd)/D[0/Fit]>>",
            b"<</S/URI/URI(http://127.0.0.1:1/)>>",
            b"<</S/SubmitForm/F(http://127.0.0.1:1/)>>",
        ]
    )
    objects[new + 1] = b"<</Type/Filespec/F(../../evil.pdf)/UF(../../evil.pdf)/EF<</F %d 0 R>>>>" % (new + 2)
    objects[new + 2] = stream(b"evil", b"/Type/EmbeddedFile")
    names = b"/Names<</EmbeddedFiles<</Names[(../../evil)%d 0 R]>>>>" % (new + 1)
    entry = b"/OpenAction %d 0 R/AA<</WC %d 0 R>>%s>>" % (new, new, names)
    objects[root] = objects[root].rstrip().removesuffix(b">>") + entry
    return file_of(objects, root)
