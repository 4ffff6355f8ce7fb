"""Specification curve: every reasonable model at once, and whether all of them together could be chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from econometrics.estimation.effects import Floats
from econometrics.estimation.result import Regression
from econometrics.estimation.sample import columns_of
from econometrics.placebo.shuffles import Scheme
from econometrics.robustness.baseline import Baseline, as_baseline, raise_problems, unknown_columns
from econometrics.robustness.setting import Setting
from econometrics.specification_curve.fits import Workshop
from econometrics.specification_curve.null import NullCurves, null_curves
from econometrics.specification_curve.result import SpecificationCurve
from econometrics.specification_curve.space import Maker, Specification, chosen_combinations, read_alternatives
from shuzhi import EstimationError, ShuzhiError, SpecError


def estimate_specifications(
    data: pd.DataFrame,
    baseline: Baseline | Mapping[str, Any],
    alternatives: Mapping[str, Any],
    *,
    draws: int = 500,
    scheme: Scheme = "firms",
    within: tuple[str, ...] = (),
    level: float = 0.05,
    most: int = 2000,
    seed: int = 1,
) -> SpecificationCurve:
    """Estimate every combination of the declared alternatives, and test all of them together.

    The joint tests deal the regressor out at random (to whole firms, or rows), the same way for all specifications of a
    draw, and compare the median estimate, the share of significant estimates of the more frequent sign, and the mean of
    the z values with what then comes out: (k + 1) / (B + 1).

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    baseline : Baseline or mapping
        The model that is varied; its first focus is followed.
    alternatives : mapping
        Options by dimension, see ``read_alternatives``.
    draws : int
        Of the joint tests; 0 for none.
    scheme, within
        What is exchanged, as in ``permutation_placebo``.
    level : float
        Significance level.
    most : int
        Most specifications; of more, so many are drawn at random.
    seed : int
        Of both draws.

    Raises
    ------
    SpecError
        Alternatives or columns that do not exist: all at once.
    EstimationError
        No specification can be estimated.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), Specification curve analysis, Nature Human Behaviour 4.
    """
    if not 0 < level < 1 or draws < 0 or most < 1:
        raise SpecError("level lies between 0 and 1, draws cannot be negative and most is 1 or more")
    model = as_baseline(baseline)
    keys = [model.firm, model.year] if draws and scheme == "firms" else []
    raise_problems(unknown_columns(data, [*model.columns, *keys, *columns_of(within)], "baseline"))
    dimensions = read_alternatives(alternatives, data, model)
    combinations, possible = chosen_combinations(dimensions, most, seed)
    wanted = [check.needs(model) for options in dimensions for option in options for check in option.checks]
    needed = dict.fromkeys([*model.columns, *keys, *columns_of(within), *(name for names in wanted for name in names)])
    maker = Maker(Setting(data[list(needed)].reset_index(drop=True), model))
    workshop = Workshop()
    known = np.ones(len(data), dtype=np.bool_)
    rows, usable = [], []
    for number, choices in enumerate(combinations):
        each = maker.make(choices)
        found = _fit(each, workshop)
        rows.append(_row(number, each, found, level))
        if isinstance(found, Regression) and each.regressor is not None:
            usable.append(number)
            known &= np.isfinite(each.regressor)
    if not usable:
        raise EstimationError(f"no specification can be estimated; the first: {rows[0]['reason']}")
    frame = pd.DataFrame(rows)
    frame["clusters"] = frame["clusters"].astype("Int64")
    names = tuple(options[0].dimension for options in dimensions)
    notes = _notes(frame, possible, len(combinations))
    tests = pd.DataFrame(columns=["test", "statistic", "p_value", "null_mean", "draws"])
    frame["null_low"], frame["null_high"] = np.nan, np.nan
    if draws:
        null = null_curves(
            maker,
            [combinations[number] for number in usable],
            known,
            workshop,
            scheme=scheme,
            within=within,
            draws=draws,
            seed=seed,
        )
        tests = joint_tests(null, level)
        notes += null.warnings
        frame = _with_band(frame, usable, null)
    order = frame.sort_values("estimate", kind="stable", na_position="last").reset_index(drop=True)
    order = _band_by_rank(order)
    return SpecificationCurve(
        baseline=model,
        choices=names,
        estimates=order,
        joint_tests=tests,
        specifications=len(usable),
        possible=possible,
        level=level,
        observations=int(frame["observations"].max()),
        draws=draws,
        seed=seed,
        assumptions=(
            "every specification is a reasonable one: those that are not would dilute or carry the curve",
            *(
                (
                    f"without an effect, the regressor could as well be dealt out to other {scheme}"
                    + (f" within {' and '.join(within)}" if within else ""),
                )
                if draws
                else ()
            ),
        ),
        warnings=tuple(notes),
    )


def _fit(each: Specification, workshop: Workshop) -> Regression | str:
    if each.setting is None:
        return each.reason
    focus = each.setting.model.focus[0]
    try:
        found = workshop.fit(each.setting)
    except ShuzhiError as error:
        return str(error)
    if focus not in found.coefficients.index:
        return next((text for text in found.warnings if focus in text), f"{focus} is not in the model")
    return found


def _row(number: int, each: Specification, found: Regression | str, level: float) -> dict[str, Any]:
    row: dict[str, Any] = {"specification": number + 1}
    row |= {option.dimension: option.label for option in each.choices}
    model = each.setting.model if each.setting is not None else None
    row |= {
        "outcome_column": model.outcome if model else "",
        "regressor_column": model.focus[0] if model else "",
        **dict.fromkeys(
            ("estimate", "standard_error", "statistic", "p_value", "interval_low", "interval_high"), np.nan
        ),
        "observations": 0,
        "clusters": None,
        "within_r2": np.nan,
        "standardised_estimate": np.nan,
        "is_main": each.is_main,
        "reason": found if isinstance(found, str) else "",
    }
    if isinstance(found, Regression) and model is not None:
        frame = found.to_frame()
        line = frame[frame["term"] == model.focus[0]].iloc[0]
        names = ("estimate", "standard_error", "statistic", "p_value", "interval_low", "interval_high")
        row |= {name: float(line[name]) for name in names}
        row["observations"] = found.observations
        row["clusters"] = min(found.clusters.values()) if found.clusters else None
        row["within_r2"] = found.within_r2
        scale = float(found.regressor_sds[model.focus[0]]) / found.outcome_sd
        row["standardised_estimate"] = row["estimate"] * scale
    return row


def _notes(frame: pd.DataFrame, possible: int, chosen: int) -> list[str]:
    notes = []
    if chosen < possible:
        notes.append(f"{chosen:,} of {possible:,} specifications were drawn at random")
    lost = int((frame["reason"] != "").sum())
    if lost:
        first = frame.loc[frame["reason"] != "", "reason"].iloc[0]
        notes.append(f"{lost} specifications could not be estimated, such as: {first}")
    known = frame[frame["estimate"].notna()]
    if known["outcome_column"].nunique() > 1 or known["regressor_column"].nunique() > 1:
        notes.append(
            "outcomes or regressors differ between specifications: estimates are in different units; the median test "
            "compares standardised estimates"
        )
    if not frame["is_main"].any():
        notes.append("the baseline itself is none of the specifications")
    return notes


def joint_tests(null: NullCurves, level: float) -> pd.DataFrame:
    """Test all specifications together against curves without an effect.

    Parameters
    ----------
    null : NullCurves
        Estimates and tests; the first row is the data as they are.
    level : float
        Significance level of the single estimates.
    """
    usable = np.isfinite(null.z).all(axis=0)
    estimates, z, p_values = (part[:, usable] for part in (null.estimates * null.scales, null.z, null.p_values))
    significant = p_values < level
    positive, negative = (significant & (z > 0)).mean(axis=1), (significant & (z < 0)).mean(axis=1)
    statistics: dict[str, Floats] = {
        "median": np.median(estimates, axis=1),
        "share significant": np.maximum(positive, negative),
        "mean z": z.mean(axis=1),
    }
    rows = []
    for name, values in statistics.items():
        observed, draws = abs(float(values[0])), np.abs(values[1:])
        larger = int((draws >= observed * (1 - 1e-12)).sum())
        rows.append(
            {
                "test": name,
                "statistic": float(values[0]),
                "p_value": (larger + 1) / (len(draws) + 1),
                "null_mean": float(values[1:].mean()),
                "draws": len(draws),
            }
        )
    return pd.DataFrame(rows)


def _with_band(frame: pd.DataFrame, usable: list[int], null: NullCurves) -> pd.DataFrame:
    """Put the band of the sorted null curves beside the specifications, to be dealt to ranks afterwards."""
    known = np.isfinite(null.estimates).all(axis=0)
    curves = np.sort(null.estimates[1:, known], axis=1)
    if not curves.size:
        return frame
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    places = np.array(usable)[known]
    return frame.assign(null_low=_placed(len(frame), places, low), null_high=_placed(len(frame), places, high))


def _placed(size: int, places: np.ndarray, values: Floats) -> Floats:
    found = np.full(size, np.nan)
    found[places] = values
    return found


def _band_by_rank(order: pd.DataFrame) -> pd.DataFrame:
    """Sort the band by rank, as the estimates are."""
    changed = {}
    for name in ("null_low", "null_high"):
        values = order[name].to_numpy(dtype=np.float64, copy=True)
        known = np.isfinite(values)
        values[known] = np.sort(values[known])
        changed[name] = values
    return order.assign(**changed)
