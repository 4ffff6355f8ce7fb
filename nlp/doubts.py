"""What speaks against a section: checks of its line, its neighbours, the contents, its length and its place."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

from nlp.chains import MARGIN
from nlp.contents import Contents
from nlp.headings import Heading
from nlp.layout import Layout
from nlp.section_titles import SectionKind

# What a failed check leaves of the confidence. Below one half a boundary is doubtful.
DOUBTFUL = 0.45
WEAKENED = 0.8
FEWEST_SECTIONS = 4
LONGEST_SHARE = 0.7
LONGEST_CLOSING_SHARE = 0.2
SHORTEST_DISCUSSION = 400
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

# A factor on the confidence, and what failed in words.
Doubt = tuple[float, str]


def find_doubts(layout: Layout, chain: list[Heading], rivals: list[Heading], contents: Contents) -> list[list[Doubt]]:
    """Return for each heading what its own line, its neighbours and the contents say against it."""
    doubts: list[list[Doubt]] = [_line_doubts(heading, contents) for heading in chain]
    confirmed = confirmed_pages(layout, chain, contents)
    last = len(chain) - 1
    for place, heading in enumerate(chain):
        if "running" in heading.flags:
            doubts[place].append((WEAKENED if place in confirmed else DOUBTFUL, "the line is a running header"))
            if place and place not in confirmed:
                doubts[place - 1].append((DOUBTFUL, "the end is where a running header changes"))
        following = chain[place + 1] if place < last else None
        if following is not None and following.style == heading.style and following.number > heading.number + 1:
            doubts[place].append((DOUBTFUL, f"number {heading.number + 1} is missing, so the end may be too late"))
        if following is not None and following.style == heading.style and following.number == heading.number:
            doubts[place].append((WEAKENED, "the next section has the same number"))
        if _has_rival(layout, chain, rivals, place, confirmed):
            doubts[place].append((DOUBTFUL, "another line could be the heading"))
            if place:
                doubts[place - 1].append((DOUBTFUL, "another line could be the end"))
    for place, title in _missing(chain, contents):
        words = f"the contents list {title}, which was not found, so the end may be too late"
        if place >= 0 and not any("is missing" in text for _, text in doubts[place]):
            doubts[place].append((DOUBTFUL, words))
    return doubts


def _line_doubts(heading: Heading, contents: Contents) -> list[Doubt]:
    doubts: list[Doubt] = []
    if contents.entries and not heading.in_contents:
        doubts.append((WEAKENED, "the title is not on the contents page"))
    if not contents.entries:
        doubts.append((0.9, "no contents page was found"))
    if not heading.is_named:
        doubts.append((WEAKENED, "the title is not a usual one"))
    if "mention" in heading.flags:
        doubts.append((DOUBTFUL, "the line may be a cross reference"))
    return doubts


def _has_rival(layout: Layout, chain: list[Heading], rivals: list[Heading], place: int, confirmed: set[int]) -> bool:
    """Tell whether another line between the neighbours fits nearly as well."""
    chosen = chain[place]
    after = chain[place - 1].end if place else -1
    before = chain[place + 1].start if place + 1 < len(chain) else None
    low = bisect_right(rivals, after, key=lambda heading: heading.start)
    for rival in rivals[low:]:
        if before is not None and rival.start >= before:
            return False
        is_other = rival.number == chosen.number and rival.start != chosen.start and rival.style == chosen.style
        is_other = is_other and rival.is_named and rival.score > chosen.score - MARGIN
        if is_other and (place not in confirmed or layout.page_of(rival.start) == layout.page_of(chosen.start)):
            return True
    return False


def confirmed_pages(layout: Layout, chain: list[Heading], contents: Contents) -> set[int]:
    """Return which sections begin where the contents say, if most do, by the same shift of the page numbers."""
    listed = {entry.key: entry.page for entry in contents.entries if entry.page}
    shifts = {
        place: layout.page_of(heading.start) - listed[heading.key]
        for place, heading in enumerate(chain)
        if heading.key in listed
    }
    if not layout.has_page_breaks or not shifts:
        return set()
    shift, count = Counter(shifts.values()).most_common(1)[0]
    if count < FEWEST_SECTIONS or 2 * count <= len(shifts):
        return set()
    return {place for place, value in shifts.items() if value == shift}


def _missing(chain: list[Heading], contents: Contents) -> list[tuple[int, str]]:
    """Return the titles of the contents that no heading has, each with the place of the section before it."""
    places = {heading.key: place for place, heading in enumerate(chain)}
    numbers = {(heading.style, heading.number) for heading in chain}
    extra = sum(not heading.in_contents for heading in chain)
    missing: list[tuple[int, str]] = []
    last = -1
    for entry in contents.entries:
        if entry.key in places:
            last = max(last, places[entry.key])
        elif entry.number and (entry.style, entry.number) in numbers:
            continue
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
    if share > LONGEST_CLOSING_SHARE and heading.kind in ("reference_documents", "confirmation"):
        doubts.append((DOUBTFUL, f"the section is {share:.0%} of the report, so an unnumbered part may follow"))
    rank = ORDER.get(heading.kind)
    before = [ORDER[other.kind] for other in chain[:place] if other.kind in ORDER]
    if rank is not None and before and rank < max(before):
        doubts.append((WEAKENED, "the section stands later than usual"))
    if len(chain) < FEWEST_SECTIONS:
        doubts.append((DOUBTFUL, "hardly any sections were found"))
    return doubts
