"""What the gate rejects is not published, and the releases stay as they were, unless a reason is given and recorded."""

import json
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from prefect.client.orchestration import get_client
from release_site import FIRMS, Site, bytes_of
from world import DICTIONARY, text_report

from flows.publishing.events import GATE_REJECTED, RELEASE_PUBLISHED
from shuzhi import RunError

OWN = "definitions:\n  - {name: own, dictionaries: [mine], dictionary_folder: lists}\n"
COLUMN = "mine_total_count"


def list_of(site: Site, *terms: str) -> None:
    (site.root / "lists").mkdir(exist_ok=True)
    (site.root / "lists" / "mine.yml").write_text(DICTIONARY.format(terms=", ".join(terms)), encoding="utf-8")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, pool: None) -> Site:
    """Give a site with 2023 published under a word list of its own."""
    site = Site(tmp_path_factory.mktemp("refused"))
    (site.root / "definitions.yml").write_text(OWN, encoding="utf-8")
    list_of(site, "大数据", "云计算")
    site.year_arrives(2023)
    assert site.update(2023).publishing.version == "2023.1"
    return site


def event_of(name: str, said: str) -> dict[str, Any]:
    """Return the payload of this data set's event that says something; it is stored a moment after the flow."""
    for _ in range(150):
        with get_client(sync_client=True) as client:
            answer = client._client.post("/events/filter", json={"filter": {"event": {"name": [name]}}})
        for each in answer.json()["events"]:
            is_ours = each["resource"]["prefect.resource.id"] == "shuzhi.data-set.shuzhi-indices"
            if is_ours and said in json.dumps(each["payload"]):
                return dict(each["payload"])
        time.sleep(0.2)
    raise AssertionError(f"no event {name} with {said}")


def test_a_swapped_dictionary_is_refused_until_the_change_is_declared(published: Site):
    before = bytes_of(published.releases)
    list_of(published, "大数据", "感谢")
    with pytest.raises(RunError, match=r"nothing was published: rejected: 1 of 9 checks fail.*values_changed \(own\)"):
        published.publish()
    assert bytes_of(published.releases) == before
    gate = pd.read_csv(published.out / "gate.csv", encoding="utf-8-sig").set_index("check")
    # All 12 firms lose the hits of 云计算 where they have some, and gain 40 of 感谢: every value changes.
    assert gate.loc["values_changed", "status"] == "fail"
    assert "by dictionary" in gate.loc["values_changed", "sentence"]
    list_of(published, "大数据", "云计算")
    assert published.publish().state == "nothing_new"


def test_a_year_whose_reports_cannot_be_read_is_refused(published: Site, tmp_path: Path):
    before = bytes_of(published.releases)
    for firm in range(1, FIRMS + 1):
        # What a font without a table of characters gives: private-use characters instead of text.
        text = "".join(chr(0xE000 + (firm * 31 + place * 7) % 600) for place in range(4000))
        published.arrive(f"{firm:06d}_2024年年度报告.txt", text)
    with pytest.raises(RunError, match=r"years \(own\), new_year_missing \(own\)"):
        published.update(2024)
    assert bytes_of(published.releases) == before
    page = (published.out / "gate.md").read_text(encoding="utf-8")
    assert "12 of 12 reports of 2024 give no value, 0 of 12 of 2023 (+100.0 percentage points" in page
    # The candidate lies where it can be looked at.
    candidate = pd.read_csv(published.out / "own" / "indices.csv", encoding="utf-8-sig")
    assert (candidate["report_year"] == 2024).sum() == 12
    assert candidate.loc[candidate["report_year"] == 2024, COLUMN].isna().all()
    assert event_of(GATE_REJECTED, "new_year_missing (own)")["verdict"].startswith("rejected")


def test_it_is_refused_again_and_published_with_a_reason_that_is_recorded(published: Site):
    with pytest.raises(RunError, match="--publish-despite 'why'"):
        published.publish(publish_despite="  ")
    first = bytes_of(published.releases / "2023.1")
    publishing = published.publish(publish_despite="the reports of 2024 are scans; OCR follows")
    assert (publishing.version, publishing.despite) == ("2024.1", "the reports of 2024 are scans; OCR follows")
    assert bytes_of(published.releases / "2023.1") == first
    facts = json.loads((published.releases / "2024.1" / "release.json").read_text(encoding="utf-8"))
    assert facts["publish_despite"] == "the reports of 2024 are scans; OCR follows"
    # The quality gate of the years sees it too: no year's reports read worse.
    assert {each["check"] for each in facts["gate"]["failing"]} == {"years", "new_year_missing"}
    assert "OCR follows" in (published.releases / "CHANGELOG.md").read_text(encoding="utf-8")
    told = event_of(RELEASE_PUBLISHED, "2024.1")
    assert told["publish_despite"] == "the reports of 2024 are scans; OCR follows"


def test_a_reason_that_was_not_needed_is_not_recorded(published: Site):
    for firm in range(1, FIRMS + 1):
        published.arrive(
            f"{firm:06d}_2024年年度报告（修订版）.txt", text_report(大数据=firm) + f"\n第{firm}号，修订版。"
        )
    publishing = published.update(2024, publish_despite="not needed").publishing
    assert (publishing.version, publishing.despite) == ("2024.2", "")
    facts = json.loads((published.releases / "2024.2" / "release.json").read_text(encoding="utf-8"))
    assert (facts["previous"]["version"], facts["publish_despite"]) == ("2024.1", "")
    # A later revision of the same year is the second release of that year, and its numbers are the revised ones.
    table = pd.read_csv(published.releases / "2024.2" / "own" / "indices.csv", encoding="utf-8-sig")
    assert table.loc[table["report_year"] == 2024, COLUMN].tolist() == list(range(1, FIRMS + 1))
