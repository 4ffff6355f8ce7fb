"""What the specifications of several kinds of steps share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from econometrics.declarations.yaml_lines import nearest
from econometrics.policies.cuts import Cut

Prefix = Annotated[str, Field(pattern=r"^([A-Za-z_]\w*)?$", description="Put before the names of the new columns")]

Cuts = Cut | list[float]


def one_of(known: tuple[str, ...], what: str) -> Any:
    """Return a check that a text is one of a few, with the nearest one in its message."""

    def check(value: str) -> str:
        if value not in known:
            near = nearest(value, known).removesuffix(" ") or f" There are: {', '.join(known)}."
            raise ValueError(f"there is no {what} '{value}'.{near}")
        return value

    return AfterValidator(check)
