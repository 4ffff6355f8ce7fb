"""A study's specification and its panel as they lie on disk; no Prefect in here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pandas as pd

from econometrics.panel.steps.result import PanelNote, notes_from_records
from econometrics.spec import StudySpec, parse_study_spec
from econometrics.variables import Variable
from flows.panel import load_panel
from flows.panel_read import read_panel_file
from flows.settings import StudyParameters
from shuzhi import UsageError


@dataclass(frozen=True)
class StudyPanel:
    """The panel of a study.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    variables : dict of str to Variable
        As far as they are known.
    source : dict of str to str
        Where it came from.
    notes : tuple of PanelNote
        What the steps that made it said of it.
    """

    data: pd.DataFrame
    variables: dict[str, Variable]
    source: dict[str, str]
    notes: tuple[PanelNote, ...] = ()


def study_file(name: str) -> Path:
    """Return the file of a specification: a path, or the name of a study that comes with shuzhi.

    Raises
    ------
    UsageError
        If there is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    folder = Path(str(files("econometrics") / "studies"))
    shipped = sorted(each.stem for each in folder.glob("*.yml") if not each.stem.startswith("panel_"))
    if name in shipped:
        return folder / f"{name}.yml"
    raise UsageError(f"{name}: no such file, and no study that comes with shuzhi; these are {', '.join(shipped)}")


def load_study(name: str) -> StudySpec:
    """Read the specification of a study.

    Raises
    ------
    UsageError
        If it cannot be read, or has problems.
    """
    path = study_file(name)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{path}: cannot be read ({words}); a study is YAML in UTF-8") from None
    return parse_study_spec(text, path.name)


def read_study_panel(spec: StudySpec, parameters: StudyParameters) -> StudyPanel:
    """Read the panel that is named, or read or build the one that the specification names."""
    folder = study_file(parameters.spec).parent
    if not parameters.panel and spec.panel.spec:
        path = _beside(spec.panel.spec, folder)
        panel = load_panel(str(path), parameters.data)
        if (panel.firm, panel.year) != (spec.panel.firm, spec.panel.year):
            words = f"the panel has the keys {panel.firm} and {panel.year}"
            raise spec.error(
                [(("panel",), f"{words}; write panel: {{spec: …, firm: {panel.firm}, year: {panel.year}}}")]
            )
        source = {"panel_spec": path.name, "panel_spec_hash": panel.spec_hash}
        return StudyPanel(panel.data, dict(panel.variables), source, panel.notes)
    place = parameters.panel or (str(_beside(spec.panel.file, folder)) if spec.panel.file else "")
    if not place:
        raise UsageError(f"{parameters.spec}: names no panel; name one with --panel FILE")
    data, variables, facts = read_panel_file(place)
    source = {"panel_file": Path(place).name, "panel_spec_hash": str(facts.get("spec_hash", ""))}
    return StudyPanel(data, variables, source, notes_from_records(facts.get("notes", [])))


def _beside(name: str, folder: Path) -> Path:
    path = Path(name)
    return path if path.is_absolute() else folder / path
