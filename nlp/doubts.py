"""What speaks against a section: checks of its line, its neighbours, the contents, its length and its place."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher

from nlp.chains import ALIKE, MARGIN
from nlp.contents import Contents
from nlp.headings import EXPLICIT_STYLES, Heading
from nlp.layout import Layout
from nlp.section_titles import SectionKind

# What a failed check leaves of the confidence. Below one half a boundary is doubtful.
DOUBTFUL = 0.45
WEAKENED = 0.8
FEWEST_SECTIONS = 4
LONGEST_SHARE = 0.7
# With a smaller share of the contents' titles the headings found are likely those of inner units.
FEWEST_LISTED_SHARE = 0.3
LONGEST_CLOSING_SHARE = 0.2
SHORTEST_DISCUSSION = 400
# Pages that single entries of a contents page are off where the heading stands at the foot of a page.
OFF_AT_MOST = 1
# Kinds that come in this order in every form of report seen; others move about.
ORDER: dict[SectionKind, int] = {
    "important_notice": 0,
    "company_profile": 1,
    "business_overview": 2,
    "mda": 2,
    "directors_report": 2,
    "significant_events": 2,
    "financial_report": 3,
}

# What comes after the discussion in reports without section numbers; other titles could be those of its parts.
AFTER: frozenset[SectionKind] = frozenset(
    {
        *("significant_events", "governance", "shares", "directors", "directors_report", "supervisors_report"),
        *("social_responsibility", "preferred_shares", "bonds", "convertible_bonds", "financial_report"),
    }
)

# A factor on the confidence, and what failed in words.
Doubt = tuple[float, str]


def find_doubts(layout: Layout, chain: list[Heading], rivals: list[Heading], contents: Contents) -> list[list[Doubt]]:
    """Return for each heading what its own line, its neighbours and the contents say against it."""
    doubts: list[list[Doubt]] = [_line_doubts(heading, contents) for heading in chain]
    if not chain:
        return doubts
    pages_off = confirmed_pages(layout, chain, contents)
    last_numbered = max(place for place, heading in enumerate(chain) if heading.style == chain[0].style)
    if not contents.entries and chain[0].style != "none" and chain[0].number > 1:
        doubts[0].append((WEAKENED, f"the {chain[0].number - 1} sections before are missing"))
    if sum(heading.in_contents for heading in chain) < FEWEST_LISTED_SHARE * len(contents.entries):
        for found in doubts:
            found.append((DOUBTFUL, "hardly any title of the contents was found"))
    for place, heading in enumerate(chain):
        for words, words_before in _boundary_doubts(layout, chain, rivals, place, pages_off):
            doubts[place].append((DOUBTFUL, words))
            if place:
                doubts[place - 1].append((DOUBTFUL, words_before))
        if place + 1 < len(chain):
            doubts[place] += _next_doubts(heading, chain[place + 1])
        if place == last_numbered and _goes_on(layout, rivals, chain[0], heading, bool(contents.entries)):
            doubts[place].append((DOUBTFUL, "more headings follow, so the end may be too late"))
    for place, title in _missing(chain, contents):
        words = f"the contents list {title}, which was not found, so the end may be too late"
        if place >= 0 and not any("is missing" in text for _, text in doubts[place]):
            doubts[place].append((DOUBTFUL, words))
    return doubts


def _boundary_doubts(
    layout: Layout, chain: list[Heading], rivals: list[Heading], place: int, pages_off: dict[int, int]
) -> Iterator[tuple[str, str]]:
    """Yield what makes the place of a heading doubtful: in words for its section, and for the one that ends there."""
    heading = chain[place]
    if "mention" in heading.flags:
        yield "the line may be a cross reference", "the line where it ends may be a cross reference"
    if "running" in heading.flags:
        yield "the line is a running header", "the end is where a running header changes"
    elif abs(pages_off.get(place, 0)) > OFF_AT_MOST and "top" not in heading.flags:
        words = "the contents give another page for what follows"
        yield "the line is not atop its page and the contents give another page", words
    if _has_rival(layout, chain, rivals, place, pages_off):
        yield "another line could be the heading", "another line could be the end"


def _next_doubts(heading: Heading, following: Heading) -> Iterator[Doubt]:
    """Yield what the next heading says against the end of a section."""
    if heading.style == "none" and heading.kind == "mda" and following.kind not in AFTER:
        yield DOUBTFUL, "what follows could be a part of it, as no numbers tell"
    if following.style != heading.style:
        return
    if following.number > heading.number + 1:
        yield DOUBTFUL, f"number {heading.number + 1} is missing, so the end may be too late"
    if following.number == heading.number:
        yield WEAKENED, "the next section has the same number"


def _goes_on(layout: Layout, rivals: list[Heading], first: Heading, last: Heading, has_contents: bool) -> bool:
    """Tell whether a line after the last heading begins the numbering again, or goes on with it atop a page."""
    low = bisect_right(rivals, last.end, key=lambda heading: heading.start)
    for rival in rivals[low:]:
        if rival.style != last.style or "mention" in rival.flags:
            continue
        is_again = rival.number == 1 and rival.is_named
        is_again = is_again and (rival.style in EXPLICIT_STYLES or rival.key == first.key)
        is_next = rival.number == last.number + 1 and not has_contents
        if is_again or (is_next and layout.is_page_top(rival.start)):
            return True
    return False


def _line_doubts(heading: Heading, contents: Contents) -> list[Doubt]:
    doubts: list[Doubt] = []
    if contents.entries and not heading.in_contents and heading.style != "appendix":
        doubts.append((WEAKENED, "the title is not on the contents page"))
    if not contents.entries:
        doubts.append((0.9, "no contents page was found"))
    if not heading.is_named:
        doubts.append((WEAKENED, "the title is not a usual one"))
    if "unnumbered" in heading.flags:
        doubts.append((WEAKENED, "the heading has no number"))
    return doubts


def _has_rival(
    layout: Layout, chain: list[Heading], rivals: list[Heading], place: int, pages_off: dict[int, int]
) -> bool:
    """Tell whether another line between the neighbours fits nearly as well."""
    chosen = chain[place]
    after = chain[place - 1].end if place else -1
    before = chain[place + 1].start if place + 1 < len(chain) else None
    first = bisect_left(rivals, chain[0].start, key=lambda heading: heading.start)
    low = bisect_right(rivals, after, key=lambda heading: heading.start)
    for number, rival in enumerate(rivals):
        if number >= first and (number < low or (before is not None and rival.start >= before)):
            continue
        is_other = rival.number == chosen.number and rival.start != chosen.start and rival.style == chosen.style
        if is_other and _rivals(rival, chosen) and not _is_elsewhere(layout, rival, chosen, pages_off.get(place) == 0):
            return True
    return False


def _rivals(rival: Heading, chosen: Heading) -> bool:
    """Tell whether as much speaks for another line, or whether it is the same title misread atop a page."""
    if rival.is_named:
        return rival.score > chosen.score - MARGIN
    is_misread = rival.style in EXPLICIT_STYLES and "top" in rival.flags and "top" not in chosen.flags
    return is_misread and SequenceMatcher(None, rival.key, chosen.key, autojunk=False).ratio() >= ALIKE


def _is_elsewhere(layout: Layout, rival: Heading, chosen: Heading, is_confirmed: bool) -> bool:
    """Tell whether the contents confirm the page of the chosen line and not that of the other."""
    return is_confirmed and layout.page_of(rival.start) != layout.page_of(chosen.start)


def confirmed_pages(layout: Layout, chain: list[Heading], contents: Contents) -> dict[int, int]:
    """Return how many pages sections begin off the contents, if most share one shift: 0 is confirmed."""
    listed = {entry.key: entry.page for entry in contents.entries if entry.page}
    shifts = {
        place: layout.page_of(heading.start) - listed[heading.key]
        for place, heading in enumerate(chain)
        if heading.key in listed
    }
    if not layout.has_page_breaks or not shifts:
        return {}
    shift, count = Counter(shifts.values()).most_common(1)[0]
    if count < FEWEST_SECTIONS or 2 * count <= len(shifts):
        return {}
    return {place: value - shift for place, value in shifts.items()}


def _missing(chain: list[Heading], contents: Contents) -> list[tuple[int, str]]:
    """Return the titles of the contents that no heading has, each with the place of the section before it."""
    places = {heading.key: place for place, heading in enumerate(chain)}
    numbers = {(heading.style, heading.number): place for place, heading in enumerate(chain)}
    extra = sum(not heading.in_contents for heading in chain)
    missing: list[tuple[int, str]] = []
    last = -1
    for entry in contents.entries:
        if entry.key in places:
            last = max(last, places[entry.key])
        elif entry.number and (entry.style, entry.number) in numbers:
            last = max(last, numbers[entry.style, entry.number])
        elif not entry.number and extra > 0:
            extra -= 1
        else:
            missing.append((last, entry.title))
    return missing


def implausible(chain: list[Heading], place: int, share: float, length: int) -> list[Doubt]:
    """Return what the length of a section (in characters and as a share of the report) and its place say against it."""
    heading = chain[place]
    doubts: list[Doubt] = []
    if share > LONGEST_SHARE and heading.kind != "financial_report":
        doubts.append((DOUBTFUL, f"the section is {share:.0%} of the report"))
    if heading.kind in ("mda", "directors_report") and length < SHORTEST_DISCUSSION:
        doubts.append((DOUBTFUL, f"the section has only {length} characters"))
    if heading.kind in ("mda", "directors_report") and place == len(chain) - 1:
        doubts.append((DOUBTFUL, "no section follows, so the end is that of the file"))
    is_closing = heading.kind in ("reference_documents", "confirmation")
    is_closing = is_closing or (place == len(chain) - 1 and heading.kind not in ("financial_report", "appendix"))
    if share > LONGEST_CLOSING_SHARE and is_closing:
        doubts.append((DOUBTFUL, f"the section is {share:.0%} of the report, so an unnumbered part may follow"))
    rank = ORDER.get(heading.kind)
    before = [ORDER[other.kind] for other in chain[:place] if other.kind in ORDER]
    if rank is not None and before and rank < max(before):
        doubts.append((WEAKENED, "the section stands later than usual"))
    if len(chain) < FEWEST_SECTIONS:
        doubts.append((DOUBTFUL, "hardly any sections were found"))
    return doubts
