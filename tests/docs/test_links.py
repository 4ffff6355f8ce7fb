"""Every link of the documentation leads somewhere, and every page can be found."""

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, links, page_paths

PAGES = page_paths()


def targets(page: Path) -> list[tuple[str, str]]:
    return [(target, *target.partition("#")[::2])[1:] for target in links(page) if "://" not in target]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_a_file_and_a_heading(page: Path):
    broken = []
    for path, anchor in targets(page):
        place = (page.parent / path).resolve() if path else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            broken.append(f"{path}#{anchor}" if anchor else path)
    assert broken == []


def test_links_lead_to_no_file_outside_the_project():
    outside = [
        (page.name, path)
        for page in PAGES
        for path, _ in targets(page)
        if path and not (page.parent / path).resolve().is_relative_to(ROOT)
    ]
    assert outside == []


def test_every_page_is_reached_from_the_index():
    reached: set[Path] = set()
    waiting = [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            waiting += [(page.parent / path).resolve() for path, _ in targets(page) if path]
    assert {page.name for page in (ROOT / "docs").rglob("*.md")} - {page.name for page in reached} == set()


def test_the_readme_leads_to_the_index():
    for name in ("README.md", "README.zh.md"):
        assert any(path.startswith("docs/index") for path, _ in targets(ROOT / name)), name
