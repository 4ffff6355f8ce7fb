"""What a mediation rests on, and what a reader should know before trusting it, in words."""

from __future__ import annotations

from econometrics.mediate.inference import Options
from econometrics.mediate.model import FEW_CLUSTERS, Model
from econometrics.mediate.result import Layout
from econometrics.mediate.system import Structure


def assumptions_in_words(model: Model, structure: Structure, layout: Layout) -> tuple[str, ...]:
    """Say what the effects rest on.

    Parameters
    ----------
    model : Model
        For names.
    structure, layout : str
        As in ``mediate``.
    """
    names = model.names
    x, y, m = names.treatment, names.outcome, " and ".join(names.mediators)
    given = "controls and fixed effects" if names.fixed_effects else "controls"
    words = []
    if names.treatment in names.instruments:
        words.append(f"the instruments of {x} are exogenous and act on {m} and {y} through {x} alone")
    else:
        words.append(f"{x} is as good as random given {given}: no unobserved cause of {x} acts on {m} or {y}")
    instrumented = [name for name in names.mediators if name in names.instruments]
    if instrumented:
        words.append(
            f"the instruments of {' and '.join(instrumented)} act on {y} through {' and '.join(instrumented)} alone"
        )
    if len(instrumented) < len(names.mediators):
        words.append(
            f"sequential ignorability: given {x}, {given}, nothing unobserved acts on both {m} and {y}, and no "
            f"consequence of {x} other than {m} does; b, direct and indirect effect need it, total and a do not"
        )
    if names.fixed_effects:
        words.append(f"{', '.join(names.fixed_effects)} remove only causes that are fixed within their levels")
    words.append("effects are linear, the same for all, and contemporaneous as the columns are dated")
    if structure == "serial":
        words.append(f"mediators act in the order {' -> '.join(names.mediators)}")
    elif len(names.mediators) > 1:
        words.append("mediators do not act on each other")
    if layout == "channel":
        words.append(
            f"channel layout (Jiang 2022): the step from {m} to {y} is argued from theory or other evidence; the table "
            f"shows only {x} -> {y} and {x} -> {m}"
        )
    else:
        words.append(
            f"stepwise layout: {x} itself changes the regressor {m}, so the third equation is causal only under "
            "sequential ignorability; a smaller coefficient there proves no mediation by itself"
        )
    return tuple(words)


def warnings_in_words(model: Model, options: Options, gap: str) -> tuple[str, ...]:
    """Say what a reader should know before trusting the numbers.

    Parameters
    ----------
    model : Model
        Clusters and what was dropped.
    options : Options
        For the method.
    gap : str
        Warning about the identity, or empty.
    """
    words = [f"dropped: {reason}" for reason in model.collinear.values()]
    if model.clusters < FEW_CLUSTERS:
        unit = model.names.cluster[0] if model.names.cluster else "rows"
        remedy = (
            "the percentile interval is expanded by as much as t quantiles are wider"
            if options.method == "expanded_percentile"
            else "intervals tend to be too short; method='expanded_percentile' is wider by as much as t quantiles are"
        )
        words.append(
            f"{model.clusters} clusters of {unit} are few: {remedy}; "
            "regress(..., standard_errors='wild') or 'cr2' checks the paths"
        )
    if options.method in ("sobel", "aroian"):
        words.append(
            "Sobel and Aroian intervals take a product of estimates as normal, both as uncorrelated; prefer a bootstrap"
        )
    if model.names.fixed_effects and not model.names.cluster:
        words.append("rows are taken as independent although they share fixed effects; name a cluster")
    return (*words, *([gap] if gap else []))
