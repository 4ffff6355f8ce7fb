"""What every part of a study's report shares: both languages of a sentence, names of results, numbers as shown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from econometrics.study.results import StudyResults
from econometrics.study.tables import study_labels
from econometrics.tables.model import MINUS, Cell, Language
from econometrics.tables.policies import ESTIMATORS
from econometrics.tables.words import EFFECT_NAMES, effect_name, listed, message, variable_label

# A sentence or a word: Chinese, then English.
Both = tuple[str, str]
MOST_DECIMALS = 8
LANGUAGES: tuple[Language, Language] = ("zh", "en")

PART_WORDS: dict[str, Both] = {
    "variables": ("变量", "variable"),
    "sample": ("样本", "sample"),
    "descriptive": ("描述性统计", "descriptive statistics"),
    "correlations": ("相关系数", "correlations"),
    "models": ("模型", "model"),
    "magnitudes": ("经济意义", "economic magnitude"),
    "mediations": ("中介", "mediation"),
    "groups": ("分组", "groups"),
    "indirect_groups": ("分组间接效应", "indirect effects by group"),
    "families": ("多重分组检验", "family of splits"),
    "moderations": ("调节", "moderation"),
    "u_tests": ("U 型检验", "U test"),
    "thresholds": ("门槛", "threshold"),
    "staggered": ("政策", "policy"),
    "placebos": ("安慰剂", "placebo"),
    "honest_bounds": ("平行趋势敏感性", "honest bounds"),
    "robustness": ("稳健性", "robustness"),
    "curves": ("设定曲线", "specification curve"),
    "measurement_error": ("测量误差", "measurement error"),
    "emissions": ("排放分解", "emission decomposition"),
    "tables": ("表", "table"),
    "figures": ("图", "figure"),
}
PART_TITLES: dict[str, Both] = {
    "robustness": ("稳健性检验", "Robustness"),
    "curves": ("设定曲线：按设定选择", "Specification curve, by choice"),
    "measurement_error": ("测量误差校正", "Correction for measurement error"),
    "indirect_groups": ("分组间接效应", "Indirect effects by group"),
    "families": ("多重分组检验", "Family of splits"),
    "moderations": ("调节效应", "Moderation"),
    "u_tests": ("U 型检验", "U test"),
    "thresholds": ("门槛回归", "Threshold regression"),
    "placebos": ("空间安慰剂检验", "Placebo in space"),
    "honest_bounds": ("平行趋势敏感性", "Honest parallel-trend bounds"),
}
# Under which key of the specification the results of a part are declared, where the two names differ.
_DECLARED = {
    "mediations": "mediation",
    "groups": "heterogeneity",
    "indirect_groups": "heterogeneity",
    "moderations": "moderators",
    "placebos": "staggered",
    "honest_bounds": "staggered",
    "curves": "specification_curve",
}
_KINDS: dict[str, Both] = {
    "attenuation": ("信度校正", "corrected by reliability"),
    "simex": ("SIMEX", "SIMEX"),
    "related_instruments": ("两种测量互为工具变量（ORIV）", "two measures as instruments (ORIV)"),
}
# What a result without a title of its own is about.
_ABOUT = {
    "moderations": "moderator",
    "u_tests": "regressor",
    "thresholds": "threshold_variable",
    "measurement_error": "term",
}


@dataclass(frozen=True)
class Naming:
    """What variables and results of a study are called in both languages.

    Parameters
    ----------
    results : StudyResults
        The study.
    """

    results: StudyResults

    @cached_property
    def labels(self) -> dict[Language, dict[str, str]]:
        """Labels of the columns by language."""
        return {language: study_labels(self.results, language) for language in LANGUAGES}

    def variable(self, name: str) -> Both:
        """Return what a variable or a product of variables is called."""
        zh, en = (variable_label(name, self.labels[language]) for language in LANGUAGES)
        return zh, en

    def variables(self, names: Iterable[str]) -> Both:
        """Return several variables joined as each language does."""
        given = [self.variable(name) for name in names]
        return listed((zh for zh, _ in given), "zh"), listed((en for _, en in given), "en")

    def effect(self, name: str) -> Both:
        """Return what a fixed effect or a cluster is called."""
        zh, en = (effect_name(name, self._own(name, language), language) for language in LANGUAGES)
        return zh, en.lower() if all(part in EFFECT_NAMES for part in name.split("^")) else en

    def message(self, text: str) -> Both:
        """Return a warning, an assumption or a reason in both languages, as far as there is Chinese for it."""
        return message(text, self.labels["zh"], "zh"), text

    def effects(self, names: Iterable[str]) -> Both:
        """Return several effects or clusters joined as each language does."""
        given = [self.effect(name) for name in names]
        return listed((zh for zh, _ in given), "zh"), listed((en for _, en in given), "en")

    def _own(self, name: str, language: Language) -> dict[str, str]:
        # The field's word for firm and year is better than what the column is called ("stock code").
        own = self.labels[language]
        return {part: own[part] for part in name.split("^") if part in own and part not in EFFECT_NAMES}

    def title(self, part: str, name: str) -> Both:
        """Return the title of a result as declared, else the label of the variable of its name, else its name."""
        declared = getattr(self.results.spec, _DECLARED.get(part, part), None)
        # A specification's entry can have several results: "digital: simex".
        first, _, rest = name.partition(": ")
        entry = declared.get(first) if isinstance(declared, Mapping) else None
        about = first
        if part in _ABOUT:
            about = str(getattr(getattr(self.results, part).get(name), _ABOUT[part], "") or first)
        # Names of results are no products of variables, whatever stands in them.
        own = (self.labels["zh"].get(about, about), self.labels["en"].get(about, about))
        zh, en = both_titles(getattr(entry, "title", None), own)
        if not rest:
            return zh, en
        more = _KINDS.get(rest) or ESTIMATORS.get(rest, (rest, rest))
        return f"{zh}：{more[0]}", f"{en}: {more[1]}"

    def of(self, part: str, name: str) -> Both:
        """Return a result with the word of its kind before it: 模型“基准”, model "Baseline"."""
        (zh, en), (kind_zh, kind_en) = self.title(part, name), PART_WORDS.get(part, (part, part))
        return f"{kind_zh}“{zh}”", f'{kind_en} "{en}"'

    def of_all(self, places: Sequence[tuple[str, str]]) -> Both:
        """Return several results, those of one kind together."""
        kinds = dict.fromkeys(part for part, _ in places)
        zh, en = [], []
        for kind in kinds:
            names = list(dict.fromkeys(self.title(part, name) for part, name in places if part == kind))
            word_zh, word_en = PART_WORDS.get(kind, (kind, kind))
            zh.append(word_zh + "、".join(f"“{each}”" for each, _ in names))
            en.append(f"{word_en} " + ", ".join(f'"{each}"' for _, each in names))
        return listed(zh, "zh"), listed(en, "en")


def both_titles(given: Any, default: Both) -> Both:
    """Return a title by language as a pair; a language without one takes the other's, and without any the default."""
    titles = given if isinstance(given, Mapping) else {}
    zh, en = str(titles.get("zh", "") or ""), str(titles.get("en", "") or "")
    return (zh or en, en or zh) if zh or en else default


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many decimals, or more where it would keep fewer than two digits; a dash if missing."""
    return Cell((float(value),), digits=_decimals(digits, value)).shown(MINUS)


def interval(low: float, high: float, digits: int = 3) -> str:
    """Return an interval in brackets, both ends with the same decimals."""
    return Cell((float(low), float(high)), digits=_decimals(digits, max(abs(low), abs(high)))).shown(MINUS)


def _decimals(digits: int, value: float) -> int:
    """Return the decimals that leave a number two digits that are not zero."""
    if not math.isfinite(value) or value == 0:
        return digits
    return min(max(digits, 1 - math.floor(math.log10(abs(value)))), MOST_DECIMALS)


def p_text(value: float) -> str:
    """Return "p = 0.012" or "p < 0.001"."""
    if not math.isfinite(value):
        return "p —"
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def percent(share: float) -> str:
    """Return a share as a percentage with one decimal."""
    return Cell((float(share),), digits=1, style="percent").shown(MINUS)


def excludes_zero(low: float, high: float) -> bool:
    """Whether an interval is known and does not hold zero."""
    return math.isfinite(low) and math.isfinite(high) and (low > 0 or high < 0)


def is_binary(column: pd.Series) -> bool:
    """Whether a column is 0 or 1 wherever it is known."""
    known = column.dropna()
    if known.empty:
        return False
    return bool(pd.api.types.is_bool_dtype(known.dtype) or known.isin([0, 1]).all())


def main_term(model: Any) -> str:
    """Return the term that a model is about: the instrumented variable, else the first regressor."""
    endogenous = tuple(getattr(model, "endogenous", ()) or ())
    terms = [str(term) for term in model.coefficients.index]
    first = [*endogenous, *getattr(model, "regressors", ()), *terms]
    return next((str(term) for term in first if term in terms), terms[0] if terms else "")


def main_model(results: StudyResults) -> tuple[str, Any] | None:
    """Return the model that the main answer comes from.

    It is the one that the specification names; else the one that the first mediation decomposes, the one that most of
    the other parts (groups, checks, curves) build on, the first one with an economic magnitude, the first one.

    Parameters
    ----------
    results : StudyResults
        The study.
    """
    spec, models = results.spec, results.models
    chosen = [name for name in [getattr(spec, "main", None)] if name in models]
    mediated = [
        name
        for mediation in results.mediations.values()
        for name, model in models.items()
        if (model.outcome, main_term(model)) == (mediation.outcome, mediation.treatment)
    ]
    parts = (spec.mediation, spec.heterogeneity, spec.robustness, spec.specification_curve, spec.moderators)
    named = Counter(getattr(each, "model", None) for part in parts for each in part.values())
    built_on = [name for name, _ in named.most_common() if name in models]
    # Of several models of a mediation's treatment and outcome, the one that is built on most.
    of_mediation = [name for name in built_on if name in mediated] or mediated
    with_magnitude = [name for name in results.magnitudes if name in models]
    name = next(iter([*chosen, *of_mediation, *built_on, *with_magnitude, *models]), None)
    return None if name is None else (name, models[name])
