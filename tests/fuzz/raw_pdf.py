"""PDF files as their objects: taken apart, and put together without asking whether they make sense."""

import re
import zlib
from collections.abc import Mapping, Sequence

Objects = dict[int, bytes]

OBJECT = re.compile(rb"(?:^|[\r\n])(\d+) (\d+) obj\b(.*?)\bendobj", re.DOTALL)
ROOT = re.compile(rb"/Root (\d+) \d+ R")
MEGABYTE = 1 << 20


def objects_of(data: bytes) -> tuple[Objects, int]:
    """Return the objects that stand plainly in a file, by number, and the number of its catalog."""
    found = {int(match[1]): match[3].strip(b"\r\n") for match in OBJECT.finditer(data)}
    root = ROOT.search(data)
    return found, int(root[1]) if root else 1


def file_of(objects: Mapping[int, bytes], root: int = 1, trailer: bytes = b"") -> bytes:
    """Return a file with these objects, a right cross-reference table and extra entries in the trailer."""
    parts = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"]
    places: dict[int, int] = {}
    place = len(parts[0])
    for number in sorted(objects):
        part = b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
        places[number] = place
        place += len(part)
        parts.append(part)
    size = max(objects, default=0) + 1
    entries = (
        b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n" for number in range(size)
    )
    parts += [b"xref\n0 %d\n" % size, *entries]
    parts.append(b"trailer\n<</Size %d/Root %d 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, root, trailer, place))
    return b"".join(parts)


def stream(content: bytes, entries: bytes = b"", *, length: int | None = None) -> bytes:
    """Return a stream object; its length may lie."""
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(content) if length is None else length, entries, content)


def deflated(content: bytes, entries: bytes = b"") -> bytes:
    """Return a stream object of compressed content."""
    return stream(zlib.compress(content, 1), b"/Filter/FlateDecode" + entries)


def bomb(unit: bytes, megabytes: int, before: bytes = b"") -> bytes:
    """Return compressed bytes that inflate to a unit repeated over so many megabytes; made without inflating it."""
    block = unit * max(1, MEGABYTE // len(unit))
    packer = zlib.compressobj(9)
    head = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    body = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    # The closing checksum is wrong; readers give out what they inflated before they come to it.
    return head + body * megabytes + b"\x03\x00" + bytes(4)


def one_page(
    content: bytes, *, page: bytes = b"/MediaBox[0 0 595 842]", resources: bytes = b"", more: Mapping[int, bytes] = {}
) -> Objects:
    """Return the objects of a one-page file: 1 catalog, 2 pages, 3 page, 4 its content, 5 Helvetica; more from 10."""
    return {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>%s>>%s>>" % (resources, page),
        4: content,
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        **more,
    }


def written(text: bytes) -> bytes:
    """Return a content stream that writes some ASCII text."""
    return stream(b"BT /F1 10 Tf 50 700 Td (" + text + b") Tj ET")


def references(numbers: Sequence[int]) -> bytes:
    """Return references to objects, as an array holds them."""
    return b" ".join(b"%d 0 R" % number for number in numbers)
