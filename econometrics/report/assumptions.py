"""What the results of a study rest on, in words: by the kinds of results that there are, and as each result says it."""

from __future__ import annotations

from collections.abc import Iterable

from econometrics.report.base import Both, Naming
from econometrics.study.results import StudyResults


def assumptions_in_words(results: StudyResults, naming: Naming) -> list[Both]:
    """Return what has to be believed, one sentence for each kind of result in the study.

    Parameters
    ----------
    results : StudyResults
        The study.
    naming : Naming
        What things are called.
    """
    return list(dict.fromkeys(_sentences(results, naming)))


def _sentences(results: StudyResults, naming: Naming) -> Iterable[Both]:
    models = list(results.models.values())
    if any(not getattr(model, "endogenous", ()) for model in models):
        yield (
            "最小二乘系数作因果解释，要求给定控制变量与固定效应后，解释变量与误差项不相关（无遗漏的共同原因、无反向因果）。",
            "A causal reading of least squares needs regressors unrelated to the error, given controls and fixed "
            "effects: no common cause left out, no effect back.",
        )
    for level in dict.fromkeys(name for model in models for name in model.cluster):
        zh, en = naming.effect(level)
        yield (
            f"误差在不同{zh}之间独立，在同一{zh}内可任意相关。",
            f"Errors are independent between clusters of {en} and may be related in any way within one.",
        )
    for model in models:
        given = getattr(model, "instruments", ()) or ()
        if given:
            (by_zh, by_en), (of_zh, of_en) = naming.variables(given), naming.variables(getattr(model, "endogenous", ()))
            yield (
                f"{by_zh}只通过{of_zh}影响{naming.variable(model.outcome)[0]}（排除性），且与误差项无关。",
                f"{by_en} affects {naming.variable(model.outcome)[1]} through {of_en} only (exclusion) and is "
                "unrelated to the error.",
            )
    for mediation in results.mediations.values():
        zh, en = naming.variables(mediation.mediators)
        yield (
            f"间接效应作因果解释，还要求给定处理变量、控制变量与固定效应后，{zh}与被解释变量之间没有遗漏的共同原因；"
            "这无法检验，只能做敏感性分析。",
            f"A causal reading of the indirect effect also needs that {en} and the outcome have no common cause left "
            "out, given treatment, controls and fixed effects; this cannot be tested, only its sensitivity shown.",
        )
    if results.groups or results.families:
        yield (
            "分组不受被解释变量与核心解释变量影响；各组系数与固定效应均可不同。",
            "The groups depend neither on the outcome nor on the term of interest; every coefficient and effect may "
            "differ between groups.",
        )
    if results.staggered:
        yield (
            "平行趋势：若无政策，处理组与对照组的变化相同；且政策未被预期、不影响对照组。",
            "Parallel trends: without the policy treated and untreated units would have changed alike; the policy was "
            "not anticipated and does not reach the untreated.",
        )
    if results.measurement_error:
        yield (
            "测量误差校正假定误差与真实指数及回归误差无关（经典测量误差）。",
            "Corrections for measurement error take the error of the index to be unrelated to its true value and to "
            "the error of the regression (classical error).",
        )


def stated_texts(results: StudyResults, naming: Naming, attribute: str) -> list[tuple[Both, Both]]:
    """Return the assumptions or warnings as the results state them, each once with who states it.

    Parameters
    ----------
    results : StudyResults
        The study.
    naming : Naming
        What things are called.
    attribute : {"assumptions", "warnings"}
        Which.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for place, result in results.parts().items():
        part, _, name = place.partition("/")
        inner = getattr(result, "results", None)
        each = [result, *(inner.values() if isinstance(inner, dict) else ())]
        for text in dict.fromkeys(text for own in each for text in getattr(own, attribute, ()) or ()):
            found.setdefault(str(text), []).append((part, name))
    return [(naming.message(text), naming.of_all(places)) for text, places in found.items()]
