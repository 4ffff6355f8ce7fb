"""Characters that stand for others: private-use codes of old Chinese fonts, traditional and simplified forms."""

from __future__ import annotations

from collections.abc import Mapping

# GB 18030-2005 maps these codes of GBK to characters that Unicode got later; older systems wrote private-use ones.
_LATER = {0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7, 0xE832: 0x9FB8, 0xE843: 0x9FB9}
_LATER |= {0xE854: 0x9FBA, 0xE864: 0x9FBB, **{0xE78D + place: 0xFE10 + place for place in range(10)}}


def _old_gbk() -> dict[int, int]:
    """Return the characters of GBK's row FE, which old code pages keep in the private-use area from U+E815 on."""
    trails = [*range(0x50, 0x7F), *range(0x80, 0xA1)]
    decoded = {0xE815 + place: ord(bytes((0xFE, trail)).decode("gb18030")) for place, trail in enumerate(trails)}
    return {code: value for code, value in decoded.items() if not 0xE000 <= value < 0xF900}


RADICALS: Mapping[str, str] = dict(
    zip(
        "⺠⻁⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰",
        "民虎西见角贝车长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙",
        strict=True,
    )
)
"""Radicals of the CJK supplement that fonts print for ideographs; NFKC leaves them as they are."""

PRIVATE_USE: Mapping[int, int] = {**_old_gbk(), **_LATER}
"""Private-use code to the character it stands for."""


def simplified(text: str) -> str:
    """Return a text with each traditional character as the simplified one, character by character.

    Parameters
    ----------
    text : str
        Any text; OpenCC's table of phrases is kept out of it, so that the length stays.

    Returns
    -------
    str
        As long as the text.
    """
    import opencc

    converted = opencc.OpenCC("t2s").convert("\n".join(text)).split("\n")
    return "".join(new if len(new) == 1 else old for old, new in zip(text, converted, strict=True))
