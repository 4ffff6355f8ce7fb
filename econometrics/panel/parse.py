"""The specification of a panel read from YAML and judged as a whole before any work."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pydantic import ValidationError

from econometrics.declarations.yaml_lines import pydantic_problems, read_yaml, spec_error
from econometrics.panel.names import name_problems
from econometrics.panel.spec import PanelSpec
from shuzhi import SpecError


def parse_panel_spec(text: str, file: str = "panel.yml") -> PanelSpec:
    """Read the specification of a panel.

    Parameters
    ----------
    text : str
        YAML.
    file : str
        Its name, for messages.

    Returns
    -------
    PanelSpec
        Frozen; it remembers the line of each entry.

    Raises
    ------
    SpecError
        With every problem, its line and the nearest name: unknown keys, wrong values, formulas that are none, and
        columns, sources and steps that do not fit together.
    """
    content, lines = read_yaml(text, file)
    if not isinstance(content, Mapping):
        raise SpecError(f"{file}: a panel is a mapping with panel:, sources:, start: and steps:")
    try:
        spec = PanelSpec.model_validate(content)
    except ValidationError as error:
        raise spec_error(file, lines, pydantic_problems(error, PanelSpec)) from None
    spec._file = file
    spec._lines = lines
    spec._hash = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
    problems = name_problems(spec)
    if problems:
        raise spec.error(problems)
    return spec
