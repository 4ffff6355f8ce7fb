"""A study as one YAML file: panel, variables, sample, models and all that is asked of them; judged before any work."""

from econometrics.spec.parse import parse_study_spec
from econometrics.spec.specification import PanelKeysSpec, StudySpec

__all__ = ["PanelKeysSpec", "StudySpec", "parse_study_spec"]
