"""From a data frame and names to the matrix, effects and clusters of a mediation model; what cannot work is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from econometrics.estimation.absorb import Absorber
from econometrics.estimation.design import Design, as_names, build_design, independent_terms, refuse_doubled
from econometrics.estimation.effects import Effects, Floats, Integers, keep_rows, singleton_rows
from econometrics.mediate.system import Columns
from econometrics.resample.kernel import GramKernel, gram_kernel
from econometrics.resample.percentiles import EXPANDED_BELOW
from shuzhi import EstimationError, SpecError

FEW_CLUSTERS = EXPANDED_BELOW


@dataclass(frozen=True)
class Names:
    """Columns of a mediation model.

    Parameters
    ----------
    outcome, treatment : str
        Columns.
    mediators, controls, fixed_effects, cluster : tuple of str
        Columns; at most one cluster variable.
    instruments : dict of str to tuple of str
        Excluded instruments by the column instrumented.
    """

    outcome: str
    treatment: str
    mediators: tuple[str, ...]
    controls: tuple[str, ...]
    fixed_effects: tuple[str, ...]
    cluster: tuple[str, ...]
    instruments: dict[str, tuple[str, ...]]

    @property
    def excluded(self) -> tuple[str, ...]:
        """All excluded instruments, each once."""
        return tuple(dict.fromkeys(name for names in self.instruments.values() for name in names))


def read_names(
    outcome: str,
    treatment: str,
    mediator: str | Sequence[str],
    controls: str | Sequence[str],
    fixed_effects: str | Sequence[str],
    cluster: str | Sequence[str] | None,
    instruments: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None,
) -> Names:
    """Bring names into one form and refuse roles that exclude each other.

    Parameters
    ----------
    outcome, treatment : str
        Columns.
    mediator, controls, fixed_effects, cluster : str or sequence of str
        Columns.
    instruments : str, sequence of str, or mapping
        Of the treatment, or by the column instrumented.

    Raises
    ------
    SpecError
        All problems at once.
    """
    given: dict[str, tuple[str, ...]] = {}
    if isinstance(instruments, Mapping):
        given = {name: as_names(by) for name, by in instruments.items()}
    elif instruments is not None and len(instruments):
        given = {treatment: as_names(instruments)}
    names = Names(
        outcome,
        treatment,
        as_names(mediator),
        as_names(controls),
        as_names(fixed_effects),
        () if cluster is None else as_names(cluster),
        given,
    )
    problems = []
    if not names.mediators:
        problems.append("no mediator is named")
    if len(names.cluster) > 1:
        problems.append(
            f"whole clusters of one variable are resampled, but {len(names.cluster)} are named; "
            "take the coarser one, or their interaction a^b"
        )
    wrong = [name for name in given if name not in (treatment, *names.mediators)]
    if wrong:
        problems.append(f"instruments are for the treatment or a mediator, not for {', '.join(wrong)}")
    problems += [f"no instrument is named for {name}" for name, by in given.items() if not by]
    try:
        refuse_doubled(
            outcome=[outcome],
            treatment=[treatment],
            mediator=names.mediators,
            controls=names.controls,
            instruments=names.excluded,
        )
    except SpecError as error:
        problems.append(str(error))
    if problems:
        raise SpecError("; ".join(problems))
    return names


@dataclass(frozen=True)
class Model:
    """Matrix of a mediation model, ready to estimate and to resample.

    Parameters
    ----------
    names : Names
        Columns, controls without those dropped.
    columns : Columns
        Where they stand in the design.
    design : Design
        Rows, effects, clusters, columns as given and swept, in the order outcome, treatment, mediators, controls,
        instruments, then products.
    cluster_codes : (n,) int array
        Cluster of each row; its number where there is no cluster variable.
    clusters : int
        Number of clusters of the whole sample, also where a group of rows has fewer.
    collinear : dict of str to str
        Why controls and instruments were dropped.
    """

    names: Names
    columns: Columns
    design: Design
    cluster_codes: Integers
    clusters: int
    collinear: dict[str, str]

    def kernel(self) -> GramKernel:
        """Prepare the resampling of the model's columns."""
        width = len(self.columns.names)
        return gram_kernel(self.design.raw[:, :width], self.design.effects, self.cluster_codes, self.clusters)

    def with_products(self, products: Sequence[tuple[str, Floats]]) -> Model:
        """Add columns behind the others.

        Parameters
        ----------
        products : sequence of (name, (n,) float array)
            Columns to add.
        """
        new = np.column_stack([values for _, values in products])
        effects, design = self.design.effects, self.design
        swept = Absorber(effects).demean(new) if effects.names else new
        width = len(self.columns.names)
        labels = (*self.columns.names, *(name for name, _ in products))
        raw = np.column_stack([design.raw[:, :width], new])
        wider = replace(design, names=labels, raw=raw, swept=np.column_stack([design.swept[:, :width], swept]))
        return replace(self, design=wider, columns=replace(self.columns, names=labels))

    def group(self, rows: np.ndarray, drop_singletons: bool) -> Model:
        """Keep a group of rows, with clusters numbered as in the whole sample.

        Parameters
        ----------
        rows : (n,) bool array
            Rows of the group.
        drop_singletons : bool
            Drop rows that are alone in a level of an effect within the group.
        """
        rows, effects = rows.copy(), self.design.effects
        if drop_singletons and effects.names and rows.any():
            rows[np.flatnonzero(rows)[singleton_rows(keep_rows(effects, rows))]] = False
        if not rows.any():
            raise EstimationError("no row is left once singletons are dropped")
        effects = keep_rows(effects, rows)
        codes = self.cluster_codes[rows]
        distinct, own = np.unique(codes, return_inverse=True)
        clusters = Effects(
            self.names.cluster, (own,) * bool(self.names.cluster), (len(distinct),) * bool(self.names.cluster)
        )
        raw = self.design.raw[rows]
        swept = Absorber(effects).demean(raw) if effects.names else raw
        sample = replace(self.design.sample, data=self.design.sample.data[rows], dropped={})
        design = replace(self.design, sample=sample, effects=effects, clusters=clusters, raw=raw, swept=swept)
        if len(distinct) < 2:
            raise EstimationError("it has one cluster only")
        return _identified(self.names, design, codes, self.clusters)


def build_model(
    data: pd.DataFrame, names: Names, *, extra: Sequence[str], drop_singletons: bool, firm_year: tuple[str, str] | None
) -> Model:
    """Choose the rows that all equations share and lay out the matrix.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    names : Names
        Columns.
    extra : sequence of str
        Further numeric columns that must be known (a continuous moderator).
    drop_singletons : bool
        Drop rows alone in a level of an effect.
    firm_year : pair of str or None
        Columns of firm and year, to refuse doubled firm-years.

    Raises
    ------
    DataError
        Columns that are not there or not numeric, doubled firm-years, no row left.
    EstimationError
        One cluster only; a treatment or mediator that does not vary or that the effects absorb; too few instruments.
    """
    numeric = [names.outcome, names.treatment, *names.mediators, *names.controls, *names.excluded]
    numeric += [name for name in extra if name not in numeric]
    design = build_design(
        data,
        numeric,
        fixed_effects=names.fixed_effects,
        cluster=names.cluster,
        weights=None,
        drop_singletons=drop_singletons,
        firm_year=firm_year,
    )
    rows = len(design.raw)
    codes = design.clusters.codes[0] if names.cluster else np.arange(rows, dtype=np.int64)
    return _identified(names, design, codes, int(codes.max()) + 1)


def _identified(names: Names, design: Design, codes: Integers, clusters: int) -> Model:
    """Drop collinear controls and instruments; refuse what leaves a path without an estimate."""
    _, constant = independent_terms(design, [names.outcome])
    wanted = [names.treatment, *names.mediators, *names.controls]
    kept, lost = independent_terms(design, wanted)
    problems = list(constant.values())
    problems += [lost[name] for name in (names.treatment, *names.mediators) if name in lost]
    instruments: dict[str, tuple[str, ...]] = {}
    if names.instruments and not problems:
        given = [name for name in kept if name not in names.instruments]
        usable, weak = independent_terms(design, names.excluded, given)
        lost |= weak
        for endogenous, by in names.instruments.items():
            instruments[endogenous] = tuple(name for name in by if name in usable)
            if not instruments[endogenous]:
                problems.append(f"no instrument of {endogenous} is left ({'; '.join(weak[name] for name in by)})")
    if problems:
        raise EstimationError(f"the paths cannot be estimated: {'; '.join(problems)}")
    controls = tuple(name for name in names.controls if name in kept)
    names = replace(names, controls=controls, instruments=instruments)
    order = (names.outcome, names.treatment, *names.mediators, *controls, *names.excluded)
    places = [design.names.index(name) for name in order]
    extra = [number for number, name in enumerate(design.names) if number not in places]
    # The constant, and a moderator that enters later, stand behind the columns of the model.
    everything = places + extra
    design = replace(
        design,
        names=tuple(design.names[number] for number in everything),
        raw=design.raw[:, everything],
        swept=design.swept[:, everything],
    )
    at = {name: number for number, name in enumerate(order)}
    columns = Columns(
        at[names.outcome],
        at[names.treatment],
        tuple(at[name] for name in names.mediators),
        tuple(at[name] for name in controls),
        {at[name]: tuple(at[other] for other in by) for name, by in instruments.items()},
        order,
    )
    return Model(names, columns, design, codes, clusters, lost)
