"""The specification of a study read from YAML and judged before any work."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from econometrics.declarations.yaml_lines import pydantic_problems, read_yaml, spec_error
from econometrics.spec.references import reference_problems
from econometrics.spec.specification import StudySpec
from shuzhi import SpecError


def parse_study_spec(text: str, file: str = "study.yml") -> StudySpec:
    """Read the specification of a study.

    Parameters
    ----------
    text : str
        YAML.
    file : str
        Its name, for messages.

    Returns
    -------
    StudySpec
        Frozen; it remembers the line of each entry.

    Raises
    ------
    SpecError
        With every problem, its line and the nearest name: unknown keys, wrong values, formulas that are none, models
        and results that are named but not there, a seed that is missing. Columns are judged when the panel is known,
        see `econometrics.spec.columns.plan_study`.
    """
    content, lines = read_yaml(text, file)
    if not isinstance(content, Mapping):
        raise SpecError(f"{file}: a study is a mapping with study:, models: and more")
    try:
        spec = StudySpec.model_validate(content)
    except ValidationError as error:
        raise spec_error(file, lines, pydantic_problems(error, StudySpec)) from None
    spec._file = file
    spec._lines = lines
    spec._text = text
    problems = reference_problems(spec)
    if problems:
        raise spec.error(problems)
    return spec
