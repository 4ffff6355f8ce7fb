"""PDF files written by hand to use up time, memory or the stack of whoever reads them."""

import random
import zlib

from tests.fuzz.bases import Bases
from tests.fuzz.raw_pdf import bomb, deflated, file_of, one_page, references, stream, written

SIZES = (5, 50, 150, 300, 1500, 4000)


def content_bomb(draw: random.Random, bases: Bases) -> bytes:
    """Let the content of a page inflate to gigabytes: blanks, graphics or text; also compressed twice."""
    unit = draw.choice([b" ", bytes(64), b"q ", b"0 0 m ", b"BT /F1 9 Tf (text) Tj ET ", b"(", b"[", b"<<"])
    packed = bomb(unit, draw.choice(SIZES))
    if draw.random() < 0.4:
        return file_of(one_page(stream(zlib.compress(packed, 9), b"/Filter[/FlateDecode/FlateDecode]")))
    return file_of(one_page(stream(packed, b"/Filter/FlateDecode")))


def other_filters(draw: random.Random, bases: Bases) -> bytes:
    """Use the other filters to inflate, or chains of filters, or predictors with senseless parameters."""
    run = draw.choice([b"\x81 ", b"\x81q"]) * draw.choice([10_000, 2_000_000])
    number = draw.choice([0, -1, 2**20, 2**31 - 1, 10**15])
    chain = b"/FlateDecode" * draw.choice([2, 50, 5000])
    parameters = b"/DecodeParms<</Predictor %d/Columns %d/Colors %d/BitsPerComponent %d>>"
    return file_of(
        one_page(
            draw.choice(
                [
                    stream(run + b"\x80", b"/Filter/RunLengthDecode"),
                    stream(zlib.compress(run), b"/Filter[/FlateDecode/RunLengthDecode]"),
                    stream(b"z" * draw.choice([1000, 20_000_000]), b"/Filter/ASCII85Decode"),
                    stream(draw.randbytes(100_000), b"/Filter/LZWDecode"),
                    stream(zlib.compress(b"q " * 1000), b"/Filter[%s]" % chain),
                    deflated(b" " * 100_000, parameters % (draw.choice([2, 12, 15, 99]), number, number, number)),
                    stream(b"00" * 1_000_000, b"/Filter/ASCIIHexDecode"),
                    stream(draw.randbytes(5000), b"/Filter/%s" % draw.choice([b"JBIG2Decode", b"JPXDecode", b"Crypt"])),
                ]
            )
        )
    )


def object_stream_bomb(draw: random.Random, bases: Bases) -> bytes:
    """Hide the objects, or the cross-reference table, in a stream that inflates to gigabytes."""
    size = draw.choice(SIZES)
    if draw.random() < 0.5:
        packed = bomb(b" ", size, b"2 0 10 30 <</Type/Pages/Kids[]/Count 0>>")
        body = stream(packed, b"/Filter/FlateDecode/Type/ObjStm/N %d/First 10" % draw.choice([2, 10**6, 2**31 - 1]))
        return file_of({1: b"<</Type/Catalog/Pages 2 0 R>>", 9: body}).replace(b"/Root", b"/XRefStm 15/Root")
    head = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    width = draw.choice([b"1 2 1", b"1 8 1", b"0 0 0", b"4 4 4", b"-1 2 2", b"2147483647 1 1"])
    entries = b"/Type/XRef/W[%s]/Index[0 %d]/Size %d/Root 1 0 R/Filter/FlateDecode"
    count = draw.choice([3, 10**6, 2**31 - 1])
    body = stream(bomb(bytes(16), size), entries % (width, count, count))
    return head + b"7 0 obj\n" + body + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(head)


def table_bomb(draw: random.Random, bases: Bases) -> bytes:
    """Give a font a character map, an encoding or a font program that inflates to gigabytes."""
    unit = draw.choice([b"<0041> <4E00>\n", b"100 beginbfchar\n<01> <0041>\nendbfchar\n", b" ", bytes(16)])
    if draw.random() < 0.4:
        wide = b"begincmap\n1 begincodespacerange <00000000> <FFFFFFFF> endcodespacerange\n"
        many = b"1 beginbfrange <00000000> <%s> <4E00> endbfrange\n" % draw.choice([b"7FFFFFFF", b"00FFFFFF", b"FFFF"])
        table = deflated(wide + many * draw.choice([1, 1000]) + b"endcmap")
    else:
        table = stream(bomb(unit, draw.choice(SIZES), b"begincmap\n"), b"/Filter/FlateDecode")
    key = draw.choice([b"/ToUnicode 10 0 R", b"/Encoding 10 0 R", b"/FontDescriptor 12 0 R"])
    font = b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[11 0 R]%s>>" % key
    child = b"<</Type/Font/Subtype/CIDFontType2/BaseFont/A/FontDescriptor 12 0 R/CIDSystemInfo<<>>%s>>"
    widths = draw.choice([b"", b"/W[0 2147483647 500]", b"/W[%s]" % (b"1[500] " * 200_000), b"/DW -99999999999"])
    descriptor = b"<</Type/FontDescriptor/FontName/A/Flags 4/FontFile2 10 0 R/FontBBox[0 0 1 1]>>"
    objects = one_page(written(b"ABCDEF" * 50), more={10: table, 11: child % widths, 12: descriptor})
    return file_of({**objects, 5: font})


def picture_bomb(draw: random.Random, bases: Bases) -> bytes:
    """Draw a picture of senseless size, or the same one many times."""
    side = draw.choice([1, 30_000, 2**31 - 1, -5])
    coded = draw.choice([stream(bomb(bytes(64), draw.choice(SIZES))), stream(draw.randbytes(2000))])
    filters = draw.choice([b"/FlateDecode", b"/DCTDecode", b"/CCITTFaxDecode", b"/JPXDecode", b"/JBIG2Decode"])
    entries = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB/Filter%s"
    body = coded.replace(b"<<", b"<<" + entries % (side, side, filters), 1)
    content = b"q 595 0 0 842 0 0 cm /X Do Q " * draw.choice([1, 1000, 300_000])
    return file_of(one_page(deflated(content), resources=b"/XObject<</X 10 0 R>>", more={10: body}))


def nested_forms(draw: random.Random, bases: Bases) -> bytes:
    """Let a form draw itself, or each form draw the next one twice."""
    entries = b"/Type/XObject/Subtype/Form/BBox[0 0 600 900]/Resources<</Font<</F1 5 0 R>>/XObject<</X %d 0 R>>>>"
    levels = draw.choice([1, 10, 18, 25, 60])
    text = b"BT /F1 9 Tf (text) Tj ET " * draw.choice([0, 1, 20])
    forms = {10 + level: stream(b"/X Do " * 2 + text, entries % (11 + level)) for level in range(levels)}
    forms[10 + levels] = stream(text, entries % draw.choice([10, 10 + levels]))
    return file_of(one_page(stream(b"/X Do"), resources=b"/XObject<</X 10 0 R>>", more=forms))


def deep_nesting(draw: random.Random, bases: Bases) -> bytes:
    """Nest arrays, dictionaries, graphics states or pages tens of thousands deep."""
    depth = draw.choice([100, 5000, 100_000, 2_000_000])
    way = draw.choice(["array", "dictionary", "content array", "states", "marks", "pages", "outlines"])
    if way == "array":
        return file_of(one_page(written(b"deep"), page=b"/MediaBox[0 0 9 9]/X" + b"[" * depth + b"]" * depth))
    if way == "dictionary":
        return file_of(one_page(written(b"deep"), page=b"/MediaBox[0 0 9 9]" + b"/X<<" * depth + b">>" * depth))
    if way == "content array":
        return file_of(one_page(deflated(b"[" * depth + b"]" * depth + b" TJ")))
    if way == "states":
        return file_of(one_page(deflated(b"q " * depth + b"BT /F1 9 Tf (deep) Tj ET")))
    if way == "marks":
        return file_of(one_page(deflated(b"/P<</MCID 0>>BDC " * depth + b"BT /F1 9 Tf (deep) Tj ET")))
    depth = min(depth, 100_000)
    objects = one_page(written(b"deep"))
    if way == "pages":
        for level in range(depth):
            entry = b"<</Type/Pages/Parent %d 0 R/Kids[%d 0 R]/Count 1>>"
            objects[10 + level] = entry % (9 + level if level else 2, 11 + level if level < depth - 1 else 3)
        objects[2] = b"<</Type/Pages/Kids[10 0 R]/Count 1>>"
        return file_of(objects)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/Outlines 10 0 R>>"
    objects |= {10 + level: b"<</First %d 0 R/Next 10 0 R>>" % (11 + level) for level in range(depth)}
    return file_of(objects)


def many_pages(draw: random.Random, bases: Bases) -> bytes:
    """Claim or hold a great many pages: the same one named a million times, or empty ones of their own."""
    count = draw.choice([2_000, 20_000, 300_000, 1_000_000])
    objects = one_page(draw.choice([written(b"page"), stream(b"")]))
    if draw.random() < 0.5:
        objects[2] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b"3 0 R " * count, count)
        return file_of(objects)
    if draw.random() < 0.3:
        claimed = draw.choice([10**6, 2**31 - 1, 2**32, 10**12, -5])
        objects[2] = b"<</Type/Pages/Kids[3 0 R]/Count %d>>" % claimed
        return file_of(objects)
    count = min(count, 50_000)
    objects |= {10 + number: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>" for number in range(count)}
    objects[2] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (references(range(10, 10 + count)), count)
    return file_of(objects)


def crowded_page(draw: random.Random, bases: Bases) -> bytes:
    """Crowd one page with characters, lines or text objects, many of them at the same place."""
    count = draw.choice([20_000, 300_000, 3_000_000])
    unit = draw.choice(
        [
            b"(A) Tj ",
            b"(AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA) Tj ",
            b"1 0 Td (A) Tj ",
            b"[(A) -9999 (B)] TJ ",
            b"ET BT /F1 9 Tf 1 1 Td (A) Tj ",
            b"ET 0 0 m 9 9 l S BT /F1 9 Tf ",
            b"ET BI /W 1 /H 1 /BPC 8 /CS /G ID x EI BT /F1 9 Tf ",
        ]
    )
    return file_of(one_page(deflated(b"BT /F1 9 Tf 50 700 Td " + unit * count + b"ET")))


def odd_objects(draw: random.Random, bases: Bases) -> bytes:
    """Make objects that are their own length, parent or content, or a catalog that is none."""
    objects = one_page(written(b"odd"))
    number = draw.choice([1, 2, 3, 4, 5])
    objects[number] = draw.choice(
        [
            b"%d 0 R" % number,
            b"null",
            b"[%d 0 R]" % number,
            b"<</Length %d 0 R>>\nstream\nabc\nendstream" % number,
            b"<</Type/Page/Parent 3 0 R/Contents[%s]>>" % (b"4 0 R " * draw.choice([10, 100_000])),
            b"<</Type/Pages/Kids 2 0 R/Count 2 0 R>>",
            stream(b"q", length=draw.choice([-1, 2**31 - 1, 10**15])),
            b"(" + b"a" * 5_000_000 + b")",
            b"(" * 100_000,
            b"/" + b"#41" * 1_000_000,
            b"9" * 1_000_000,
        ]
    )
    return file_of(objects)
