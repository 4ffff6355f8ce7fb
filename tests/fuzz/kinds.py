"""All kinds of mutation, how often each comes, and how one is made from its number and the seed."""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import damage, hostile, structure, texts
from tests.fuzz.bases import Bases
from tests.fuzz.places import PLACES, Placed

Make = Callable[[random.Random, Bases], bytes]

DAMAGE: tuple[Make, ...] = (
    damage.flipped_bits, damage.overwritten, damage.cut_off, damage.blocks_moved, damage.junk_around, damage.joined,
    damage.broken_xref, damage.xref_loop, damage.extreme_numbers, damage.other_keywords,
)  # fmt: skip
STRUCTURE: tuple[Make, ...] = (
    structure.swapped_objects, structure.missing_objects, structure.other_references, structure.without_tounicode,
    structure.exchanged_tounicode, structure.damaged_streams, structure.inflated_stream, structure.looped_page_tree,
    structure.repeated_pages, structure.odd_page_size, structure.odd_encryption, structure.odd_metadata,
    structure.attached_actions,
)  # fmt: skip
HOSTILE: tuple[Make, ...] = (
    hostile.content_bomb, hostile.other_filters, hostile.object_stream_bomb, hostile.table_bomb, hostile.picture_bomb,
    hostile.nested_forms, hostile.deep_nesting, hostile.many_pages, hostile.crowded_page, hostile.odd_objects,
)  # fmt: skip
TEXTS: tuple[Make, ...] = (
    texts.odd_encoding, texts.damaged_text, texts.odd_characters, texts.gigantic_line, texts.odd_lines,
    texts.odd_json_lines,
)  # fmt: skip
# How often the kinds of each family come in one turn.
TURN = {DAMAGE: 12, STRUCTURE: 7, HOSTILE: 3, TEXTS: 6}
PLACES_IN_A_TURN = 3


@dataclass(frozen=True)
class Kind:
    """One kind of mutation; what it makes is either the bytes of a file or a whole arrangement of files."""

    name: str
    suffix: str = ".pdf"
    make: Make | None = None


def all_kinds() -> list[Kind]:
    """Return the kinds of one turn, each as often as it comes in it, well mixed."""
    turn = [
        Kind(make.__name__, ".txt" if makes is TEXTS else ".pdf", make)
        for makes, times in TURN.items()
        for make in makes
        for _ in range(times)
    ]
    turn += [Kind(name) for name in PLACES for _ in range(PLACES_IN_A_TURN)]
    random.Random(0).shuffle(turn)
    return turn


def kinds_of(count: int) -> list[Kind]:
    """Return the kinds of the first mutations, in order."""
    return list(itertools.islice(itertools.cycle(all_kinds()), count))


def lay(kind: Kind, seed: int, number: int, bases: Bases, reports: Path) -> Placed:
    """Make one mutation in a folder of its own; the same seed and number make the same files."""
    draw = random.Random(f"{seed}-{number}-{kind.name}")
    is_late = kind.name in ("vanishing", "changing", "vanishing_twin", "becoming_a_pipe")
    # Files that change while the run reads must not be read at once, so they come last.
    folder = reports / f"{'z' if is_late else ''}{number:05d}"
    folder.mkdir(parents=True)
    if kind.make is None:
        return PLACES[kind.name](draw, bases, folder, number, kind.name)
    path = folder / f"{kind.name}{kind.suffix}"
    path.write_bytes(kind.make(draw, bases))
    return Placed(number, kind.name, path)
