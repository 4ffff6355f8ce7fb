"""Build the model of characters from readable reports and measure how well it tells garbled pages.

    python -m tests.benchmarks.character_model            train and measure, about 4 minutes on one core
    python -m tests.benchmarks.character_model --train    train alone
    python -m tests.benchmarks.character_model --check    train and compare with the packaged model

Training takes all pages of the reports that ``manifest.tsv`` of the shared folder calls readable, and beside them,
for the names and subjects of other firms, the words of jieba's dictionary by their frequency. It writes
``nlp/data/character_model.npz``, the same bytes for the same reports and dictionary. Measuring leaves each firm out in
turn: its pages are judged by a model that never saw them, as they are and corrupted in the ways that occur.
The tables are written to bench-output/character_model.md.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pypdfium2

from nlp.character_model import (
    ASCII,
    ASCII_LIMITS,
    MODEL_FILE,
    NUMERIC,
    PAIR_TABLE_BITS,
    SAME,
    SPACE,
    STEPS_PER_BIT,
    WIDE,
    WIDE_LIMITS,
    CharacterModel,
    Surprise,
    is_garbled,
    pair_slots,
    surprise,
    to_bytes,
)
from nlp.fallback_font import use_box_font
from nlp.folding import PRIVATE_USE, simplified
from nlp.readability import basic_plane, judge_text
from nlp.text_file import split_text
from tests.benchmarks.document import write_parts

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SHUZHI_SHARED", ROOT.parent / "shared"))
ARTEFACT = ROOT / "nlp" / "data" / MODEL_FILE
OUTPUT = ROOT / "bench-output"

SIZE = 0x10000
NUMERIC_MARKS = "0123456789,.%-()+"
# Dots and lines that stand in rows say as little as digits.
LEADERS = "…—–·―─━═"
IDEOGRAPHS = ((0x3400, 0xA000), (0xF900, 0xFB00))
# Radicals printed for ideographs, compatibility ideographs, full-width forms of ASCII.
VARIANTS = ((0x2E80, 0x2FE0), (0xF900, 0xFB00), (0xFF01, 0xFF5F))
# Classes of rare characters and how many characters share each; the unmapped ones share one as a whole.
SPACE_CLASS, IDEOGRAPH, LETTER, UNMAPPED, NUMBER, MARK = range(6)
CLASS_SIZES = np.array([1, 22_000, 20_000, 1, 500, 3_000])
RARE_CHARACTER = 3
RAREST_PAIR = 2
# Absolute discounting (Ney, Essen and Kneser 1994) with a fixed weight of the character by itself.
DISCOUNT = 0.75
SINGLE_WEIGHT = 0.1
# Pairs inside dictionary words count together as this share of the characters of the reports. Without them the most
# surprising page of a firm left out costs 11.7 bits, with them 10.2, and corrupted pages cost as much as before.
WORD_SHARE = 0.6
RAREST_WORD = 3

PSEUDO_PAGE = 1_200
EVERY = 6
SEED = 7


@dataclass(frozen=True)
class Sample:
    """One page of a readable report."""

    file: str
    firm: str
    page: int
    text: str


def readable_pages(reports: Path) -> list[Sample]:
    """Return the pages of all reports that the manifest calls readable, whatever this program says of them."""
    with (reports / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        names = sorted(row["file"] for row in csv.DictReader(file, delimiter="\t") if row["text_ok"] == "yes")
    samples = []
    for name in names:
        firm = name[:7] if name.startswith("HK") else name[:6]
        texts = _pages_of((reports / name).read_bytes(), name.endswith(".txt"))
        samples += [Sample(name, firm, number, text) for number, text in enumerate(texts, start=1)]
    return samples


def _pages_of(data: bytes, is_text: bool) -> list[str]:
    """Return the pages as the first reader gives them; a text file without pages is cut into some."""
    if not is_text:
        use_box_font()
        with pypdfium2.PdfDocument(data) as document:
            return [page.get_textpage().get_text_range(errors="replace") for page in document]
    texts = split_text(data)
    if len(texts) == 1:
        return [texts[0][start : start + PSEUDO_PAGE] for start in range(0, len(texts[0]), PSEUDO_PAGE)]
    return texts


def folded_codes() -> npt.NDArray[np.uint32]:
    """Return for each character the one that stands for it in the model, by Unicode and OpenCC alone."""
    folded = np.arange(SIZE, dtype=np.uint32)
    for code in range(SIZE):
        character = chr(PRIVATE_USE.get(code, code))
        if any(low <= code < high for low, high in VARIANTS):
            character = unicodedata.normalize("NFKC", character)
        character = character.lower()
        if len(character) == 1 and ord(character) < SIZE:
            folded[code] = ord(character)
    folded[ord("0") : ord("9") + 1] = folded[ord("０") : ord("９") + 1] = ord("0")
    ideographs = np.flatnonzero([any(low <= code < high for low, high in IDEOGRAPHS) for code in folded])
    plain = simplified("".join(map(chr, folded[ideographs])))
    folded[ideographs] = [min(ord(character), SIZE - 1) for character in plain]
    return folded


def passed_over() -> npt.NDArray[np.bool_]:
    """Return which characters the model passes over: white space, controls, hyphens at line ends."""
    marks = [chr(code).isspace() or unicodedata.category(chr(code)) in ("Cc", "Cf") for code in range(SIZE)]
    marks[0xFFFE] = True
    return np.array(marks)


def character_classes() -> npt.NDArray[np.uint8]:
    """Return the class of each character, which stands for it where it is rare."""
    by_category = {"L": LETTER, "M": LETTER, "N": NUMBER}
    classes = np.full(SIZE, MARK, dtype=np.uint8)
    for code in range(SIZE):
        category = unicodedata.category(chr(code))
        classes[code] = by_category.get(category[0], MARK)
        if category in ("Co", "Cn", "Cs") or code == 0xFFFD:
            classes[code] = UNMAPPED
        elif any(low <= code < high for low, high in IDEOGRAPHS):
            classes[code] = IDEOGRAPH
    return classes


def dictionary_words() -> list[tuple[str, int]]:
    """Return the words of jieba's dictionary with their frequencies."""
    import jieba

    words = []
    for line in Path(jieba.__file__).with_name("dict.txt").read_text(encoding="utf-8").splitlines():
        word, frequency, _ = line.split(" ")
        if int(frequency) >= RAREST_WORD:
            words.append((word, int(frequency)))
    return words


def train(texts: Sequence[str], words: Sequence[tuple[str, int]]) -> CharacterModel:
    """Return the model of some readable texts and of words by frequency; no pair crosses from one text to the next."""
    folded, is_space = folded_codes(), passed_over()
    kept = [folded[codes[~is_space[codes]]] for codes in map(basic_plane, texts)]
    characters = sum(map(len, kept))
    in_words = [folded[basic_plane(word)] for word, _ in words]
    inside = sum((len(word) - 1) * frequency for word, frequency in words)
    scale = WORD_SHARE * characters / inside if inside else 0.0
    weights = np.concatenate(
        [np.ones(sum(max(0, len(codes) - 1) for codes in kept))]
        + [np.full(len(word) - 1, scale * frequency) for word, frequency in words]
    )
    symbols, in_class = _symbols(np.concatenate([*kept, *in_words]), folded)
    symbols[is_space] = SPACE
    sequences = [symbols[codes] for codes in (*kept, *in_words)]
    first, second = (np.concatenate([codes[cut] for codes in sequences]) for cut in (slice(None, -1), slice(1, None)))
    return _model(symbols, in_class, first, second, weights)


def _symbols(
    codes: npt.NDArray[np.uint32], folded: npt.NDArray[np.uint32]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float64]]:
    """Return the symbol of each character, one of its own where it is common, and how many characters share each."""
    classes = character_classes()
    common = np.flatnonzero((np.bincount(codes, minlength=SIZE) >= RARE_CHARACTER) & (classes != UNMAPPED))
    symbol_of = classes.astype(np.uint16)
    symbol_of[common] = len(CLASS_SIZES) + np.arange(len(common))
    in_class = np.ones(len(CLASS_SIZES) + len(common))
    in_class[: len(CLASS_SIZES)] = CLASS_SIZES
    return symbol_of[folded], in_class


def _model(
    symbols: npt.NDArray[np.uint16],
    in_class: npt.NDArray[np.float64],
    first: npt.NDArray[np.uint16],
    second: npt.NDArray[np.uint16],
    weights: npt.NDArray[np.float64],
) -> CharacterModel:
    """Return the model of weighted pairs of symbols."""
    number = len(in_class)
    before, after = (np.bincount(side, weights=weights, minlength=number) for side in (first, second))
    single = (after + 0.5) / (after.sum() + 0.5 * number) / in_class
    pairs, places = np.unique(first.astype(np.int64) * number + second, return_inverse=True)
    pair_weights = np.bincount(places, weights=weights)
    known = pair_weights >= RAREST_PAIR
    left, right = np.divmod(pairs[known], number)
    share = (pair_weights[known] - DISCOUNT) / before[left] / in_class[right] + SINGLE_WEIGHT * single[right]
    steps = np.clip(np.rint(-np.log2(share) * STEPS_PER_BIT), 1, 255).astype(np.uint8)
    pair_bits = np.zeros(1 << PAIR_TABLE_BITS, dtype=np.uint8)
    # Where two pairs share a slot, the more frequent one is written last and stays.
    order = np.argsort(pair_weights[known], kind="stable")
    pair_bits[pair_slots(left.astype(np.uint16), right.astype(np.uint16))[order]] = steps[order]
    # Two rare characters of a class are what garbled text is made of: no other pair may share their slot.
    rare = np.arange(len(CLASS_SIZES), dtype=np.uint16)
    pair_bits[pair_slots(np.repeat(rare, len(rare)), np.tile(rare, len(rare)))] = 0
    pair_bits[SAME] = 0
    return CharacterModel(symbols, _kinds(symbols, number), (-np.log2(single)).astype(np.float32), pair_bits)


def _kinds(symbols: npt.NDArray[np.uint16], number: int) -> npt.NDArray[np.uint8]:
    kinds = np.full(number, WIDE, dtype=np.uint8)
    kinds[symbols[:0x80]] = ASCII
    kinds[symbols[[ord(mark) for mark in NUMERIC_MARKS + LEADERS]]] = NUMERIC
    kinds[: len(CLASS_SIZES)] = WIDE
    return kinds


# What goes wrong with text, each from the text of a page and the exchanges of its document.

Corruption = Callable[[str, "Exchanges"], str]


@dataclass(frozen=True)
class Exchanges:
    """Character maps of one document that are wrong."""

    any_other: dict[int, int]
    as_frequent: dict[int, int]
    letters: dict[int, int]
    chance: random.Random


def exchanges(texts: Sequence[str], chance: random.Random) -> Exchanges:
    """Return maps that exchange the Chinese characters of a document, and the letters of the alphabet."""
    counts = Counter(character for text in texts for character in text if "\u3400" <= character <= "\u9fff")
    characters = sorted(counts)
    others = chance.sample(characters, len(characters))
    ranked = sorted(characters, key=lambda character: -counts[character])
    groups = [ranked[start : start + 8] for start in range(0, len(ranked), 8)]
    turned = [character for group in groups for character in group[1:] + group[:1]]
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    shuffled = "".join(chance.sample(alphabet, 26))
    return Exchanges(
        _by_code(characters, others),
        _by_code(ranked, turned),
        str.maketrans(alphabet + alphabet.upper(), shuffled + shuffled.upper()),
        chance,
    )


def _by_code(before: Sequence[str], after: Sequence[str]) -> dict[int, int]:
    return {ord(old): ord(new) for old, new in zip(before, after, strict=True)}


def _shifted(by: int) -> Corruption:
    table = {0x4E00 + place: 0x4E00 + (place + by) % 20_902 for place in range(20_902)}
    return lambda text, _: text.translate(table)


def _exchanged_in_part(share: float) -> Corruption:
    def corrupt(text: str, maps: Exchanges) -> str:
        return "".join(
            character.translate(maps.any_other) if maps.chance.random() < share else character for character in text
        )

    return corrupt


def _read_as(written: str, read: str) -> Corruption:
    return lambda text, _: text.encode(written, "ignore").decode(read, "replace")


def _with_each(replacement: Callable[[str], str], only_chinese: bool = False) -> Corruption:
    return lambda text, _: "".join(
        replacement(character)
        if ("\u4e00" <= character <= "\u9fff" if only_chinese else not character.isspace())
        else character
        for character in text
    )


def _twice_wrong(text: str, _: Exchanges) -> str:
    return text.encode("gb18030").decode("utf-8", "replace").encode("utf-8").decode("gb18030", "replace")


CORRUPTIONS: dict[str, Corruption] = {
    "characters in random order": lambda text, maps: "".join(maps.chance.sample(text, len(text))),
    "text backwards": lambda text, _: text[::-1],
    "map shifted by 1": _shifted(1),
    "map shifted by 29": _shifted(29),
    "map exchanged at random": lambda text, maps: text.translate(maps.any_other),
    "map exchanged among equally frequent": lambda text, maps: text.translate(maps.as_frequent),
    "half of the characters exchanged": _exchanged_in_part(0.5),
    "30 % of the characters exchanged": _exchanged_in_part(0.3),
    "GBK read as Latin-1": _read_as("gb18030", "latin-1"),
    "UTF-8 read as Latin-1": _read_as("utf-8", "latin-1"),
    "UTF-8 read as GBK": _read_as("utf-8", "gb18030"),
    "GBK read as UTF-8": _read_as("gb18030", "utf-8"),
    "GBK read as Big5": _read_as("gb18030", "big5"),
    "Big5 read as GBK": _read_as("big5", "gb18030"),
    "GBK as UTF-8 as GBK": _twice_wrong,
    "each Chinese character the same": _with_each(lambda _: "的", only_chinese=True),
    "each character a box": _with_each(lambda _: "■"),
    "(cid:n)": _with_each(lambda character: f"(cid:{ord(character) % 9999})"),
    "letters exchanged": lambda text, maps: text.translate(maps.letters),
}
IN_PART = ("half of the characters exchanged", "30 % of the characters exchanged")
IN_ANOTHER_ORDER = ("characters in random order", "text backwards")


def changed_share(text: str, corrupted: str) -> float:
    """Return the share of visible characters of a page that a corruption took away."""
    before, after = (Counter(character for character in each if not character.isspace()) for each in (text, corrupted))
    return 1 - (before & after).total() / max(1, before.total())


@dataclass
class Measured:
    """Surprises of many pages, and how many of them are judged garbled."""

    wide: list[Surprise]
    ascii: list[Surprise]
    pages: int = 0
    garbled: int = 0

    def add(self, text: str, model: CharacterModel) -> bool:
        """Judge one page as the reader would, with this model; returns whether it is garbled."""
        codes = basic_plane(text)
        wide, ascii_words = surprise(codes, model)
        self.wide += [wide] if wide.pairs >= WIDE_LIMITS.pairs else []
        self.ascii += [ascii_words] if ascii_words.pairs >= ASCII_LIMITS.pairs else []
        garbled = is_garbled(codes, model)[0] or judge_text(text, model) == "garbled"
        self.pages += 1
        self.garbled += garbled
        return garbled


def language(text: str) -> str:
    """Return what a page is written in, by its characters."""
    chinese = [character for character in text if "\u3400" <= character <= "\u9fff"]
    letters = sum(character.isascii() and character.isalpha() for character in text)
    if not chinese or letters > 8 * len(chinese):
        return "English"
    if letters > len(chinese):
        return "two languages"
    converted = simplified("".join(chinese))
    changed = sum(old != new for old, new in zip(chinese, converted, strict=True))
    return "traditional" if changed > 0.1 * len(chinese) else "simplified"


def leave_firms_out(samples: Sequence[Sample]) -> Iterator[tuple[CharacterModel, list[Sample]]]:
    """Give for each firm a model of all others and the firm's own pages."""
    words = dictionary_words()
    for firm in sorted({sample.firm for sample in samples}):
        others = [sample.text for sample in samples if sample.firm != firm]
        yield train(others, words), [sample for sample in samples if sample.firm == firm]


def measure(samples: Sequence[Sample]) -> tuple[dict[str, Measured], dict[str, Measured], list[str]]:
    """Return the measurements of readable pages by language, of each corruption, and the pages that went wrong."""
    chance = random.Random(SEED)
    maps = {
        name: exchanges([sample.text for sample in samples if sample.file == name], chance)
        for name in sorted({sample.file for sample in samples})
    }
    readable: dict[str, Measured] = {}
    corrupted = {name: Measured([], []) for name in CORRUPTIONS}
    wrong = []
    for model, own in leave_firms_out(samples):
        for place, sample in enumerate(own):
            if readable.setdefault(language(sample.text), Measured([], [])).add(sample.text, model):
                wrong.append(f"{sample.file} page {sample.page}")
            if place % EVERY:
                continue
            for name, corrupt in CORRUPTIONS.items():
                text = corrupt(sample.text, maps[sample.file])
                least = 0.1 if name in IN_PART else 0.0 if name in IN_ANOTHER_ORDER else 0.3
                visible = sum(not character.isspace() for character in text)
                if visible >= 100 and changed_share(sample.text, text) >= least:
                    corrupted[name].add(text, model)
    return readable, corrupted, wrong


def table(rows: dict[str, Measured], which: str) -> list[str]:
    """Return a table of percentiles of one kind of pairs."""
    lines = [
        f"| {which} pairs | pages | bits: least, 1 %, median, 99 %, most | disorder: the same | garbled |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, row in rows.items():
        values = row.wide if which == "wide" else row.ascii
        if values:
            bits, disorder = (
                ", ".join(f"{value:.1f}" for value in np.percentile(numbers, [0, 1, 50, 99, 100]))
                for numbers in ([each.bits for each in values], [each.disorder for each in values])
            )
            lines.append(
                f"| {name} | {len(values)} | {bits} | {disorder} | {row.garbled} of {row.pages}"
                f" ({row.garbled / row.pages:.1%}) |"
            )
    return lines


def summary(readable: dict[str, Measured], corrupted: dict[str, Measured]) -> str:
    """Return how many pages of each kind are judged garbled."""
    lines = ["| pages | judged garbled |", "| --- | --- |"]
    rows = {**{f"readable, {name}": row for name, row in readable.items()}, **corrupted}
    lines += [
        f"| {name} | {row.garbled:,} of {row.pages:,} ({row.garbled / row.pages:.1%}) |" for name, row in rows.items()
    ]
    return "\n".join(lines)


def judging_time(samples: Sequence[Sample], model: CharacterModel) -> str:
    """Return how long judging takes a page and 1,000 characters."""
    texts = [sample.text for sample in samples][:2_000]
    for text in texts[:100]:
        judge_text(text, model)
    started = time.process_time()
    for text in texts:
        judge_text(text, model)
    seconds = time.process_time() - started
    characters = sum(map(len, texts))
    return f"{1e3 * seconds / len(texts):.3f} ms a page, {1e6 * seconds / characters:.3f} ms for 1,000 characters"


def main() -> None:
    """Train, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", action="store_true", help="do not measure")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the packaged model differs")
    options = parser.parse_args()
    if not SHARED.is_dir():
        sys.exit(f"the shared folder with real reports is not at {SHARED}; name it with SHUZHI_SHARED")
    samples = readable_pages(SHARED / "reports")
    model = train([sample.text for sample in samples], dictionary_words())
    data = to_bytes(model)
    if options.check:
        sys.exit(0 if data == ARTEFACT.read_bytes() else f"{ARTEFACT.name} differs from what these reports give")
    ARTEFACT.parent.mkdir(exist_ok=True)
    ARTEFACT.write_bytes(data)
    firms, characters = len({sample.firm for sample in samples}), sum(len(sample.text) for sample in samples)
    lines = [
        f"{ARTEFACT.name}: {len(data):,} bytes, {len(model.single_bits):,} symbols,"
        f" {int(np.count_nonzero(model.pair_bits)):,} pairs, from {len(samples):,} pages of {firms} firms,"
        f" {characters:,} characters",
        f"judging: {judging_time(samples, model)}",
    ]
    if not options.train:
        readable, corrupted, wrong = measure(samples)
        for which in ("wide", "ASCII"):
            lines += ["", *table({**{f"readable, {name}": row for name, row in readable.items()}, **corrupted}, which)]
        lines += ["", f"readable pages judged garbled: {len(wrong)} {', '.join(wrong)}"]
        OUTPUT.mkdir(exist_ok=True)
        (OUTPUT / "character_model.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        write_parts({"readability": summary(readable, corrupted)})
    print("\n".join(lines))


if __name__ == "__main__":
    main()
