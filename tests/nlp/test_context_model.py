"""The classifier: loaded without pickle, equal to scikit-learn, the same bytes again, good on firms it has not seen."""

import io

import numpy as np
import pytest

from nlp.context import FilerNames, flag_hit
from nlp.context_rules import HitContext
from nlp.own_action import (
    BUCKETS,
    OwnActionModel,
    own_action_model,
    read_model,
    tokens_of,
    vector_of,
)
from nlp.own_action_training import (
    GOLD,
    _regression,
    calibrate,
    coded_hits,
    fit,
    matrix_of,
    read_coded_hits,
    scores_of_unseen_firms,
    targets_of,
    threshold_at,
    version_of,
    weights_of,
)
from shuzhi import DictionaryError


def test_numpy_alone_gives_the_decision_of_scikit_learn() -> None:
    hits = coded_hits()[::7]
    vectors = [vector_of(hit.context, hit.names) for hit in hits]
    features, targets = matrix_of(vectors), targets_of(hits)
    models = [_regression(features, targets[:, column], weights_of(hits)) for column in range(2)]
    ours = OwnActionModel(
        np.vstack([model.coef_[0] for model in models]),
        np.array([model.intercept_[0] for model in models]),
        np.ones(2),
        np.zeros(2),
        np.full(2, 0.5),
        "test",
    )
    read = read_model(ours.to_bytes())
    for column, model in enumerate(models):
        np.testing.assert_allclose(read.scores(vectors)[:, column], model.decision_function(features), atol=1e-9)
    np.testing.assert_allclose(read.probabilities(vectors)[:, 0], models[0].predict_proba(features)[:, 1], atol=1e-9)


def test_training_again_gives_the_same_bytes_whatever_the_order() -> None:
    hits = [hit for hit in coded_hits() if hit.firm in ("000008", "000059", "002099", "000001")][::3]
    first = fit(hits).to_bytes()
    assert fit(list(reversed(hits))).to_bytes() == first
    assert read_model(first).to_bytes() == first


def test_the_artefact_was_trained_on_the_data_and_rules_that_ship() -> None:
    assert own_action_model().version == version_of(sorted(coded_hits(), key=lambda hit: hit.id))


def test_the_artefact_needs_no_pickle_and_tells_of_another_format() -> None:
    data = own_action_model().to_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)
    other = io.BytesIO()
    np.savez_compressed(other, about=np.frombuffer(b'{"format": 99, "buckets": 1}', dtype=np.uint8))
    with pytest.raises(DictionaryError, match="train it again"):
        read_model(other.getvalue())


def test_gold_hits_of_unseen_firms() -> None:
    hits = sorted(coded_hits(), key=lambda hit: hit.id)
    features = matrix_of([vector_of(hit.context, hit.names) for hit in hits])
    scores, targets = scores_of_unseen_firms(hits, features), targets_of(hits)
    is_gold = np.array([hit.draw == GOLD for hit in hits])
    assert int(is_gold.sum()) == 236
    for column, wanted in enumerate((0.94, 0.82)):
        values, target = scores[is_gold, column], targets[is_gold, column]
        kept = values >= threshold_at(values, target)
        assert target[kept].sum() / target.sum() >= 0.85
        assert target[kept].mean() >= wanted


def test_probabilities_are_in_order() -> None:
    hits = coded_hits()[:100]
    both = own_action_model().probabilities([vector_of(hit.context, hit.names) for hit in hits])
    assert both.shape == (100, 2)
    assert ((both >= 0) & (both <= 1)).all()
    assert (both[:, 1] <= both[:, 0]).all()
    assert own_action_model().probabilities([]).shape == (0, 2)


def test_a_plain_case_on_either_side() -> None:
    model = own_action_model()

    def done(context: HitContext) -> float:
        return float(model.probabilities([vector_of(context, FilerNames())])[0, 1])

    built = HitContext("报告期内，公司建成了新的采购管理", "信息化", "系统，并投入使用。", "信息化", "mda")
    named = HitContext("监事会主席深圳平安", "金融科技", "咨询有限公司监事", "金融科技", "directors")
    assert done(built) > 0.85
    assert done(named) < 0.1


def test_features_know_nothing_of_the_filers_brand() -> None:
    names = FilerNames("神州高铁技术股份有限公司", "神州高铁")
    branded = HitContext("2018年，神州高铁建成了", "数据中心", "，投入使用", "数据中心")
    neutral = HitContext("2016年，公司建成了", "数据中心", "，投入使用", "数据中心")
    first, second = (dict(tokens_of(context, names, flag_hit(context, names))) for context in (branded, neutral))
    assert first["near_left"] == second["near_left"]
    assert first["far_left"] == second["far_left"]


def test_a_vector_has_blocks_of_length_one() -> None:
    buckets, values = vector_of(HitContext("", "大数据", "", "大数据"), FilerNames())
    assert (np.diff(buckets) > 0).all()
    assert buckets.max() < BUCKETS
    assert (values > 0).all()


def test_threshold_and_calibration() -> None:
    values = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    target = np.array([True, True, False, True, True, False])
    # Four true ones: three of them are 75 %, all four are needed for 85 %.
    assert threshold_at(values, target, 0.75) == 0.6
    assert threshold_at(values, target, 0.85) == 0.5
    slope, offset = calibrate(np.array([-2.0, -1.0, 1.0, 2.0] * 50), np.array([False, True, False, True] * 50))
    # By symmetry a score of 0 is a probability of one half.
    assert offset == pytest.approx(0.0, abs=1e-6)
    assert slope > 0


def test_a_kind_that_is_none_is_told() -> None:
    head = "id\treport\tcompany_name\tshort_name\tdraw\tpage\tterm\tleft\thit\tright\tkind\n"
    with pytest.raises(DictionaryError, match="none of"):
        read_coded_hits(head + "X1\t000001_2001\t\t\tgold\t1\ta\tb\ta\tc\tnonsense\n")
