"""The sample of a staggered policy: who is treated when, who never is, and which rows cannot serve."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from econometrics.estimation.sample import no_column
from shuzhi import DataError, EstimationError

NEVER = np.inf


@dataclass(frozen=True)
class StaggeredSample:
    """Rows that all estimators of a staggered policy share.

    Parameters
    ----------
    data : DataFrame
        Kept rows with their original index, sorted by unit and time.
    units, times : (rows,) int arrays
        Code of the unit and period of each row.
    first : (units,) float array
        First treated period of each unit; infinity for units never treated within the panel.
    unit_names : Index
        Unit of each code.
    dropped : dict of str to int
        Rows left out, by reason.
    warnings : tuple of str
        What the reader should know about the sample.
    """

    data: pd.DataFrame
    units: np.ndarray
    times: np.ndarray
    first: np.ndarray
    unit_names: pd.Index
    dropped: dict[str, int]
    warnings: tuple[str, ...]

    @property
    def row_first(self) -> np.ndarray:
        """First treated period of the unit of each row, as a (rows,) float array."""
        return np.asarray(self.first[self.units])

    @property
    def event_time(self) -> np.ndarray:
        """Periods since the first treated one of each row, NaN for units never treated."""
        first = self.row_first
        return np.where(np.isfinite(first), self.times - first, np.nan)

    @property
    def cohorts(self) -> np.ndarray:
        """Sorted first treated periods of the treated units."""
        return np.unique(self.first[np.isfinite(self.first)]).astype(int)

    @property
    def periods(self) -> np.ndarray:
        """Sorted periods of the panel."""
        return np.unique(self.times)


def staggered_sample(
    data: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    first_treated: str,
    controls: Sequence[str] = (),
    others: Sequence[str] = (),
    drop_always_treated: bool = True,
) -> StaggeredSample:
    """Check a panel with a staggered policy and keep the rows that can be used.

    Parameters
    ----------
    data : DataFrame
        One row per unit and period.
    outcome, unit, time, first_treated : str
        Columns; `time` holds whole numbers (years), `first_treated` the first treated one, the same in all rows of a
        unit. A missing value, 0, infinity or a period after the panel's last means not treated within the panel.
    controls : sequence of str
        Numeric covariates; rows with a missing one are left out.
    others : sequence of str
        Further columns that must not be missing (clusters).
    drop_always_treated : bool
        Leave out units that are treated in all their rows: what they were before the policy is not seen.

    Returns
    -------
    StaggeredSample
        The rows kept and what was left out.

    Raises
    ------
    DataError
        When columns are missing, not numeric or inconsistent, or units stand twice in a period.
    EstimationError
        When no unit changes its treatment within the panel.
    """
    _check_columns(data, [outcome, unit, time, first_treated, *controls, *others], [outcome, *controls])
    columns = list(dict.fromkeys([outcome, unit, time, first_treated, *controls, *others]))
    needed = [name for name in columns if name != first_treated]
    # Names of index levels would be taken for columns.
    kept = data.loc[:, columns]
    kept.index = kept.index.set_names([None] * data.index.nlevels)
    dropped: dict[str, int] = {}
    for name in needed:
        values = kept[name]
        bad = values.isna()
        if name in (outcome, *controls):
            bad = bad | ~np.isfinite(values.to_numpy(dtype=float, na_value=np.nan))
        if bad.any():
            dropped[f"missing {name}"] = int(bad.sum())
            kept = kept.loc[~bad]
    _check_times(kept, unit, time)
    first = _first_periods(kept, unit, time, first_treated)
    kept = kept.sort_values([unit, time], kind="stable")
    return _without_always_treated(kept, unit, time, first, dropped, drop_always_treated)


def _check_columns(data: pd.DataFrame, names: Sequence[str], numeric: Sequence[str]) -> None:
    problems = []
    for name in dict.fromkeys(names):
        found = int((data.columns == name).sum())
        if not found:
            problems.append(no_column(name, data))
        elif found > 1:
            problems.append(f"column {name!r} occurs {found} times")
        elif name in numeric and not pd.api.types.is_numeric_dtype(data[name]):
            problems.append(f"column {name!r} is not numeric ({data[name].dtype})")
    if problems:
        raise DataError("; ".join(problems))


def _check_times(kept: pd.DataFrame, unit: str, time: str) -> None:
    if kept.empty:
        raise DataError("no row is left after those with missing values are left out")
    if not pd.api.types.is_numeric_dtype(kept[time]) or (kept[time].astype(float) % 1 != 0).any():
        raise DataError(f"column {time} must hold whole numbers such as years")
    twice = kept.duplicated([unit, time])
    if twice.any():
        example = kept.loc[twice, [unit, time]].head(3).to_numpy().tolist()
        raise DataError(f"{int(twice.sum())} rows repeat a unit and period, such as {example}; keep one row of each")


def _first_periods(kept: pd.DataFrame, unit: str, time: str, first_treated: str) -> pd.Series:
    """First treated period by unit, infinity where there is none within the panel."""
    values = pd.to_numeric(kept[first_treated], errors="coerce")
    if values.isna().sum() > kept[first_treated].isna().sum():
        raise DataError(f"column {first_treated} must hold periods of {time}, or be missing for units never treated")
    last = kept[time].max()
    coded = values.astype(float).where(values.notna() & (values != 0) & (values <= last), NEVER)
    grouped = coded.groupby(kept[unit])
    changing = grouped.min() != grouped.max()
    if changing.any():
        names = ", ".join(map(str, changing.index[changing][:5]))
        raise DataError(f"{first_treated} differs within {int(changing.sum())} units, such as {names}")
    if (coded[np.isfinite(coded)] % 1 != 0).any():
        raise DataError(f"column {first_treated} must hold whole periods of {time}")
    return grouped.min()


def _without_always_treated(
    kept: pd.DataFrame, unit: str, time: str, first: pd.Series, dropped: dict[str, int], drop: bool
) -> StaggeredSample:
    notes: list[str] = []
    always = first <= kept.groupby(unit)[time].min().reindex(first.index)
    if always.any() and drop:
        rows = kept[unit].isin(first.index[always])
        dropped["not seen before treatment"] = int(rows.sum())
        notes.append(f"{int(always.sum())} units are not seen before their treatment and are left out")
        kept, first = kept.loc[~rows], first.loc[~always]
    elif always.any():
        notes.append(f"{int(always.sum())} units are not seen before their treatment and serve as controls only")
    if not np.isfinite(first).any():
        raise EstimationError(
            "no unit becomes treated within the panel; check the first treated periods against the panel's years"
        )
    codes, names = pd.factorize(kept[unit], sort=True)
    never = int(np.isinf(first).sum())
    if never == 0:
        notes.append("there is no unit that is never treated")
    elif never < 10:
        notes.append(f"only {never} units are never treated")
    small = first[np.isfinite(first)].value_counts()
    few = sorted(small.index[small < 5].astype(int))
    if few:
        notes.append(f"fewer than 5 units become treated in {', '.join(map(str, few))}: standard errors are unreliable")
    return StaggeredSample(
        data=kept,
        units=codes,
        times=kept[time].to_numpy(dtype=int),
        first=first.reindex(names).to_numpy(dtype=float),
        unit_names=pd.Index(names),
        dropped=dropped,
        warnings=tuple(notes),
    )


def with_comparison(sample: StaggeredSample, *, last_cohort: bool) -> StaggeredSample:
    """Make sure that somebody stays untreated: units never treated, or the cohort treated last until it is.

    Parameters
    ----------
    sample : StaggeredSample
        The sample.
    last_cohort : bool
        Where no unit is never treated, leave out the periods from the last cohort's treatment on and compare with it.

    Returns
    -------
    StaggeredSample
        The sample itself when some units are never treated.

    Raises
    ------
    EstimationError
        When there is nobody to compare with.
    """
    if np.isinf(sample.first).any():
        return sample
    if not last_cohort:
        raise EstimationError(
            'there is no unit that is never treated; use control_group="not_yet_treated", which compares with the '
            "cohort treated last until it is treated"
        )
    last = float(sample.first.max())
    first = np.where(sample.first == last, np.inf, sample.first)
    if np.isinf(first).all():
        raise EstimationError("all units are treated in the same period: there is nobody to compare with")
    note = f"periods from {int(last)} on are left out: the cohort treated then is the only comparison"
    kept = kept_rows(replace(sample, first=first), sample.times < last, "no comparison left")
    return replace(kept, warnings=(*sample.warnings, note))


def balanced(sample: StaggeredSample) -> StaggeredSample:
    """Keep the units that are seen in all periods.

    Parameters
    ----------
    sample : StaggeredSample
        The sample.

    Raises
    ------
    EstimationError
        When there is no such unit.
    """
    full = np.bincount(sample.units) == sample.periods.size
    if not full.any():
        raise EstimationError('no unit is seen in all periods; use unbalanced="pairwise"')
    return sample if full.all() else kept_rows(sample, full[sample.units], "unit not seen in all periods")


def kept_rows(sample: StaggeredSample, keep: np.ndarray, reason: str) -> StaggeredSample:
    """Keep rows, and the units that have any.

    Parameters
    ----------
    sample : StaggeredSample
        The sample.
    keep : (rows,) bool array
        Rows to keep.
    reason : str
        Why the others are left out.
    """
    units = np.unique(sample.units[keep])
    return replace(
        sample,
        data=sample.data.loc[keep],
        units=np.searchsorted(units, sample.units[keep]),
        times=sample.times[keep],
        first=sample.first[units],
        unit_names=sample.unit_names[units],
        dropped=sample.dropped | {reason: int((~keep).sum())},
    )
