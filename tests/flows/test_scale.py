"""A small version of the benchmark of scale: files of one cut have bytes, firm and year of their own, and its count."""

from pathlib import Path

import pytest
from world import World

from tests.benchmarks.scale_corpus import cut_of, cut_reports, firm_years, write_corpus


@pytest.mark.slow
def test_every_firm_year_is_found_once_with_the_count_of_its_cut(world: World, reports: Path, wu2021):
    cuts = cut_reports(reports, wu2021.terms)
    # Ten years of each firm come from ten cuts; two firms share some.
    expected = write_corpus(world.reports, 30, cuts)
    made = {cut_of(cuts, code, year).name for code, year in firm_years(30)}
    files = list(world.reports.rglob("*.pdf"))
    assert len({file.read_bytes() for file in files}) == len(files) == len(expected) == 30
    assert 10 <= len(made) < 30
    summary = world.run()
    assert summary.reading.by_status == {"ok": 30}
    assert world.counts() == expected
    assert summary.exporting.hits == sum(expected.values()) > 10
