"""Text files with odd encodings, odd characters, odd lines and odd JSON."""

import json
import random

from tests.fuzz.bases import Bases

ODD_CHARACTERS = (
    "\x01\x07\x08\x0b\x0c\x1b\x1f\x7f\x85\xa0\xad\u200b\u200d\u202e\u2028\u2066\ufeff\ufffd\uffff\ue000\U0001f600"
    "\u0300\U000e0041\U0010ffff"
)
ODD_LINES = (
    "第一节 重要提示",
    "第四节 董事会报告 .......... 12",
    "第四节 管理层讨论与分析",
    "目录",
    "股票代码：=1+1",
    "公司名称：<script>alert(1)</script>有限公司",
    "股票代码：../../../etc/passwd",
    "一、（一）1、(1)①",
    "2020年年度报告" * 20,
    "人工智能大数据云计算区块链",
    "1,234,567.89 " * 30,
    "............" * 30,
    "（" * 200,
    " " * 500,
)


def _text(draw: random.Random, bases: Bases) -> str:
    raw = bases.text(draw)
    try:
        return raw[: len(raw) // 3 * 3].decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")


def odd_encoding(draw: random.Random, bases: Bases) -> bytes:
    """Write a text in another encoding, with a wrong mark, cut inside a character, or in two encodings."""
    text = _text(draw, bases)
    encoded = {
        name: text.encode(name, "replace") for name in ("utf-8", "gb18030", "big5", "utf-16", "utf-16-le", "utf-32")
    }
    chosen = encoded[draw.choice(list(encoded))]
    return draw.choice(
        [
            chosen,
            chosen[: draw.randrange(1, len(chosen))],
            b"\xef\xbb\xbf" + chosen,
            b"\xff\xfe" + chosen,
            b"\xfe\xff" + chosen[:-1],
            encoded["utf-8"] + encoded["gb18030"],
            bytes(byte ^ 0x80 for byte in encoded["utf-8"]),
            "\ud800\udc00\udfff".encode("utf-8", "surrogatepass") + chosen,
            b"\xff" * 1000 + chosen,
            draw.randbytes(50_000),
        ]
    )


def damaged_text(draw: random.Random, bases: Bases) -> bytes:
    """Overwrite, cut or repeat the bytes or the characters of a text."""
    if draw.random() < 0.5:
        characters = list(_text(draw, bases))
        for _ in range(draw.choice([1, 20, 5000])):
            characters[draw.randrange(len(characters))] = chr(draw.choice([0, 32, 10, draw.randrange(0xD800)]))
        return "".join(characters * draw.choice([1, 1, 20])).encode("utf-8")
    data = bytearray(bases.text(draw))
    for _ in range(draw.choice([1, 20, 500])):
        data[draw.randrange(len(data))] = draw.randrange(256)
    return bytes(data * draw.choice([1, 1, 20]))[: draw.randrange(1, 20 * len(data))]


def odd_characters(draw: random.Random, bases: Bases) -> bytes:
    """Strew control, private, combining and direction characters over a text."""
    text = list(_text(draw, bases))
    for _ in range(draw.choice([1, 50, 5000])):
        text[draw.randrange(len(text))] = draw.choice(ODD_CHARACTERS) * draw.choice([1, 1, 1, 9])
    return "".join(text).encode("utf-8", "replace")


def gigantic_line(draw: random.Random, bases: Bases) -> bytes:
    """Write one line of many megabytes, or many megabytes of one thing."""
    size = draw.choice([300_000, 2_000_000, 5_000_000, 10_000_000, 60_000_000])
    unit = draw.choice(
        [
            "人工智能",
            "人工智能和大数据，",
            "数字化转型。\n",
            "数",
            "a",
            " ",
            "。",
            "1",
            "\n",
            "\f",
            "\t",
            "年报。\n",
            "第一节",
            "（",
            "一二三",
        ]
    )
    return (unit * (size // len(unit))).encode("utf-8")


def odd_lines(draw: random.Random, bases: Bases) -> bytes:
    """Repeat headings, contents lines, codes and figures by the thousand."""
    lines = [draw.choice(ODD_LINES) for _ in range(draw.choice([1, 3, len(ODD_LINES)]))]
    count = draw.choice([100, 5_000, 60_000])
    breaks = draw.choice(["\n", "\n", "\r\n", "\f", "", "\n\n\n"])
    text = _text(draw, bases)[:2000]
    return (text + breaks.join(draw.choice(lines) for _ in range(count))).encode("utf-8", "replace")


def odd_json_lines(draw: random.Random, bases: Bases) -> bytes:
    """Break the rules of a FinGLM file: page numbers, types, depth, and lines that are no JSON."""
    lines = bases.json_lines.split(b"\n")
    values: list[bytes] = [
        *(b"%d" % number for number in (10**12, 10**7, 10**5, 4999, 400, 7, 2**63, 0, -3)),
        *(b"1e400", b"NaN", b"1.5", b'"7"', b"true", b"null", b"[1]", b"{}", b"9" * 5000, b"[" * 100_000),
    ]
    for _ in range(draw.choice([1, 5])):
        place = draw.randrange(len(lines))
        page = draw.choice(values)
        inside = draw.choice(['"人工智能"', "null", "7", '"\\ud800"', '"\\u0000"', '"' + "x" * 1_000_000 + '"', "[]"])
        lines[place] = draw.choice(
            [
                b'{"page": %s, "allrow": 1, "type": "text", "inside": %s}' % (page, inside.encode("utf-8")),
                b'{"page": %s}' % page,
                b'{"page": 1, "inside": "a", "x": %s1%s}' % (b'{"a":' * 100_000, b"}" * 100_000),
                b"[1, 2]",
                b'{"page": 1',
                json.dumps({"page": 1, "inside": "a" * 100}).encode("utf-16"),
            ]
        )
    first = b"" if draw.random() < 0.3 else b'{"page": 1, "inside": "a"}\n'
    return first + b"\n".join(lines * draw.choice([1, 1, 30]))
