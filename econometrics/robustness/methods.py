"""Checks by other methods: matching, balancing, selection, placebo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from econometrics.estimation.sample import columns_of, numeric_values
from econometrics.matching.estimate import entropy_balance, propensity_match
from econometrics.matching.result import Matching
from econometrics.matching.sample import Cut
from econometrics.placebo.permutation import permutation_placebo
from econometrics.placebo.shuffles import PlaceboScheme, PlaceboStatistic
from econometrics.robustness.baseline import Baseline
from econometrics.robustness.setting import Finding, MethodCheck, Names, Setting
from econometrics.sample_selection.two_step import heckman
from shuzhi import SpecError


def finding(result: Any, term: str, *, clusters: dict[str, int], dropped: dict[str, int]) -> Finding:
    """Make a finding of a result with ``to_frame`` and ``warnings``, whose first row of the term counts.

    Parameters
    ----------
    result : object
        Result of an estimate.
    term : str
        Term of interest.
    clusters, dropped : dict of str to int
        Of the result.
    """
    frame: pd.DataFrame = result.to_frame()
    return Finding(
        rows=frame[frame["term"] == term].head(1).reset_index(drop=True),
        clusters=min(clusters.values()) if clusters else None,
        within_r2=float(getattr(result, "within_r2", np.nan)),
        dropped=dropped,
        warnings=tuple(result.warnings),
        result=result,
    )


def others_of(model: Baseline) -> tuple[str, ...]:
    """Terms beside the first of the focus.

    Parameters
    ----------
    model : Baseline
        The model.
    """
    return tuple(name for name in model.terms if name != model.focus[0])


def refuse_weights(model: Baseline, what: str) -> None:
    """Refuse a baseline with weights where a method takes none.

    Parameters
    ----------
    model : Baseline
        The model.
    what : str
        The method, for the message.
    """
    if model.weights:
        raise SpecError(f"{what} takes no weights; the baseline weights by {model.weights}")


@dataclass(frozen=True)
class PropensityMatching(MethodCheck):
    """Match rows by their propensity score, then estimate on the matched rows.

    Parameters
    ----------
    covariates : tuple of str
        Of the score; by default the controls.
    categories, exact : tuple of str
        Columns as dummies of the score, and columns that must agree; by default ``exact`` is the year.
    cut : "median", "mean", number, optional
        For a continuous regressor, within the year; by default the median.
    keep_regressor : bool
        Estimate the effect of the regressor as it is, on the matched rows; else that of being treated.
    method, neighbours, caliper, replacement, seed
        As in ``propensity_match``.
    """

    covariates: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    exact: tuple[str, ...] | None = None
    cut: Cut | None = None
    keep_regressor: bool = False
    method: Literal["nearest", "kernel"] = "nearest"
    neighbours: int = 1
    caliper: float | None = 0.2
    replacement: bool = True
    seed: int = 1
    kind: ClassVar[str] = "match"
    main: ClassVar[str] = "covariates"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        exact = (model.year,) if self.exact is None else self.exact
        return (*self.covariates, *self.categories, *columns_of(exact))

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is done."""
        if self.method == "kernel":
            return "倾向得分匹配（核匹配）", "Propensity-score matching (kernel)"
        how = ("有放回", "with") if self.replacement else ("无放回", "without")
        return (
            f"倾向得分匹配（1:{self.neighbours} {how[0]}）",
            f"Propensity-score matching (1:{self.neighbours} {how[1]} replacement)",
        )

    def run(self, setting: Setting) -> Finding:
        """Match and estimate."""
        refuse_weights(setting.model, "matching")
        options = _matching_options(setting, self.covariates, self.categories, self.exact, self.cut)
        found = propensity_match(
            **options,
            method=self.method,
            neighbours=self.neighbours,
            caliper=self.caliper,
            replacement=self.replacement,
            regressors=setting.model.focus[:1] if self.keep_regressor else None,
            seed=self.seed,
        )
        return _matched(found)


@dataclass(frozen=True)
class EntropyBalancing(MethodCheck):
    """Weight rows so that covariates are balanced, then estimate.

    Parameters
    ----------
    covariates, categories, exact, cut, keep_regressor
        As for ``PropensityMatching``; by default the whole sample is balanced at once.
    moments : {1, 2}
        Means, or means and variances.
    """

    covariates: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    cut: Cut | None = None
    keep_regressor: bool = False
    moments: Literal[1, 2] = 1
    kind: ClassVar[str] = "entropy_balance"
    main: ClassVar[str] = "covariates"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        return (*self.covariates, *self.categories, *columns_of(self.exact))

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is done."""
        what = ("均值", "means") if self.moments == 1 else ("均值与方差", "means and variances")
        return f"熵平衡（{what[0]}）", f"Entropy balancing ({what[1]})"

    def run(self, setting: Setting) -> Finding:
        """Balance and estimate."""
        refuse_weights(setting.model, "entropy balancing")
        options = _matching_options(setting, self.covariates, self.categories, self.exact, self.cut)
        found = entropy_balance(
            **options,
            moments=self.moments,
            regressors=setting.model.focus[:1] if self.keep_regressor else None,
        )
        return _matched(found)


def _matching_options(
    setting: Setting,
    covariates: tuple[str, ...],
    categories: tuple[str, ...],
    exact: tuple[str, ...] | None,
    cut: Cut | None,
) -> dict[str, Any]:
    model, data = setting.model, setting.data
    focus = model.focus[0]
    values = numeric_values(data[focus])
    has_year = model.year in data.columns
    if cut is None and not np.isin(values[np.isfinite(values)], (0.0, 1.0)).all():
        cut = "median"
    if not covariates and not model.controls:
        raise SpecError("a matching needs covariates: the baseline has no controls to take")
    return {
        "data": data,
        "outcome": model.outcome,
        "treatment": focus,
        "covariates": covariates or model.controls,
        "categories": categories,
        "exact": ((model.year,) if has_year else ()) if exact is None else exact,
        "cut": cut,
        "cut_within": (model.year,) if has_year and isinstance(cut, str) else (),
        "controls": others_of(model),
        "fixed_effects": model.fixed_effects,
        "cluster": model.cluster,
    }


def _matched(found: Matching) -> Finding:
    frame = found.regression.to_frame()
    return Finding(
        rows=frame[frame["term"] == found.terms[0]].reset_index(drop=True),
        clusters=min(found.regression.clusters.values()) if found.regression.clusters else None,
        within_r2=found.regression.within_r2,
        dropped={**found.dropped, "not matched": len(found.weights) - int((found.weights > 0).sum())},
        warnings=found.warnings,
        result=found,
    )


@dataclass(frozen=True)
class Selection(MethodCheck):
    """Heckman's correction for a selected sample.

    Parameters
    ----------
    excluded : tuple of str
        Variables that move the selection and not the outcome.
    selected : str
        Column of 0 and 1; by default rows are selected where the outcome is known.
    categories : tuple of str
        Columns that enter the probit as dummies; by default the year.
    """

    excluded: tuple[str, ...]
    selected: str = ""
    categories: tuple[str, ...] | None = None
    kind: ClassVar[str] = "heckman"
    main: ClassVar[str] = "excluded"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        own = (self.selected,) if self.selected else ()
        return (*self.excluded, *own, *((model.year,) if self.categories is None else self.categories))

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is done."""
        return "Heckman 两步法", "Heckman two-step"

    def run(self, setting: Setting) -> Finding:
        """Estimate both steps."""
        model = setting.model
        refuse_weights(model, "Heckman's correction")
        if len(model.cluster) > 1:
            raise SpecError("Heckman's correction takes one cluster variable")
        found = heckman(
            setting.data,
            model.outcome,
            (model.focus[0], *others_of(model)),
            (*model.terms, *self.excluded),
            selected=self.selected or None,
            selection_categories=(model.year,) if self.categories is None else self.categories,
            fixed_effects=model.fixed_effects,
            cluster=model.cluster[0] if model.cluster else None,
        )
        return finding(found, model.focus[0], clusters=found.clusters, dropped=found.dropped)


@dataclass(frozen=True)
class Placebo(MethodCheck):
    """Deal the treatment out at random; the p value says how often that gives as much.

    Parameters
    ----------
    scheme, within, statistic, draws, seed
        As in ``permutation_placebo``.
    """

    scheme: PlaceboScheme = "firms"
    within: tuple[str, ...] = ()
    statistic: PlaceboStatistic = "estimate"
    draws: int = 1000
    seed: int = 1
    kind: ClassVar[str] = "placebo"
    main: ClassVar[str] = "scheme"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        keys = (model.firm, model.year) if self.scheme != "rows" else ()
        return (*columns_of(self.within), *keys)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is done."""
        what = {
            "firms": ("企业间随机置换", "firms exchanged"),
            "rows": ("观测间随机置换", "rows exchanged"),
            "random_adoption": ("随机处理组与时点", "random firms and dates"),
        }[self.scheme]
        place = (f"，{names.zh(*self.within)}内", f" within {names.en(*self.within)}") if self.within else ("", "")
        by = ("，比较 t 值", ", t compared") if self.statistic == "t" else ("", "")
        return (
            f"安慰剂检验（{what[0]}{place[0]}，{self.draws} 次{by[0]}）",
            f"Placebo ({what[1]}{place[1]}, {self.draws:,} draws{by[1]})",
        )

    def run(self, setting: Setting) -> Finding:
        """Draw the placebos."""
        model = setting.model
        found = permutation_placebo(
            setting.data,
            model.outcome,
            model.focus[0],
            controls=others_of(model),
            fixed_effects=model.fixed_effects,
            cluster=model.cluster[0] if len(model.cluster) == 1 else None,
            weights=model.weights,
            scheme=self.scheme,
            within=self.within,
            firm=model.firm,
            year=model.year,
            statistic=self.statistic,
            draws=self.draws,
            seed=self.seed,
        )
        return finding(found, model.focus[0], clusters={}, dropped=found.dropped)
