"""Damage to the bytes of a file, whatever they mean."""

import random
import re
from collections.abc import Callable

from tests.fuzz.bases import Bases

NUMBER = re.compile(rb"(?<![\w.])-?\d+(?![\w.])")
KEYWORD = re.compile(
    rb"/(?:Type|Pages?|Kids|Count|Parent|Contents|Resources|Font|Length|Filter|FlateDecode|Subtype|Encoding|Widths"
    rb"|FontDescriptor|DescendantFonts|ToUnicode|MediaBox|W|Index|Size|Root|XObject|DecodeParms)\b"
    rb"|\b(?:obj|endobj|stream|endstream|xref|trailer|startxref|R)\b"
)
EXTREMES = (0, 1, -1, 7, 255, 65_536, 2**31 - 1, -(2**31), 2**32, 2**63, 10**20)


def flipped_bits(draw: random.Random, bases: Bases) -> bytes:
    """Turn a few single bits over."""
    data = bytearray(bases.pdf(draw))
    for _ in range(draw.choice([1, 3, 10, 50, 300])):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)


def overwritten(draw: random.Random, bases: Bases) -> bytes:
    """Write random bytes, or zeros, over a few stretches."""
    data = bytearray(bases.pdf(draw))
    for _ in range(draw.choice([1, 2, 5])):
        length = draw.choice([1, 16, 512, 8192])
        place = draw.randrange(len(data))
        data[place : place + length] = bytes(length) if draw.random() < 0.3 else draw.randbytes(length)
    return bytes(data)


def cut_off(draw: random.Random, bases: Bases) -> bytes:
    """Keep only the beginning, as a broken download does, or only the end."""
    data = bases.pdf(draw)
    place = draw.choice([draw.randrange(1, 2048), draw.randrange(len(data)), len(data) - draw.randrange(1, 2048)])
    return data[place:] if draw.random() < 0.15 else data[: max(1, place)]


def blocks_moved(draw: random.Random, bases: Bases) -> bytes:
    """Leave out, repeat or exchange blocks, as a bad disk or a resumed download does."""
    data = bases.pdf(draw)
    size = draw.choice([64, 512, 4096, 65_536])
    blocks = [data[place : place + size] for place in range(0, len(data), size)]
    for _ in range(draw.choice([1, 1, 4])):
        first, second = draw.randrange(len(blocks)), draw.randrange(len(blocks))
        way = draw.choice(["leave out", "repeat", "exchange"])
        if way == "leave out":
            blocks[first] = b""
        elif way == "repeat":
            blocks[first] *= 2
        else:
            blocks[first], blocks[second] = blocks[second], blocks[first]
    return b"".join(blocks) or b"%"


def junk_around(draw: random.Random, bases: Bases) -> bytes:
    """Put junk before or after the file: web headers, zeros, random bytes."""
    data = bases.pdf(draw)
    length = draw.choice([1, 100, 900, 5000, 500_000])
    kinds = [draw.randbytes(length), bytes(length), b"HTTP/1.1 200 OK\r\n" * (length // 17 + 1), b"%%EOF\n" * length]
    junk = draw.choice(kinds)[:500_000]
    return junk + data if draw.random() < 0.4 else data + junk


def joined(draw: random.Random, bases: Bases) -> bytes:
    """Put two files into one, end to end or one inside the other."""
    first, second = bases.pdf(draw), bases.pdf(draw)
    place = draw.choice([len(first), len(first), draw.randrange(len(first))])
    return first[:place] + second + first[place:]


def broken_xref(draw: random.Random, bases: Bases) -> bytes:
    """Make the cross-reference table, or the number that says where it is, lie."""
    data = bytearray(bases.excerpt(draw))
    table = data.rfind(b"\nxref") + 1
    end = data.rfind(b"startxref")
    if draw.random() < 0.4:
        value = draw.choice([0, table - 1, len(data), 2**31, 2**63, -1, draw.randrange(len(data))])
        return bytes(data[:end]) + b"startxref\n%d\n%%%%EOF\n" % value
    for _ in range(draw.choice([1, 5, 100])):
        place = draw.randrange(table, end)
        data[place] = draw.choice(b"0123456789 nf\n")
    return bytes(data)


def xref_loop(draw: random.Random, bases: Bases) -> bytes:
    """Let the chain of cross-reference tables lead back to itself, or on without end."""
    data = bases.excerpt(draw)
    place = data.rfind(b"\nxref") + 1
    if draw.random() < 0.5:
        return data.replace(b"/Size", b"/Prev %d/Size" % place, 1)
    sections = bytearray(data)
    before = place
    for _ in range(draw.choice([2, 100, 5000])):
        here = len(sections)
        sections += b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1/Prev %d/Root 1 0 R>>\n" % before
        before = here
    return bytes(sections) + b"startxref\n%d\n%%%%EOF\n" % before


def extreme_numbers(draw: random.Random, bases: Bases) -> bytes:
    """Put extreme values where numbers stand."""
    return _replaced(draw, bases.pdf(draw), NUMBER, lambda: b"%d" % draw.choice(EXTREMES))


def other_keywords(draw: random.Random, bases: Bases) -> bytes:
    """Put names and keywords of the format where others stand."""
    data = bases.pdf(draw)
    words = sorted(set(KEYWORD.findall(data)))
    return _replaced(draw, data, KEYWORD, lambda: draw.choice(words))


def _replaced(draw: random.Random, data: bytes, pattern: re.Pattern[bytes], value: Callable[[], bytes]) -> bytes:
    found = list(pattern.finditer(data))
    if not found:
        return data
    chosen = draw.sample(found, min(len(found), draw.choice([1, 2, 5, 20])))
    for match in sorted(chosen, key=lambda each: -each.start()):
        data = data[: match.start()] + value() + data[match.end() :]
    return data
