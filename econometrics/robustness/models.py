"""Checks that change the model: other effects, clusters, errors, controls, weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from econometrics.estimation.covariance import StandardErrors
from econometrics.estimation.sample import columns_of
from econometrics.robustness.baseline import Baseline
from econometrics.robustness.setting import Check, ModelCheck, Names, Setting
from shuzhi import SpecError


@dataclass(frozen=True)
class OtherEffects(ModelCheck):
    """Absorb other fixed effects.

    Parameters
    ----------
    to : tuple of str
        All effects of the model, ``a^b`` for interactions.
    """

    to: tuple[str, ...]
    kind: ClassVar[str] = "fixed_effects"
    main: ClassVar[str] = "to"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        return tuple(columns_of(self.to))

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        if not self.to:
            return "不含固定效应", "No fixed effects"
        return f"固定效应：{names.zh(*self.to)}", f"Fixed effects: {names.en(*self.to)}"

    def apply(self, setting: Setting) -> Setting:
        """Change the effects."""
        return setting.change(fixed_effects=self.to)


@dataclass(frozen=True)
class OtherCluster(ModelCheck):
    """Cluster errors elsewhere.

    Parameters
    ----------
    to : tuple of str
        Cluster variables: several for multi-way clustering.
    """

    to: tuple[str, ...]
    kind: ClassVar[str] = "cluster"
    main: ClassVar[str] = "to"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        return tuple(columns_of(self.to))

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        return f"聚类层级：{names.zh(*self.to)}", f"Errors clustered by {names.en(*self.to)}"

    def apply(self, setting: Setting) -> Setting:
        """Change the clusters."""
        kind = setting.model.standard_errors
        fits = kind in ("cluster", "cr2", "wild") if self.to else kind in ("classical", "robust")
        return setting.change(cluster=self.to, standard_errors=kind if fits else None)


@dataclass(frozen=True)
class OtherErrors(ModelCheck):
    """Take other standard errors: ``cr2`` or ``wild`` for few clusters.

    Parameters
    ----------
    to : tuple of str
        Kinds of ``regress``, one row each.
    """

    to: tuple[StandardErrors, ...]
    kind: ClassVar[str] = "standard_errors"
    main: ClassVar[str] = "to"

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check a kind."""
        return tuple(replace(self, to=(kind,)) for kind in self.to)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        return f"标准误：{self.to[0]}", f"Standard errors: {self.to[0]}"

    def apply(self, setting: Setting) -> Setting:
        """Change the errors."""
        kind = self.to[0]
        fields: dict[str, Any] = {"standard_errors": kind}
        if kind in ("classical", "robust"):
            fields["cluster"] = ()
        return setting.change(**fields)


@dataclass(frozen=True)
class OtherControls(ModelCheck):
    """Take another set of controls.

    Parameters
    ----------
    to : tuple of str
        All controls of the model.
    """

    to: tuple[str, ...]
    kind: ClassVar[str] = "controls"
    main: ClassVar[str] = "to"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        return self.to

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        if not self.to:
            return "不含控制变量", "No controls"
        return f"控制变量：{names.zh(*self.to)}", f"Controls: {names.en(*self.to)}"

    def apply(self, setting: Setting) -> Setting:
        """Change the controls."""
        return setting.change(controls=tuple(name for name in self.to if name not in setting.model.regressors))


@dataclass(frozen=True)
class AddControls(ModelCheck):
    """Add controls.

    Parameters
    ----------
    controls : tuple of str
        Columns.
    """

    controls: tuple[str, ...]
    kind: ClassVar[str] = "add_controls"
    main: ClassVar[str] = "controls"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        return self.controls

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        return f"增加控制变量：{names.zh(*self.controls)}", f"Controls added: {names.en(*self.controls)}"

    def apply(self, setting: Setting) -> Setting:
        """Add them."""
        added = tuple(name for name in self.controls if name not in setting.model.terms)
        return setting.change(controls=(*setting.model.controls, *added))


@dataclass(frozen=True)
class DropControls(ModelCheck):
    """Leave out controls.

    Parameters
    ----------
    controls : tuple of str
        Columns; by default all.
    each : bool
        One row a control, each left out alone.
    """

    controls: tuple[str, ...] = ()
    each: bool = False
    kind: ClassVar[str] = "drop_controls"
    main: ClassVar[str] = "controls"

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check, or one a control."""
        if not self.each:
            return (self,)
        return tuple(replace(self, controls=(name,), each=False) for name in self.controls or model.controls)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        if not self.controls:
            return "不含控制变量", "No controls"
        return f"剔除控制变量：{names.zh(*self.controls)}", f"Without {names.en(*self.controls)}"

    def apply(self, setting: Setting) -> Setting:
        """Leave them out."""
        model = setting.model
        gone = self.controls or model.controls
        strange = [name for name in gone if name not in model.controls]
        if strange:
            raise SpecError(f"{', '.join(strange)} is no control of the baseline")
        return setting.change(controls=tuple(name for name in model.controls if name not in gone))


@dataclass(frozen=True)
class Weighted(ModelCheck):
    """Weight rows.

    Parameters
    ----------
    by : str
        Column of analytic weights; empty for none.
    """

    by: str
    kind: ClassVar[str] = "weights"
    main: ClassVar[str] = "by"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The column."""
        return (self.by,) if self.by else ()

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        if not self.by:
            return "不加权", "Not weighted"
        return f"以{names.zh(self.by)}加权", f"Weighted by {names.en(self.by)}"

    def apply(self, setting: Setting) -> Setting:
        """Change the weights."""
        return setting.change(weights=self.by or None)
