"""What a reader must know before believing a study: few clusters, weak instruments, the emission trap, and the like.

Every sentence is made in both languages from the numbers of the results, never from the words of another sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from econometrics.emissions.decomposition import ApportionmentDecomposition
from econometrics.estimation.build import FEW_CLUSTERS
from econometrics.instrument.result import WEAK_F
from econometrics.report.base import Naming, p_text, percent
from econometrics.report.diagnostic_words import SENTENCES, Kind, Weight
from econometrics.report.emissions import emission_decompositions, is_nearly_apportioned, joint_r2
from econometrics.report.findings import share_reason
from econometrics.study.results import StudyResults
from econometrics.tables.policies import ESTIMATORS

# Nunnally (1978): below it an index is too noisy for research; attenuation is then at least three tenths.
LOW_RELIABILITY = 0.7
LARGE_FORBIDDEN_WEIGHT = 0.1
SIGNIFICANT = 0.05

_ORDER: dict[str, int] = {name: place for place, name in enumerate(get_args(Weight))}


@dataclass(frozen=True)
class Diagnostic:
    """One thing that a reader must know.

    Parameters
    ----------
    kind : str
        Which.
    weight : {"serious", "caution", "note"}
        Whether it can overturn the answer, may change it, or only says what was done.
    places : tuple of (str, str)
        Part and name of the results that it is about.
    facts : mapping of str to str
        What the sentences were filled with.
    zh, en : str
        The sentence in both languages.
    message, message_zh : str
        Why, in the words of the error, and in Chinese as far as there is; empty for most.
    """

    kind: Kind
    weight: Weight
    places: tuple[tuple[str, str], ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    zh: str = ""
    en: str = ""
    message: str = ""
    message_zh: str = ""


def study_diagnostics(
    results: StudyResults, naming: Naming, decompositions: Mapping[str, ApportionmentDecomposition] | None = None
) -> list[Diagnostic]:
    """Collect what a reader must know, the most serious first.

    Parameters
    ----------
    results : StudyResults
        The study.
    naming : Naming
        What things are called.
    decompositions : mapping of str to ApportionmentDecomposition, optional
        Of emission intensities; outcomes that are apportioned are found by themselves where the panel has cost and
        revenue.

    Returns
    -------
    list of Diagnostic
        Serious ones first, then by the order of the study.
    """
    find = _Finder(results, naming)
    found = [
        *find.emissions(decompositions or {}),
        *find.notes(),
        *find.instruments(),
        *find.reliabilities(),
        *find.few_clusters(),
        *find.failures(),
        *find.incomplete(),
        *find.groups(),
        *find.policies(),
        *find.checks(),
        *find.shares(),
        *find.collinear(),
        *find.rows("singletons", lambda reason: reason.startswith("singleton")),
        *find.rows("dropped", lambda reason: reason.startswith(("missing", "infinite"))),
        *find.units(),
    ]
    return sorted(found, key=lambda each: _ORDER[each.weight])


class _Finder:
    """Looks through the results of a study."""

    def __init__(self, results: StudyResults, naming: Naming) -> None:
        self.results, self.naming = results, naming

    def _say(self, kind: Kind, places: Iterable[tuple[str, str]], **facts: str) -> Diagnostic:
        own = tuple(places)
        where = self.naming.of_all(own) if own else ("", "")
        filled = {"where_zh": where[0], "where_en": where[1][:1].upper() + where[1][1:], **facts}
        weight, zh, en = SENTENCES[kind]
        message = self.naming.message(facts.get("message", ""))
        return Diagnostic(kind, weight, own, facts, zh.format(**filled), en.format(**filled), message[1], message[0])

    def _regressions(self) -> list[tuple[str, str, Any]]:
        own = [("models", name, model) for name, model in self.results.models.items()]
        for part, attribute in (("moderations", "model"), ("u_tests", "model"), ("thresholds", "model")):
            own += [(part, name, getattr(each, attribute)) for name, each in getattr(self.results, part).items()]
        for name, each in self.results.measurement_error.items():
            # Two measures that instrument each other are a regression of their own.
            own += [("measurement_error", name, each.result)] if hasattr(each, "result") else []
        return own

    def emissions(self, given: Mapping[str, ApportionmentDecomposition]) -> Iterable[Diagnostic]:
        found = [(("emissions", name), each) for name, each in given.items()]
        seen = emission_decompositions(self.results)
        found += [(("emissions", name), each) for name, each in seen.items() if name not in given]
        for own, each in found:
            between, joint = (percent(value) for value in (each.r2("industry-year", "logs"), joint_r2(each)))
            if each.is_apportioned:
                kind: Kind = "emission_trap"
            else:
                kind = "emission_nearly" if is_nearly_apportioned(each) else "emission_measured"
            facts = {"sentence_zh": each.sentence("zh"), "sentence_en": each.sentence("en")}
            yield self._say(kind, [own], between=between, joint=joint, **facts)

    def notes(self) -> Iterable[Diagnostic]:
        """What the panel's own steps said of it; assumptions stand in the panel's outputs."""
        for note in self.results.notes:
            if note.kind != "assumption":
                kind: Kind = "panel_decomposition" if note.kind == "decomposition" else "panel_warning"
                yield self._say(kind, [], sentence_zh=note.text("zh"), sentence_en=note.text("en"))

    def instruments(self) -> Iterable[Diagnostic]:
        for part, name, model in self._regressions():
            tests = getattr(model, "weak_instruments", None)
            if tests is None:
                continue
            f, effective = float(tests.kleibergen_paap_f), float(tests.effective_f)
            critical = float(tests.effective_f_critical_values.get(0.10, math.nan))
            zh, en = (
                f"Kleibergen-Paap F = {f:.2f}（经验界限 {WEAK_F:g}）",
                f"Kleibergen-Paap F = {f:.2f} (rule of thumb {WEAK_F:g})",
            )
            if math.isfinite(effective) and math.isfinite(critical):
                zh += f"，有效 F = {effective:.2f}（10% 偏误临界值 {critical:.2f}）"
                en += f", effective F = {effective:.2f} (critical value {critical:.2f} for a bias of 10%)"
            weak = f < WEAK_F or effective < critical
            yield self._say(
                "weak_instrument" if weak else "strong_instrument", [(part, name)], strength_zh=zh, strength_en=en
            )
        for name, mediation in self.results.mediations.items():
            weak_f = {column: value for column, value in mediation.first_stages.items() if value < WEAK_F}
            for column, value in weak_f.items():
                zh, en = self.naming.variable(column)
                text = f"Kleibergen-Paap F = {value:.2f}"
                yield self._say(
                    "weak_instrument", [("mediations", name)], strength_zh=f"{zh} {text}", strength_en=f"{en} {text}"
                )

    def reliabilities(self) -> Iterable[Diagnostic]:
        for name, each in self.results.measurement_error.items():
            given, within = _number(each, "reliability"), _number(each, "within_reliability")
            known = [value for value in (given, within) if math.isfinite(value)]
            if not known:
                continue
            zh, en = f"{known[0]:.2f}", f"{known[0]:.2f}"
            if math.isfinite(within) and within != known[0]:
                zh, en = f"{zh}，扣除固定效应后 {within:.2f}", f"{en}, {within:.2f} after the fixed effects"
            shares = getattr(each, "partial_reliability", None) or {}
            share = float(shares.get(getattr(each, "main", ""), math.nan))
            share_zh, share_en = "", ""
            if math.isfinite(share):
                share_zh = f"，未校正系数约为校正后的 {percent(share)}"
                share_en = f", the uncorrected one is {percent(share)} of the corrected one"
            kind: Kind = "low_reliability" if min(known) < LOW_RELIABILITY else "reliability"
            facts = {"found_zh": zh, "found_en": en, "share_zh": share_zh, "share_en": share_en}
            yield self._say(kind, [("measurement_error", name)], low=f"{LOW_RELIABILITY:g}", **facts)

    def few_clusters(self) -> Iterable[Diagnostic]:
        found: dict[tuple[str, int], list[tuple[str, str]]] = {}
        for part, name, each in self._clustered():
            counts = {level: int(count) for level, count in (getattr(each, "clusters", None) or {}).items()}
            for level, count in counts.items():
                if count < FEW_CLUSTERS:
                    places = found.setdefault((level, count), [])
                    places += [(part, name)] if (part, name) not in places else []
        for (level, count), places in sorted(found.items(), key=lambda item: item[0][1]):
            zh, en = self.naming.effect(level)
            facts = {"count": f"{count:,}", "few": f"{FEW_CLUSTERS}", "level_zh": zh, "level_en": en}
            yield self._say("few_clusters", places, **facts)

    def _clustered(self) -> Iterable[tuple[str, str, Any]]:
        yield from (own for own in self._regressions() if getattr(own[2], "standard_error_kind", "") == "cluster")
        yield from (("mediations", name, each) for name, each in self.results.mediations.items())
        for name, split in self.results.groups.items():
            yield from (("groups", name, model) for model in split.models.values())
        for name, comparison in self.results.staggered.items():
            yield from (("staggered", name, each) for each in comparison.results.values())

    def failures(self) -> Iterable[Diagnostic]:
        # Checks of a battery have their own sentences, with labels in both languages.
        checks = {
            f"{name}: {row.label_en}"
            for name, each in self.results.robustness.items()
            for row in each.rows
            if row.reason
        }
        for each in self.results.failures:
            if each.part == "robustness" and each.name in checks:
                continue
            line_zh, line_en = (f"（第 {each.line} 行）", f" (line {each.line})") if each.line else ("", "")
            facts = {"message": each.message, "line_zh": line_zh, "line_en": line_en}
            yield self._say(each.kind, [(each.part, each.name)], **facts)

    def incomplete(self) -> Iterable[Diagnostic]:
        for part, plans in (("tables", self.results.tables), ("figures", self.results.figures)):
            for plan in plans:
                if plan.missing:
                    zh, en = "、".join(plan.missing), ", ".join(plan.missing)
                    yield self._say("not_shown", [(part, plan.name)], missing_zh=zh, missing_en=en)

    def groups(self) -> Iterable[Diagnostic]:
        for name, each in self.results.groups.items():
            for group, message in each.flags.items():
                zh, en = self.naming.variable(str(group))
                yield self._say("group_flagged", [("groups", name)], group_zh=zh, group_en=en, message=message)

    def policies(self) -> Iterable[Diagnostic]:
        for name, each in self.results.staggered.items():
            place = [("staggered", name)]
            told = {own.name for own in self.results.failures if own.part == "staggered"}
            for estimator, message in each.failures.items():
                if f"{name}: {estimator}" in told:
                    continue
                zh, en = ESTIMATORS.get(estimator, (estimator, estimator))
                yield self._say("estimator_failed", place, estimator_zh=zh, estimator_en=en, message=message)
            early = {own: result.pre_trend_test()["p_value"] for own, result in each.results.items()}
            early = {own: value for own, value in early.items() if value < SIGNIFICANT}
            if early:
                words = [(*ESTIMATORS.get(own, (own, own)), p_text(value)) for own, value in early.items()]
                zh, en = "、".join(f"{a} {p}" for a, _, p in words), ", ".join(f"{b} {p}" for _, b, p in words)
                yield self._say("pre_trend", place, found_zh=zh, found_en=en)
            if each.bacon is not None and each.bacon.forbidden_weight > LARGE_FORBIDDEN_WEIGHT:
                yield self._say("forbidden_weight", place, share=percent(each.bacon.forbidden_weight))

    def checks(self) -> Iterable[Diagnostic]:
        for name, each in self.results.robustness.items():
            for row in each.rows:
                if row.reason:
                    facts = {"check_zh": row.label_zh, "check_en": row.label_en, "message": row.reason}
                    yield self._say("check_failed", [("robustness", name)], **facts)

    def shares(self) -> Iterable[Diagnostic]:
        for name, each in self.results.mediations.items():
            if not math.isfinite(each.share_mediated):
                zh, en = share_reason(each)
                yield self._say("share_not_shown", [("mediations", name)], reason_zh=zh, reason_en=en)

    def collinear(self) -> Iterable[Diagnostic]:
        found: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for part, name, each in [
            *self._regressions(),
            *(("mediations", *own) for own in self.results.mediations.items()),
        ]:
            terms = tuple(str(term) for term in getattr(each, "collinear", ()) or ())
            if terms:
                found.setdefault(terms, []).append((part, name))
        for terms, places in found.items():
            zh, en = self.naming.variables(terms)
            yield self._say("collinear", places, terms_zh=zh, terms_en=en)

    def rows(self, kind: Kind, wanted: Any) -> Iterable[Diagnostic]:
        found: dict[int, list[tuple[str, str]]] = {}
        for part, name, each in [
            *self._regressions(),
            *(("mediations", *own) for own in self.results.mediations.items()),
        ]:
            count = sum(rows for reason, rows in (each.dropped or {}).items() if wanted(reason))
            if count:
                found.setdefault(int(count), []).append((part, name))
        for count, places in found.items():
            yield self._say(kind, places, count=f"{count:,}")

    def units(self) -> Iterable[Diagnostic]:
        used = dict.fromkeys(
            str(name) for model in self.results.models.values() for name in (model.outcome, *model.regressors)
        )
        known = [name for name in used if name in self.results.variables and self.results.variables[name].unit]
        if known:
            names = [(*self.naming.variable(name), self.results.variables[name].unit) for name in known]
            zh, en = (
                "；".join(f"{a}（{unit}）" for a, _, unit in names),
                "; ".join(f"{b} ({unit})" for _, b, unit in names),
            )
            yield self._say("units", [], units_zh=zh, units_en=en)


def _number(result: Any, name: str) -> float:
    found = getattr(result, name, None)
    return float(found) if isinstance(found, int | float) else math.nan
