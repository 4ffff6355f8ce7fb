"""Training the classifier of :mod:`nlp.own_action` on coded hits. Needs scikit-learn; nothing at run time does."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from nlp.context import HIT_KINDS, FilerNames, HitKind, flag_hit
from nlp.context_rules import HitContext, rule_book
from nlp.own_action import BUCKETS, OwnActionModel, Vector, vector_of
from shuzhi import DictionaryError

CODED_HITS_FILE = "coded_hits.tsv"
GOLD = "gold"
REGULARISATION = 1.0
# A coder who was not sure counts half.
UNSURE_WEIGHT = 0.5
RECALL = 0.85
# Weights are kept to so many decimals, so that the last bits of a machine's arithmetic do not change the artefact.
DECIMALS = 5
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CodedHit:
    """A hit and what coders said it is evidence of.

    Parameters
    ----------
    id, report, draw : str
        Its number, the report it is from, and ``gold`` or the draw it came with.
    context : HitContext
        The words around it and its place.
    names : FilerNames
        What the filer is called.
    kind : str
        One of the nine kinds.
    is_sure : bool
        Whether the coder, or both, were sure.
    """

    id: str
    report: str
    draw: str
    context: HitContext
    names: FilerNames
    kind: HitKind
    is_sure: bool

    @property
    def firm(self) -> str:
        """Stock code, by which folds are made."""
        return self.report[:6]


def coded_hits() -> list[CodedHit]:
    """Return the coded hits that ship."""
    return read_coded_hits(files("nlp").joinpath("data", CODED_HITS_FILE).read_text(encoding="utf-8"))


def read_coded_hits(text: str) -> list[CodedHit]:
    """Read coded hits from their table.

    Raises
    ------
    DictionaryError
        If a row has a kind that is not one of the nine.
    """
    hits = []
    for row in csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE):
        kind = next((kind for kind in HIT_KINDS if kind == row["kind"]), None)
        if kind is None:
            raise DictionaryError(
                f"{CODED_HITS_FILE}, hit {row['id']}: {row['kind']} is none of {', '.join(HIT_KINDS)}"
            )
        context = HitContext(
            left=row["left"],
            hit=row["hit"],
            right=row["right"],
            term=row["term"],
            section=row["section"],
            subsection=row["subsection"],
            furniture=row["furniture"],
            sentence_left=int(row["sentence_left"]),
            sentence_right=int(row["sentence_right"]),
            outlook=row["outlook"] == "1",
            position=float(row["position"]),
        )
        names = FilerNames(row["company_name"] or None, row["short_name"] or None)
        hits.append(CodedHit(row["id"], row["report"], row["draw"], context, names, kind, row["sure"] == "1"))
    return hits


def targets_of(hits: Sequence[CodedHit]) -> npt.NDArray[np.bool_]:
    """Return what is to be predicted, shape (hits, 2): own or planned action, and own action that is done."""
    return np.array([(hit.kind in ("own_action", "plan"), hit.kind == "own_action") for hit in hits], dtype=bool)


def matrix_of(vectors: Sequence[Vector]) -> csr_matrix:
    """Return feature vectors as the rows of a sparse matrix."""
    ends = np.cumsum([0, *(buckets.size for buckets, _ in vectors)])
    values = np.concatenate([values for _, values in vectors])
    return csr_matrix((values, np.concatenate([buckets for buckets, _ in vectors]), ends), (len(vectors), BUCKETS))


def weights_of(hits: Sequence[CodedHit]) -> Floats:
    """Return the weight of each hit in training."""
    return np.where([hit.is_sure for hit in hits], 1.0, UNSURE_WEIGHT)


def _regression(features: csr_matrix, target: npt.NDArray[np.bool_], weights: Floats) -> LogisticRegression:
    # One thread: sums in one order, so that the same data give the same numbers.
    with threadpool_limits(limits=1):
        model = LogisticRegression(C=REGULARISATION, max_iter=5000, tol=1e-8)
        return model.fit(features, target, sample_weight=weights)


def scores_of_unseen_firms(
    hits: Sequence[CodedHit], features: csr_matrix, is_training: npt.NDArray[np.bool_] | None = None
) -> Floats:
    """Return the scores of each hit by a model that saw no hit of its firm, shape (hits, 2).

    Parameters
    ----------
    hits : sequence of CodedHit
        All hits.
    features : csr_matrix, shape (hits, buckets)
        Their features.
    is_training : array of bool, shape (hits,), optional
        Hits that may be trained on; all by default.
    """
    firms = np.array([hit.firm for hit in hits])
    targets, weights = targets_of(hits), weights_of(hits)
    allowed = np.ones(len(hits), dtype=bool) if is_training is None else is_training
    scores = np.zeros(targets.shape)
    for firm in sorted(set(firms.tolist())):
        held_out = firms == firm
        trained = ~held_out & allowed
        for column in range(targets.shape[1]):
            model = _regression(features[trained], targets[trained, column], weights[trained])
            scores[held_out, column] = model.decision_function(features[held_out])
    return scores


def calibrate(scores: Floats, target: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and offset of the logistic curve through scores of unseen firms (Platt 1999)."""
    curve = LogisticRegression(C=1e6, max_iter=1000).fit(scores.reshape(-1, 1), target)
    return float(curve.coef_[0, 0]), float(curve.intercept_[0])


def threshold_at(values: Floats, target: npt.NDArray[np.bool_], recall: float = RECALL) -> float:
    """Return the largest value at which at least a share of the true ones is at or above it."""
    true = np.sort(values[target])[::-1]
    return float(true[int(np.ceil(recall * true.size)) - 1])


def fit(hits: Sequence[CodedHit]) -> OwnActionModel:
    """Train the classifier: weights on all hits, calibration and thresholds on firms it had not seen.

    Parameters
    ----------
    hits : sequence of CodedHit
        In any order; they are sorted by id first, so that the result does not depend on it.

    Returns
    -------
    OwnActionModel
        The same numbers for the same hits and rules.
    """
    hits = sorted(hits, key=lambda hit: hit.id)
    features = matrix_of([vector_of(hit.context, hit.names, flag_hit(hit.context, hit.names)) for hit in hits])
    targets, weights = targets_of(hits), weights_of(hits)
    unseen = scores_of_unseen_firms(hits, features)
    models = [_regression(features, targets[:, column], weights) for column in range(2)]
    curves = [calibrate(unseen[:, column], targets[:, column]) for column in range(2)]
    slopes, offsets = (np.round(np.array(numbers), DECIMALS) for numbers in zip(*curves, strict=True))
    probabilities = 1 / (1 + np.exp(-(slopes * unseen + offsets)))
    return OwnActionModel(
        weights=np.round(np.vstack([model.coef_[0] for model in models]), DECIMALS),
        intercepts=np.round(np.array([model.intercept_[0] for model in models]), DECIMALS),
        slopes=slopes,
        offsets=offsets,
        thresholds=np.round([threshold_at(probabilities[:, k], targets[:, k]) for k in range(2)], 3),
        version=version_of(hits),
    )


def version_of(hits: Sequence[CodedHit]) -> str:
    """Return twelve hexadecimal digits of the hits and the rules a model is trained on."""
    content = repr([(hit.id, hit.context, hit.names, hit.kind, hit.is_sure) for hit in hits])
    return hashlib.sha256(f"{rule_book().content_hash}{content}".encode()).hexdigest()[:12]
