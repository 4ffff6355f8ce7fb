"""Do a step that attaches clusters, emissions, policies, groups, attention or instruments to a panel."""

from __future__ import annotations

from econometrics.panel.steps.cluster_specs import ClustersStep
from econometrics.panel.steps.clusters import clusters_step
from econometrics.panel.steps.emission_specs import ApportionedStep, ComponentsStep, GivenStep, SectorsStep, VendorStep
from econometrics.panel.steps.emissions import emissions_step
from econometrics.panel.steps.groups import group_step
from econometrics.panel.steps.policies import attention_step, policy_step
from econometrics.panel.steps.result import Given, StepResult
from econometrics.panel.steps.specs import AttentionStep, DataStep, PolicyStep


def do_step(step: DataStep, given: Given) -> StepResult:
    """Return what a step adds; the panel keeps its rows.

    Parameters
    ----------
    step : DataStep
        The step.
    given : Given
        The panel so far, and the sources.

    Raises
    ------
    DataError
        With file and line: see the functions of each step.
    """
    match step:
        case ClustersStep():
            return clusters_step(step, given.data, given.sources, given.year, given.where)
        case ApportionedStep() | SectorsStep() | ComponentsStep() | VendorStep() | GivenStep():
            return emissions_step(step, given)
        case PolicyStep():
            return policy_step(step, given)
        case AttentionStep():
            return attention_step(step, given)
        case _:
            return group_step(step, given)
