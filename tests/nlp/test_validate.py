"""Agreement, intervals and corrected counts against published examples and second computations."""

import csv
import itertools
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nlp.codes import CODE_NAMES, CODES, read_code, read_sure
from nlp.validate import (
    cohen_kappa,
    confusion,
    corrected_counts,
    krippendorff_alpha,
    majority,
    percent_agreement,
    recall,
    wilson,
)

# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section C: four observers, twelve units.
FOUR_OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
# The example of three coders and fifteen units that many texts on alpha use.
THREE_CODERS = (".....34121133.3", "1.213343.......", "..21344.21133.4")


def units(line: str) -> list[str | None]:
    return [None if each == "." else each for each in line]


def test_wilson_gives_the_intervals_of_newcombe() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (successes, n), interval in published.items():
        assert wilson(successes, n) == pytest.approx(interval, abs=5e-5)
    assert all(math.isnan(each) for each in wilson(0, 0))
    assert wilson(20, 20)[1] == 1 and wilson(5, 10, 0.99)[0] < wilson(5, 10)[0]


def test_wilson_ends_are_where_the_score_test_rejects() -> None:
    for successes, n in ((3, 17), (40, 41), (1, 1), (7, 200)):
        for end in wilson(successes, n):
            if 0 < end < 1:
                assert abs(successes / n - end) / math.sqrt(end * (1 - end) / n) == pytest.approx(1.959964, abs=1e-5)


def test_wilson_against_statsmodels() -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion", reason="statsmodels is not installed")
    for successes, n in ((0, 5), (3, 17), (115, 239), (239, 239)):
        assert wilson(successes, n) == pytest.approx(proportion.proportion_confint(successes, n, method="wilson"))


def test_kappa_of_a_table_by_hand() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: agreement 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa 0.4.
    one = ["y"] * 25 + ["n"] * 25
    other = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert percent_agreement(one, other) == pytest.approx(0.7)
    assert cohen_kappa(one, other) == pytest.approx(0.4)
    table = confusion(one, other, ("y", "n"))
    assert table.to_numpy().tolist() == [[20, 5], [10, 15]]
    assert math.isnan(cohen_kappa(["y"], ["y"])) and math.isnan(cohen_kappa([None], ["y"]))


def test_kappa_against_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    draw = np.random.default_rng(2)
    one, other = (list(draw.choice(CODE_NAMES, 300)) for _ in range(2))
    other = [a if keep else b for a, b, keep in zip(one, other, draw.random(300) < 0.7, strict=True)]
    assert cohen_kappa(one, other) == pytest.approx(metrics.cohen_kappa_score(one, other))


def test_alpha_of_the_published_examples() -> None:
    assert krippendorff_alpha([units(line) for line in FOUR_OBSERVERS]) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha([units(line) for line in THREE_CODERS]) == pytest.approx(0.691, abs=5e-4)
    assert math.isnan(krippendorff_alpha([["a", "a"], ["a", "a"]]))
    assert math.isnan(krippendorff_alpha([["a", None], [None, "b"]]))


def test_alpha_from_its_coincidence_matrix() -> None:
    """The same number by the other way: disagreement observed and expected over all pairs, counted one by one."""
    draw = np.random.default_rng(4)
    coders = [[None if draw.random() < 0.2 else str(draw.integers(0, 3)) for _ in range(60)] for _ in range(4)]
    by_unit = [[code for code in unit if code is not None] for unit in zip(*coders, strict=True)]
    by_unit = [unit for unit in by_unit if len(unit) > 1]
    coincidences: Counter[tuple[str, str]] = Counter()
    for unit in by_unit:
        for one, other in itertools.permutations(unit, 2):
            coincidences[one, other] += 1 / (len(unit) - 1)
    n = sum(coincidences.values())
    totals = Counter()
    for (one, _), times in coincidences.items():
        totals[one] += times
    observed = sum(times for (one, other), times in coincidences.items() if one != other) / n
    expected = sum(totals[a] * totals[b] for a in totals for b in totals if a != b) / (n * (n - 1))
    assert krippendorff_alpha(coders) == pytest.approx(1 - observed / expected)


def gold(shared: Path) -> list[dict[str, str]]:
    path = shared / "gold" / "hits.tsv"
    if not path.is_file():
        pytest.skip("the shared test data hold no coded hits")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_coders_of_the_gold_hits(shared: Path) -> None:
    rows = gold(shared)
    assert len(rows) == 239
    coders = [[read_code(row[f"coder_{number}"]) for row in rows] for number in (1, 2, 3)]
    assert [sum(code is not None for code in codes) for codes in coders[:2]] == [239, 239]
    # Of all 477 hits, of which these are half, the README says 96.6 % and kappa 0.95, 0.98 for the filer's own.
    assert percent_agreement(coders[0], coders[1]) == pytest.approx(0.966, abs=0.02)
    assert cohen_kappa(coders[0], coders[1]) == pytest.approx(0.95, abs=0.02)
    own = [["own" if code in ("own", "plan") else "rest" for code in codes] for codes in coders[:2]]
    assert cohen_kappa(*own) == pytest.approx(0.98, abs=0.02)
    # With two coders and many units alpha is nearly kappa.
    assert krippendorff_alpha(coders[:2]) == pytest.approx(cohen_kappa(coders[0], coders[1]), abs=0.003)
    agreed = [majority([codes[at] for codes in coders]) for at in range(len(rows))]
    assert agreed == [row["agreed"] or None for row in rows]


def test_majority_needs_more_than_half() -> None:
    assert majority(["own", "own", "plan"]) == "own" and majority(["own", None]) == "own"
    assert majority(["own", "plan"]) is None and majority([None]) is None
    assert majority(["own", "own", "plan", "context"]) is None


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("own", "own"),
        (" OWN ", "own"),
        ("9", "own"),
        (9.0, "own"),
        ("９", "own"),
        ("本公司已做", "own"),
        ("9 own 本公司已做", "own"),
        ("Org Name", "org_name"),
        ("org-name", "org_name"),
        ("机构名称", "org_name"),
        ("the filer's plan", "plan"),
        ("False Sense", "false_sense"),
        ("other_party", "other"),
        ("", None),
        (None, None),
        (math.nan, None),
    ],
)
def test_codes_are_read_as_people_type_them(typed: object, name: str | None) -> None:
    assert read_code(typed) == name


def test_what_is_no_code_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean own"):
        read_code("本公司己做")
    with pytest.raises(ValueError, match="did you mean negated"):
        read_code("negatd")
    with pytest.raises(ValueError, match="known: furniture"):
        read_code("???")
    with pytest.raises(ValueError, match="names 2 codes"):
        read_code("own plan")
    assert [read_sure(each) for each in (1, "0", "是", "否", "", None, 1.0)] == [
        True,
        False,
        True,
        False,
        None,
        None,
        True,
    ]
    with pytest.raises(ValueError, match="neither"):
        read_sure("maybe")


def test_every_code_can_be_typed_by_name_number_and_label() -> None:
    for number, code in enumerate(CODES, start=1):
        line = f"{number} {code.name} {code.zh}"
        assert {read_code(each) for each in (code.name, str(number), code.zh, code.en, line)} == {code.name}


def test_corrected_counts_by_hand() -> None:
    counts = pd.DataFrame({"high": [10, 0], "low": [4, 3]}, index=["a", "b"])
    found = corrected_counts(counts, pd.Series({"high": 0.5, "low": 0.25}), pd.Series({"high": 0.1, "low": 0.2}))
    # a: 10 * 0.5 + 4 * 0.25 = 6; precision part 100 * 0.01 + 16 * 0.04 = 1.64; own part 10 * 0.25 + 4 * 0.1875 = 3.25.
    assert found["expected"].tolist() == pytest.approx([6, 0.75])
    assert found["se_precision"].tolist() == pytest.approx([math.sqrt(1.64), math.sqrt(9 * 0.04)])
    assert found["se"].tolist() == pytest.approx([math.sqrt(4.89), math.sqrt(0.36 + 3 * 0.1875)])
    with pytest.raises(ValueError, match="low"):
        corrected_counts(counts, pd.Series({"high": 0.5}), pd.Series({"high": 0.1}))


def test_corrected_counts_hold_what_they_promise() -> None:
    """Made-up firms whose true hits are known: the expected number lies within 1.96 errors in 95 of 100."""
    draw = np.random.default_rng(8)
    truth = pd.Series({"high": 0.7, "low": 0.3})
    inside = []
    for _ in range(300):
        counts = pd.DataFrame({"high": draw.integers(0, 40, 20), "low": draw.integers(0, 15, 20)})
        true = draw.binomial(counts["high"], 0.7) + draw.binomial(counts["low"], 0.3)
        seen = {cell: draw.binomial(80, share) / 80 for cell, share in truth.items()}
        error = {cell: math.sqrt(share * (1 - share) / 79) for cell, share in seen.items()}
        found = corrected_counts(counts, pd.Series(seen), pd.Series(error))
        inside += (abs(found["expected"] - true) <= 1.96 * found["se"] + 1e-9).tolist()
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)


def test_recall_by_hand() -> None:
    share, low, high = recall(90, 3, 10, 2, 15)
    assert share == pytest.approx(0.9)
    # log odds 2.1972, error sqrt((3/90)² + (2/10)²) = 0.20276: 1.7998 to 2.5946.
    assert (low, high) == pytest.approx((1 / (1 + math.exp(-1.79982)), 1 / (1 + math.exp(-2.59463))), abs=1e-5)
    assert recall(90, 3, 0, 0, 10) == pytest.approx((1, 0.9, 1))
    assert math.isnan(recall(0, 0, 10, 2, 15)[0])
