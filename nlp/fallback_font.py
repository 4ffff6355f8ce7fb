"""A font of one box for Chinese fonts that a PDF names but does not carry.

PDFium drops every text object without an extent: on a machine without a Chinese font that is each single character
of such a font, 1 to 3 % of the characters of older reports. Measured on the same box everywhere, the text of a page
depends neither on the machine nor on its fonts.
"""

from __future__ import annotations

import atexit
import ctypes
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pypdfium2.raw as pdfium

# Windows character sets of Japanese, Korean, simplified and traditional Chinese, as PDFium asks for fonts by them.
EAST_ASIAN_CHARSETS = (128, 129, 134, 136)
UNITS_PER_EM = 1000
LEFT, BOTTOM, RIGHT, TOP = 50, -100, 950, 850
ASCENT, DESCENT = 880, -120
BOX_HANDLE = 1


def box_font() -> bytes:
    """Return a TrueType font whose one glyph, a box, stands for every character of the basic plane.

    Returns
    -------
    bytes
        The font file; its tables are those that the TrueType reference requires of a font.
    """
    corners = struct.pack(">5h", 1, LEFT, BOTTOM, RIGHT, TOP) + struct.pack(">HH4B", 3, 0, 1, 1, 1, 1)
    glyph = corners + struct.pack(">8h", LEFT, 0, RIGHT - LEFT, 0, BOTTOM, TOP - BOTTOM, 0, BOTTOM - TOP)
    # Format 13 of the character map gives one glyph to a whole range of characters.
    many_to_one = struct.pack(">HH6I", 13, 0, 28, 0, 1, 0x20, 0xFFFD, 1)
    bounds = (LEFT, BOTTOM, RIGHT, TOP)
    return _font_file(
        {
            b"cmap": struct.pack(">4HI", 0, 1, 3, 10, 12) + many_to_one,
            b"glyf": glyph,
            b"head": struct.pack(
                ">4I2H2q4h2H3h", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, UNITS_PER_EM, 0, 0, *bounds, 0, 8, 2, 0, 0
            ),
            b"hhea": struct.pack(
                ">I3hH11hH", 0x10000, ASCENT, DESCENT, 0, UNITS_PER_EM, LEFT, LEFT, RIGHT, 1, *[0] * 7, 1
            ),
            b"hmtx": struct.pack(">Hhh", UNITS_PER_EM, LEFT, LEFT),
            b"loca": struct.pack(">3H", 0, 0, len(glyph) // 2),
            b"maxp": struct.pack(">I14H", 0x10000, 2, 4, 1, 0, 0, 1, *[0] * 8),
            b"post": struct.pack(">2I2h5I", 0x30000, 0, 0, 0, 1, 0, 0, 0, 0),
        }
    )


def _font_file(tables: dict[bytes, bytes]) -> bytes:
    """Return a font file of the given tables, with their directory and checksums."""
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    directory = struct.pack(">I4H", 0x10000, count, 16 * power, power.bit_length() - 1, 16 * (count - power))
    body = b""
    for tag, table in sorted(tables.items()):
        padded = table + b"\0" * (-len(table) % 4)
        checksum = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        directory += tag + struct.pack(">3I", checksum, 12 + 16 * count + len(body), len(table))
        body += padded
    return directory + body


@lru_cache(maxsize=1)
def use_box_font() -> Any:
    """Let PDFium take the box for East Asian fonts that are not embedded, and its own fonts for all others.

    PDFium keeps one font mapper a process, so this is done once, before the first document is opened.

    Returns
    -------
    object
        What must stay alive as long as PDFium does.
    """
    font = box_font()
    buffer = ctypes.create_string_buffer(font, len(font))

    def map_font(_this: Any, _weight: int, _italic: int, charset: int, *_rest: Any) -> int:
        return BOX_HANDLE if charset in EAST_ASIAN_CHARSETS else 0

    def get_font_data(_this: Any, _font: Any, table: int, target: Any, size: int) -> int:
        # A table other than 0 asks for a part of the file, such as the index of a collection, which this is not.
        if table:
            return 0
        if target and size >= len(font):
            ctypes.memmove(target, buffer, len(font))
        return len(font)

    callbacks: dict[str, Callable[..., Any]] = {
        "MapFont": map_font,
        "GetFont": lambda _this, _face: 0,
        "GetFontData": get_font_data,
        "GetFaceName": lambda _this, _font, _target, _size: 0,
        "GetFontCharset": lambda _this, _font: EAST_ASIAN_CHARSETS[2],
        "DeleteFont": lambda _this, _font: None,
    }
    mapper = pdfium.FPDF_SYSFONTINFO()
    mapper.version = 1
    types = dict(pdfium.FPDF_SYSFONTINFO._fields_)
    for name, function in callbacks.items():
        setattr(mapper, name, types[name](function))
    pdfium.FPDF_SetSystemFontInfo(ctypes.byref(mapper))
    # PDFium ends after this: whatever is registered last at exit runs first.
    atexit.register(pdfium.FPDF_SetSystemFontInfo, None)
    return mapper, buffer
