"""The simulated reports: the rule holds, and nothing but the planted terms can be counted."""

import importlib.resources
import re
from collections import Counter

import numpy as np
import pytest

from nlp import simulate_text
from nlp.dictionary import parse
from nlp.simulate import (
    INTENSITY_MEDIAN,
    INTENSITY_SPREAD,
    YEARLY_GROWTH,
    SimulatedFirm,
    SimulatedReport,
    find_terms,
    simulate_firms,
    simulate_report,
)

WU = importlib.resources.files("dictionaries").joinpath("wu2021.yml").read_text(encoding="utf-8")
TERMS = tuple(parse(WU, "wu2021.yml").terms)
YEARS = (2020, 2021, 2022, 2023)
SEED = 2024


def fragments(report: SimulatedReport) -> list[str]:
    found = [*report.cover, report.running_header, "第 12 页 共 14 页"]
    for section in report.sections:
        found.append(section.heading)
        for block in section.blocks:
            found.extend([block] if isinstance(block, str) else [cell for row in block for cell in row])
    return [re.sub(r"\s", "", fragment) for fragment in found]


@pytest.fixture(scope="module")
def reports() -> list[SimulatedReport]:
    firms = simulate_firms(30, SEED)
    return [simulate_report(firm, year, YEARS[0], TERMS, SEED) for firm in firms for year in YEARS]


def test_the_list_has_76_terms():
    assert len(TERMS) == 76


def test_firms_are_invented_and_hold_no_term():
    firms = simulate_firms(400, SEED)
    assert len({firm.company_name for firm in firms}) == len({firm.short_name for firm in firms}) == 400
    for firm in firms:
        assert re.fullmatch("004[0-9]{3}", firm.stock_code)
        assert firm.short_name.startswith("模拟") and firm.company_name.startswith(firm.short_name)
        assert not find_terms(firm.company_name, TERMS)


def test_a_firm_does_not_depend_on_how_many_there_are():
    assert simulate_firms(3, SEED) == simulate_firms(30, SEED)[:3]


@pytest.mark.parametrize("count", [0, 401])
def test_impossible_numbers_of_firms_are_refused(count: int):
    with pytest.raises(ValueError, match="between 1 and 400"):
        simulate_firms(count, SEED)


def test_intensity_is_log_normal():
    logs = np.log([firm.intensity for firm in simulate_firms(400, SEED)])
    assert abs(logs.mean() - np.log(INTENSITY_MEDIAN)) < 3 * INTENSITY_SPREAD / 20
    assert abs(logs.std() - INTENSITY_SPREAD) < 0.07


def test_a_report_is_the_same_in_any_order(reports: list[SimulatedReport]):
    firm = simulate_firms(8, SEED)[7]
    alone = simulate_report(firm, 2022, YEARS[0], TERMS, SEED)
    assert alone == reports[7 * len(YEARS) + 2]
    assert simulate_report(firm, 2022, YEARS[0], tuple(reversed(TERMS)), SEED) == alone
    assert simulate_report(firm, 2022, YEARS[0], TERMS, SEED + 1) != alone


def test_the_mean_grows_by_the_rule(reports: list[SimulatedReport]):
    for report in reports:
        growth = YEARLY_GROWTH ** (report.report_year - YEARS[0])
        assert report.expected_count == pytest.approx(report.firm.intensity * growth)
    totals = [sum(sum(r.planted.values()) for r in reports if r.report_year == year) for year in YEARS]
    assert totals == sorted(totals)


def test_planted_totals_scatter_like_a_poisson(reports: list[SimulatedReport]):
    expected = np.array([report.expected_count for report in reports])
    planted = np.array([sum(report.planted.values()) for report in reports])
    scores = (planted - expected) / np.sqrt(expected)
    assert abs(scores.mean()) < 0.3
    assert 0.7 < scores.std() < 1.3


def test_every_planted_term_is_found_and_no_other(reports: list[SimulatedReport]):
    for report in reports:
        string = "".join(fragments(report))
        found = Counter(string[start:end] for start, end in find_terms(string, TERMS))
        assert found == Counter(report.planted)


def test_a_report_without_planted_terms_holds_none():
    firm = SimulatedFirm("004001", "模拟星河", "模拟星河材料股份有限公司", 1e-12)
    report = simulate_report(firm, 2020, 2020, TERMS, SEED)
    assert not report.planted
    assert not find_terms("".join(fragments(report)), TERMS)


def test_no_two_fragments_can_join_to_a_term(reports: list[SimulatedReport]):
    """Cells, headings, headers and footers may follow each other in any order that a reader chooses."""
    parts = {(term[:i], term[i:]) for term in TERMS for i in range(1, len(term))}
    seen = {fragment for report in reports for fragment in fragments(report)}
    ends = {head for head, _ in parts if any(fragment.endswith(head) for fragment in seen)}
    starts = {tail for _, tail in parts if any(fragment.startswith(tail) for fragment in seen)}
    assert not [(head, tail) for head, tail in parts if head in ends and tail in starts]


def test_sentences_around_planted_terms_neither_negate_nor_name_others():
    slots = [piece for _, pieces in simulate_text.SKELETON for piece in pieces if isinstance(piece, simulate_text.Slot)]
    sentences = [sentence for slot in slots for sentence in slot.filler]
    sentences += [*simulate_text.LEADS, *simulate_text.CORES, *simulate_text.PAIR_CORES, *simulate_text.TAILS]
    cues = re.compile("[不没无未非]|股东|客户|供应商|子公司|竞争对手|同行|履历|曾任")
    assert not [sentence for sentence in sentences if cues.search(sentence)]
    assert sum(slot.share for slot in slots) == pytest.approx(1.0)


def test_most_terms_are_in_the_discussion(reports: list[SimulatedReport]):
    inside = Counter[str]()
    for report in reports:
        for section in report.sections:
            string = "".join(str(block) for block in section.blocks)
            inside[section.heading] += len(find_terms(string, TERMS))
    assert inside["第四节 经营情况讨论与分析"] > 0.7 * inside.total()


def test_the_statements_balance_and_reports_agree_on_the_year_they_share(reports: list[SimulatedReport]):
    def balance(report: SimulatedReport) -> dict[str, tuple[str, ...]]:
        for block in report.sections[10].blocks:
            if not isinstance(block, str) and any(row[0] == "负债和所有者权益总计" for row in block):
                return {row[0]: row[1:] for row in block}
        raise AssertionError("no balance sheet")

    earlier, later = balance(reports[0]), balance(reports[1])
    assert earlier["资产总计"] == earlier["负债和所有者权益总计"]
    assert earlier["存货"][0] == later["存货"][1]


def test_a_list_that_clashes_with_the_text_is_refused():
    with pytest.raises(ValueError, match="营业收入"):
        simulate_report(simulate_firms(1, SEED)[0], 2020, 2020, [*TERMS, "营业收入"], SEED)
    with pytest.raises(ValueError, match="no terms"):
        simulate_report(simulate_firms(1, SEED)[0], 2020, 2020, [], SEED)


@pytest.mark.parametrize(
    ("string", "found"),
    [
        ("移动互联网与移动互联", ["移动互联网", "移动互联"]),
        ("B2B2C模式与B2B平台", ["B2B"]),
        ("物联网联盟", ["物联网"]),
        ("WEB级存储，EB级存储", ["EB级存储"]),
    ],
)
def test_find_terms(string: str, found: list[str]):
    assert [string[start:end] for start, end in find_terms(string, TERMS)] == found
