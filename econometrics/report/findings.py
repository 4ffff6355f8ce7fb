"""What a study found, in sentences with numbers: the question, the answer in two sentences, and one line a result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from econometrics.report.base import (
    Both,
    Naming,
    excludes_zero,
    interval,
    is_binary,
    main_model,
    main_term,
    number,
    p_text,
    percent,
)
from econometrics.study.results import StudyResults


def question(results: StudyResults, naming: Naming) -> Both:
    """Return what was asked, from the main model and the first mediation.

    Parameters
    ----------
    results : StudyResults
        The study.
    naming : Naming
        What things are called.
    """
    found = main_model(results)
    if found is None:
        return "没有一个模型得到估计。", "No model could be estimated."
    _, model = found
    x, y = naming.variable(main_term(model)), naming.variable(model.outcome)
    mediation = _mediation_of(results, model)
    if mediation is None:
        return f"{x[0]}是否影响{y[0]}？", f"Does {x[1]} affect {y[1]}?"
    by = naming.variables(mediation.mediators)
    return (
        f"{x[0]}是否影响{y[0]}？其中有多少经由{by[0]}？",
        f"Does {x[1]} affect {y[1]}, and how much of it passes through {by[1]}?",
    )


def answer(results: StudyResults, naming: Naming) -> list[Both]:
    """Return the main answer in two sentences.

    Parameters
    ----------
    results : StudyResults
        The study.
    naming : Naming
        What things are called.
    """
    found = main_model(results)
    if found is None:
        return []
    name, model = found
    sentences = [_effect_sentence(results, naming, name, model)]
    mediation = _mediation_of(results, model)
    if mediation is not None:
        sentences.append(mediation_sentence(mediation, naming, results.spec.digits))
    elif results.robustness:
        sentences += [sentence for sentence in map(robustness_sentence, results.robustness.values()) if sentence][:1]
    return sentences


def _mediation_of(results: StudyResults, model: Any) -> Any:
    """Return the first mediation of the model's outcome and treatment."""
    wanted = (model.outcome, main_term(model))
    return next((each for each in results.mediations.values() if (each.outcome, each.treatment) == wanted), None)


def sample_of(results: StudyResults, model: Any) -> dict[str, Any]:
    """Return rows, firms, first and last year of the rows that a model used."""
    rows = results.data.loc[results.data.index.isin(model.residuals.index)]
    keys = results.spec.panel
    firm, year = str(keys.firm), str(keys.year)
    years = rows[year].dropna() if year in rows.columns else pd.Series(dtype="float64")
    return {
        "observations": int(model.observations),
        "firms": int(rows[firm].nunique()) if firm in rows.columns else 0,
        "first": int(years.min()) if len(years) else None,
        "last": int(years.max()) if len(years) else None,
    }


def _effect_sentence(results: StudyResults, naming: Naming, name: str, model: Any) -> Both:
    term, digits = main_term(model), results.spec.digits
    x, y = naming.variable(term), naming.variable(model.outcome)
    own, ends = sample_of(results, model), model.confidence_intervals().loc[term]
    low, high = float(ends["interval_low"]), float(ends["interval_high"])
    shown, range_ = number(model.coefficients[term], digits), interval(low, high, digits)
    p_value = p_text(float(model.p_values[term]))
    held = naming.effects(model.fixed_effects)
    held_zh, held_en = (f"，控制{held[0]}固定效应", f", holding {held[1]} effects fixed") if held[0] else ("", "")
    years = f"{own['first']}–{own['last']}" if own["first"] is not None else ""
    firms_zh = f"{own['firms']:,} 个个体" if own["firms"] else ""
    span_zh = (
        f"（{firms_zh}{'，' if firms_zh and years else ''}{years}{' 年' if years else ''}）"
        if firms_zh or years
        else ""
    )
    firms_en = f" of {own['firms']:,} units" if own["firms"] else ""
    span_en = f"{firms_en}{', ' + years if years else ''}"
    two = term in results.data.columns and is_binary(results.data[term])
    step_zh = f"{x[0]}为 1 时（相比为 0）" if two else f"{x[0]}每增加一个单位"
    step_en = f"{x[1]} being 1 rather than 0" if two else f"one more unit of {x[1]}"
    more_zh, more_en = _magnitude(results.magnitudes.get(name), x, y)
    verdict = (
        ("区间不含 0", "the interval excludes zero")
        if excludes_zero(low, high)
        else (
            "区间含 0，不能断定有影响",
            "the interval holds zero, so an effect cannot be told from none",
        )
    )
    return (
        f"在 {own['observations']:,} 个观测{span_zh}中{held_zh}，{step_zh}，{y[0]}变化 {shown}"
        f"（95% 置信区间 {range_}，{p_value}；{verdict[0]}）{more_zh}。",
        f"In {own['observations']:,} observations{span_en}{held_en}, {step_en} goes with a change of {shown} in {y[1]} "
        f"(95% confidence interval {range_}, {p_value}; {verdict[1]}){more_en}.",
    )


def _magnitude(found: Any, x: Both, y: Both) -> Both:
    if found is None or not np.isfinite(found.share):
        return "", ""
    scale_zh, scale_en = {"sd": ("标准差", "standard deviation"), "mean": ("均值", "mean")}[found.relative_to]
    share = percent(found.share)
    return (
        f"；{x[0]}上升一个标准差（{number(found.term_sd)}）对应{y[0]}{scale_zh}的 {share}",
        f"; one standard deviation of {x[1]} ({number(found.term_sd)}) is {share} of the {scale_en} of {y[1]}",
    )


def mediation_sentence(mediation: Any, naming: Naming, digits: int = 3) -> Both:
    """Return what a mediation found: the indirect effect with its interval, and the share where it means something.

    Parameters
    ----------
    mediation : Mediation
        The result.
    naming : Naming
        What things are called.
    digits : int
        Decimal places.
    """
    found, by = mediation.indirect, naming.variables(mediation.mediators)
    total, direct = mediation.total, mediation.direct
    range_ = f"{mediation.level:.0%}"
    verdict = (
        ("区间不含 0", "the interval excludes zero")
        if excludes_zero(*found.interval)
        else (
            "区间含 0",
            "the interval holds zero",
        )
    )
    share_zh, share_en = share_words(mediation)
    ends = interval(found.interval_low, found.interval_high, digits)
    drawn_zh = f"，{mediation.draws:,} 次抽样" if mediation.draws else ""
    drawn_en = f", {mediation.draws:,} draws" if mediation.draws else ""
    return (
        f"经由{by[0]}的间接效应为 {number(found.estimate, digits)}（{range_} 区间 {ends}{drawn_zh}；{verdict[0]}），"
        f"直接效应 {number(direct.estimate, digits)}，总效应 {number(total.estimate, digits)}；{share_zh}。",
        f"The indirect effect through {by[1]} is {number(found.estimate, digits)} ({range_} interval {ends}{drawn_en}; "
        f"{verdict[1]}), the direct effect {number(direct.estimate, digits)}, the total effect "
        f"{number(total.estimate, digits)}; {share_en}.",
    )


def share_words(mediation: Any) -> Both:
    """Return the share mediated in words, or why there is none, from the estimates themselves."""
    if np.isfinite(mediation.share_mediated):
        shown = percent(mediation.share_mediated)
        return f"间接效应占总效应的 {shown}", f"the indirect effect is {shown} of the total"
    reason = share_reason(mediation)
    return f"不报告中介占比：{reason[0]}", f"no share mediated is given: {reason[1]}"


def share_reason(mediation: Any) -> Both:
    """Return why the share mediated means nothing."""
    total, direct, indirect = mediation.total, mediation.direct, mediation.indirect
    if direct.estimate * indirect.estimate < 0:
        return "直接效应与间接效应符号相反", "direct and indirect effect have opposite signs"
    if not excludes_zero(*total.interval):
        ends = interval(*total.interval)
        return f"总效应接近 0（区间 {ends}），不宜作分母", f"the total effect is too near zero to divide by ({ends})"
    own = str(mediation.share_reason)
    return own, own


def group_sentence(name: str, found: Any, naming: Naming, digits: int = 3) -> Both:
    """Return the coefficients by group and the tests that they are equal."""
    term, title = found.regressors[0], naming.title("groups", name)
    shown = [
        (*naming.variable(str(group)), number(model.coefficients[term], digits))
        for group, model in found.models.items()
    ]
    zh, en = "、".join(f"{a} {value}" for a, _, value in shown), ", ".join(f"{b} {value}" for _, b, value in shown)
    tests = found.p_values
    if not tests:
        return (
            f"{title[0]}：可估计的组少于两个（{zh}），无法检验组间差异。",
            f"{title[1]}: fewer than two groups could be estimated ({en}), so nothing can be compared.",
        )
    names = {
        "interaction": ("交互项", "interaction"),
        "suest": ("似无相关", "suest"),
        "permutation": ("置换", "permutation"),
    }
    given = [(*names.get(test, (test, test)), p_text(value)) for test, value in tests.items()]
    differ = any(value < 0.05 for value in tests.values())
    agree = all(value < 0.05 for value in tests.values())
    verdict = (
        ("组间差异显著", "the groups differ")
        if agree
        else ("各检验结论不一", "the tests disagree")
        if differ
        else ("不能拒绝各组系数相等", "equal coefficients cannot be rejected")
    )
    return (
        f"{title[0]}：{zh}；{'，'.join(f'{a}检验 {p}' for a, _, p in given)}，{verdict[0]}。",
        f"{title[1]}: {en}; {', '.join(f'{b} {p}' for _, b, p in given)}: {verdict[1]}.",
    )


def policy_sentence(name: str, found: Any, naming: Naming, digits: int = 3) -> Both:
    """Return the range of a policy's effect over the estimators, and the test of the effects before it."""
    title, frame = naming.title("staggered", name), found.to_frame()
    estimates = frame["estimate"].astype(float)
    number_of = len(frame)
    clear = sum(excludes_zero(row.interval_low, row.interval_high) for row in frame.itertuples())
    low, high = number(estimates.min(), digits), number(estimates.max(), digits)
    range_zh = low if number_of == 1 else f"在 {low} 与 {high} 之间"
    range_en = low if number_of == 1 else f"between {low} and {high}"
    return (
        f"{title[0]}：{number_of} 种估计量的平均处理效应{range_zh}，其中 {clear} 个区间不含 0。",
        f"{title[1]}: the average effect on the treated is {range_en} by {number_of} estimators; "
        f"{clear} intervals exclude zero.",
    )


def robustness_sentence(found: Any) -> Both | None:
    """Return how many of the checks of a battery bear out the baseline; None where there is no check.

    Parameters
    ----------
    found : Robustness
        The battery.
    """
    counts = found.counts()
    total = sum(counts.values())
    if not total:
        return None
    holds, weaker, changes = (counts.get(name, 0) for name in ("holds", "weaker", "changes"))
    lost = counts.get("not estimated", 0)
    lost_zh, lost_en = (f"，{lost} 项未能估计", f", {lost} could not be estimated") if lost else ("", "")
    return (
        f"{total} 项稳健性检验中，{holds} 项支持基准结论，{weaker} 项同号但不再显著，{changes} 项结论改变{lost_zh}。",
        f"Of {total} robustness checks {holds} bear out the baseline, {weaker} keep its sign but not its significance, "
        f"{changes} change it{lost_en}.",
    )
