"""Train the classifier of hits and measure the flags, the presets and the speed on coded hits.

    python -m tests.benchmarks.context            measure, about one minute on one core
    python -m tests.benchmarks.context --train    train first: nlp/data/context_model.npz from nlp/data/coded_hits.tsv

Whatever is learned is judged on firms it has not seen: for each firm, the model is trained on the coded hits of the
others. The figures that count are those on the gold hits, which two or three people coded. The tables go to
bench-output/context.md and, where docs/accuracy.md has the marks, between its ``<!-- context -->`` marks.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from nlp.context import HIT_KINDS, PRESETS, Flags, HitKind, Preset, flag_hit, keep, kind_of_hit, rule_kind
from nlp.own_action import MODEL_FILE, TARGETS, own_action_model, vector_of
from nlp.own_action_training import (
    GOLD,
    RECALL,
    CodedHit,
    calibrate,
    coded_hits,
    fit,
    matrix_of,
    scores_of_unseen_firms,
    targets_of,
)
from tests.benchmarks.document import DOCUMENT, write_parts

ROOT = Path(__file__).resolve().parents[2]
ARTEFACT = ROOT / "nlp" / "data" / MODEL_FILE
OUTPUT = ROOT / "bench-output"
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """Coded hits with what is said of them; probabilities come from models that had not seen the firm."""

    hits: Sequence[CodedHit]
    flags: Sequence[Flags]
    targets: Booleans
    scores: Floats
    probabilities: Floats
    is_gold: Booleans

    def part(self, chosen: Booleans) -> Judged:
        """Return some of the hits."""
        places = [int(place) for place in np.flatnonzero(chosen)]
        return Judged(
            [self.hits[place] for place in places],
            [self.flags[place] for place in places],
            self.targets[chosen],
            self.scores[chosen],
            self.probabilities[chosen],
            self.is_gold[chosen],
        )


def wilson(true: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    if not total:
        return 0.0, 1.0
    share, base = true / total, 1 + z * z / total
    centre = (share + z * z / (2 * total)) / base
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / base
    return max(0.0, centre - half), min(1.0, centre + half)


def share(true: int, total: int) -> str:
    """Return a share with its interval and its counts."""
    if not total:
        return "- (0)"
    low, high = wilson(true, total)
    return f"{true / total:.2f} [{low:.2f}, {high:.2f}] ({true} of {total})"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def judge(hits: Sequence[CodedHit]) -> Judged:
    """Flag all hits and score each by a model without its firm; calibration likewise leaves the firm out."""
    flags = [flag_hit(hit.context, hit.names) for hit in hits]
    features = matrix_of([vector_of(hit.context, hit.names, flag) for hit, flag in zip(hits, flags, strict=True)])
    targets = targets_of(hits)
    scores = scores_of_unseen_firms(hits, features)
    firms = np.array([hit.firm for hit in hits])
    probabilities = np.zeros_like(scores)
    for firm in sorted(set(firms.tolist())):
        held_out = firms == firm
        for column in range(2):
            slope, offset = calibrate(scores[~held_out, column], targets[~held_out, column])
            probabilities[held_out, column] = 1 / (1 + np.exp(-(slope * scores[held_out, column] + offset)))
    probabilities[:, 1] = np.minimum(probabilities[:, 1], probabilities[:, 0])
    return Judged(hits, flags, targets, scores, probabilities, np.array([hit.draw == GOLD for hit in hits]))


def precision_at(values: Floats, target: Booleans, recall: float = RECALL) -> float:
    """Return the precision at the first cut that finds at least a share of the true ones."""
    order = np.argsort(-values, kind="stable")
    found = np.cumsum(target[order])
    cut = int(np.searchsorted(found, np.ceil(recall * target.sum()) - 1e-9))
    return float(found[cut] / (cut + 1))


def baseline_scores(hits: Sequence[CodedHit], target: Booleans) -> Floats:
    """Return scores of logistic regression on character n-grams alone, each firm by a model without it."""
    texts = [f"{hit.context.left[-110:]}{hit.context.hit}{hit.context.right[:90]}" for hit in hits]
    firms = np.array([hit.firm for hit in hits])
    scores = np.zeros(len(hits))
    for firm in sorted(set(firms.tolist())):
        held_out = firms == firm
        vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
        trained = vectorizer.fit_transform([text for text, out in zip(texts, held_out, strict=True) if not out])
        with threadpool_limits(limits=1):
            model = LogisticRegression(C=10.0, max_iter=2000).fit(trained, target[~held_out])
            held = vectorizer.transform([text for text, out in zip(texts, held_out, strict=True) if out])
            scores[held_out] = model.decision_function(held)
    return scores


def flags_table(judged: Judged) -> str:
    """Precision, recall and F1 of each kind by the rules; of several flags the first of the guide counts."""
    said = [rule_kind(flags) for flags in judged.flags]
    return table(["kind", "precision", "recall", "F1", "coded"], kind_rows(judged.hits, said))


def kind_rows(hits: Sequence[CodedHit], said: Sequence[HitKind]) -> list[list[object]]:
    """Return a row for each of the nine kinds."""
    pairs = Counter((hit.kind, kind) for hit, kind in zip(hits, said, strict=True))
    rows: list[list[object]] = []
    for kind in HIT_KINDS:
        true = pairs[kind, kind]
        found = sum(count for (_, other), count in pairs.items() if other == kind)
        coded = sum(count for (other, _), count in pairs.items() if other == kind)
        score = f"{2 * true / (found + coded):.2f}" if found + coded else "-"
        rows.append([f"`{kind}`", share(true, found), share(true, coded), score, coded])
    return rows


def presets_table(judged: Judged) -> str:
    """Share of own done action, and of own or planned action, among the hits that each preset keeps."""
    threshold = own_action_model().strict_threshold
    rules: list[tuple[str, Preset, bool]] = [(f"`{preset}`", preset, True) for preset in PRESETS]
    rules.append(("`strict`, rules alone", "strict", False))
    rows = []
    for name, preset, has_model in rules:
        kept = np.array(
            [
                keep(flags, float(done) if has_model else None, preset, threshold)
                for flags, done in zip(judged.flags, judged.probabilities[:, 1], strict=True)
            ],
            dtype=bool,
        )
        done, own = judged.targets[:, 1], judged.targets[:, 0]
        rows.append(
            [
                name,
                int(kept.sum()),
                share(int((done & kept).sum()), int(kept.sum())),
                share(int((own & kept).sum()), int(kept.sum())),
                share(int((done & kept).sum()), int(done.sum())),
            ]
        )
    return table(["preset", "kept", "own done action", "own or planned", "of all done, kept"], rows)


def targets_table(judged: Judged, gold_only: Floats) -> str:
    """Precision at a recall of 0.85 on gold hits of firms that were not seen."""
    gold = judged.part(judged.is_gold)
    rows = []
    asked = {"own_or_plan": ("0.88", "0.94"), "done": ("0.69", "0.82")}
    for column, name in enumerate(TARGETS):
        target = gold.targets[:, column]
        own_coded = judged.part(~judged.is_gold)
        rows.append(
            [
                f"`{name}`",
                f"{asked[name][0]} (all 477), {precision_at(baseline_scores(gold.hits, target), target):.2f} (these)",
                asked[name][1],
                f"{precision_at(gold.scores[:, column], target):.3f}",
                f"{precision_at(gold_only[:, column], target):.3f}",
                f"{precision_at(own_coded.scores[:, column], own_coded.targets[:, column]):.3f}",
                f"{precision_at(gold.scores[:, column], target, 0.95):.3f}",
            ]
        )
    head = ["precision at recall 0.85", "n-grams alone", "to reach", "**gold hits**", "trained on gold alone"]
    return table([*head, "other coded hits", "gold hits at recall 0.95"], rows)


def calibration_table(judged: Judged) -> str:
    """Mean probability of done beside the share that is done, in five groups."""
    edges = (0.0, 0.1, 0.3, 0.7, 0.9, 1.0 + 1e-9)
    rows = []
    for low, high in pairwise(edges):
        cells: list[object] = [f"{low:.1f} to {min(high, 1.0):.1f}"]
        for column in range(2):
            values, target = judged.probabilities[:, column], judged.targets[:, column]
            inside = (values >= low) & (values < high)
            number = int(inside.sum())
            cells.append(f"{values[inside].mean():.2f} / {target[inside].mean():.2f} ({number})" if number else "- (0)")
        rows.append(cells)
    return table(["probability", *(f"`{name}`: said / true (n)" for name in TARGETS)], rows)


def speed_table(hits: Sequence[CodedHit], repeats: int = 3) -> str:
    """Hits a second on one core, in processor time, so that other work on the machine does not count."""
    flags = [flag_hit(hit.context, hit.names) for hit in hits]
    rules = _seconds(lambda: [flag_hit(hit.context, hit.names) for hit in hits], repeats)
    model = own_action_model()

    def classify() -> None:
        model.probabilities([vector_of(h.context, h.names, f) for h, f in zip(hits, flags, strict=True)])

    both = rules + _seconds(classify, repeats)
    rows = [[name, f"{len(hits) / seconds:,.0f}"] for name, seconds in (("rules", rules), ("and classifier", both))]
    return table(["hits a second, one core", ""], rows)


def _seconds(work: Callable[[], object], repeats: int) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def draws_table(judged: Judged) -> str:
    """The same for each draw, so that hits coded after the rules were written stand alone."""
    rows = []
    for draw in dict.fromkeys(hit.draw for hit in judged.hits):
        part = judged.part(np.array([hit.draw == draw for hit in judged.hits]))
        said = [
            kind_of_hit(flags, float(own), float(done))
            for flags, (own, done) in zip(part.flags, part.probabilities, strict=True)
        ]
        right = sum(hit.kind == kind for hit, kind in zip(part.hits, said, strict=True))
        rules = sum(hit.kind == rule_kind(flags) for hit, flags in zip(part.hits, part.flags, strict=True))
        rows.append([draw, len(part.hits), share(rules, len(part.hits)), share(right, len(part.hits))])
    return table(["draw", "hits", "kind right: rules", "kind right: with classifier"], rows)


def measure() -> str:
    """Return all tables."""
    hits = sorted(coded_hits(), key=lambda hit: hit.id)
    judged = judge(hits)
    gold = judged.part(judged.is_gold)
    features = matrix_of([vector_of(hit.context, hit.names) for hit in gold.hits])
    gold_only = scores_of_unseen_firms(gold.hits, features)
    third = judged.part(np.array([hit.draw == "third" for hit in hits]))
    parts = [
        ("What is learned, on firms it has not seen", targets_table(judged, gold_only)),
        ("What the presets keep, gold hits", presets_table(gold)),
        ("Rules: each kind, gold hits", flags_table(gold)),
        ("Rules: each kind, hits coded after the rules were written", flags_table(third)),
        ("Presets, hits coded after the rules were written", presets_table(third)),
        ("By draw", draws_table(judged)),
        ("Calibration, all coded hits", calibration_table(judged)),
        ("Speed", speed_table(hits)),
    ]
    return "\n\n".join(f"**{title}**\n\n{content}" for title, content in parts)


def main() -> None:
    """Train if asked, measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", action="store_true", help="train and write the artefact first")
    if parser.parse_args().train:
        ARTEFACT.write_bytes(fit(coded_hits()).to_bytes())
        print(f"{ARTEFACT.name}: {ARTEFACT.stat().st_size:,} bytes")
        own_action_model.cache_clear()
    content = measure()
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "context.md").write_text(f"{content}\n", encoding="utf-8")
    if DOCUMENT.exists() and "<!-- context -->" in DOCUMENT.read_text(encoding="utf-8"):
        write_parts({"context": content})
    else:
        print(content)


if __name__ == "__main__":
    main()
