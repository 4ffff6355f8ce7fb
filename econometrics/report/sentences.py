"""One sentence a result, section by section: what was found, with its numbers, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from econometrics.report.base import Both, Naming, interval, number, p_text, percent
from econometrics.report.findings import group_sentence, mediation_sentence, policy_sentence, robustness_sentence
from econometrics.report.plans import SectionName, index_variables
from econometrics.study.results import StudyResults


def section_sentences(name: SectionName, results: StudyResults, naming: Naming) -> tuple[Both, ...]:
    """Return what was found in a section; nothing for one that has only tables.

    Parameters
    ----------
    name : str
        The section.
    results : StudyResults
        The study.
    naming : Naming
        What things are called.
    """
    return tuple(_SENTENCES[name](results, naming)) if name in _SENTENCES else ()


def _index_sentences(results: StudyResults, naming: Naming) -> Iterable[Both]:
    for name in index_variables(results):
        known = results.variables.get(name)
        values = results.data[name].dropna()
        zh, en = naming.variable(name)
        parts_zh, parts_en = [f"{len(values):,} 个非缺失值"], [f"{len(values):,} values"]
        if known is not None and known.unit:
            parts_zh, parts_en = [*parts_zh, f"单位：{known.unit}"], [*parts_en, f"unit: {known.unit}"]
        if known is not None and known.formula:
            parts_zh, parts_en = [*parts_zh, f"算法：{known.formula}"], [*parts_en, f"computed as {known.formula}"]
        if known is not None and known.source:
            parts_zh, parts_en = [*parts_zh, f"来源：{known.source}"], [*parts_en, f"source: {known.source}"]
        yield f"{zh}（{name}）：{'；'.join(parts_zh)}。", f"{en} ({name}): {'; '.join(parts_en)}."


def _main_sentences(results: StudyResults, naming: Naming) -> Iterable[Both]:
    for name, found in results.magnitudes.items():
        if not np.isfinite(found.share):
            continue
        title = naming.title("models", name)
        x, y = naming.variable(found.term), naming.variable(found.outcome)
        scale = {"sd": ("标准差", "standard deviation"), "mean": ("均值", "mean")}[found.relative_to]
        working = f"{number(found.coefficient)} × {number(found.term_sd)} / {number(found.outcome_scale)}"
        share = f"{found.share * 100:.1f}%".replace("-", "\u2212")
        yield (
            f"{title[0]}：{x[0]}上升一个标准差，{y[0]}变化其{scale[0]}的 {share}（{working}）。",
            f"{title[1]}: one standard deviation of {x[1]} goes with {share} of the {scale[1]} of {y[1]} ({working}).",
        )


def _channel_sentences(results: StudyResults, naming: Naming) -> Iterable[Both]:
    for name, found in results.mediations.items():
        title = naming.title("mediations", name)
        zh, en = mediation_sentence(found, naming, results.spec.digits)
        yield f"{title[0]}：{zh}", f"{title[1]}: {en[:1].lower()}{en[1:]}"


def _heterogeneity_sentences(results: StudyResults, naming: Naming) -> Iterable[Both]:
    for name, found in results.groups.items():
        yield group_sentence(name, found, naming, results.spec.digits)
    for name, by_group in results.indirect_groups.items():
        yield from _indirect_sentences(name, by_group, naming)
    for name, family in results.families.items():
        frame = family.to_frame()
        clear = int((frame["adjusted_p_value"] < 0.05).sum())
        zh, en = naming.title("families", name)
        yield (
            f"{zh}：{len(frame)} 项组间差异经多重检验调整后，{clear} 项在 5% 水平上显著。",
            f"{en}: of {len(frame)} differences {clear} differ from zero at 5% once adjusted for how many there are.",
        )
    for name, moderation in results.moderations.items():
        yield _moderation(name, moderation, naming)
    for name, u_test in results.u_tests.items():
        (zh, en), shape = (
            naming.title("u_tests", name),
            ("U 型", "U") if u_test.shape == "u" else ("倒 U 型", "inverted U"),
        )
        verdict = ("成立", "holds") if u_test.confirmed else ("不成立", "does not hold")
        yield (
            f"{zh}：{shape[0]}关系{verdict[0]}（{p_text(u_test.p_value)}），"
            f"拐点 {number(u_test.turning_point)}（区间 {interval(*u_test.fieller)}）。",
            f"{en}: the {shape[1]} shape {verdict[1]} ({p_text(u_test.p_value)}); turning point "
            f"{number(u_test.turning_point)} (interval {interval(*u_test.fieller)}).",
        )
    for name, threshold in results.thresholds.items():
        (zh, en), of = naming.title("thresholds", name), naming.variable(threshold.threshold_variable)
        for value, ends, test in zip(threshold.thresholds, threshold.intervals, threshold.tests, strict=False):
            shown = f"{number(value)} {interval(*ends)}, {p_text(test.p_value)}"
            yield f"{zh}：{of[0]}的门槛值 {shown}。", f"{en}: threshold of {of[1]} at {shown}."


def _moderation(name: str, found: Any, naming: Naming) -> Both:
    row = found.to_frame().set_index("term").loc[found.interaction]
    (zh, en), x, by = (
        naming.title("moderations", name),
        naming.variable(found.treatment),
        naming.variable(found.moderator),
    )
    shown = f"{number(row['estimate'])} {interval(row['interval_low'], row['interval_high'])}, {p_text(row['p_value'])}"
    return (
        f"{zh}：{by[0]}每增加一个单位，{x[0]}的效应变化 {shown}。",
        f"{en}: with each unit of {by[1]} the effect of {x[1]} changes by {shown}.",
    )


def _indirect_sentences(name: str, found: Any, naming: Naming) -> Iterable[Both]:
    frame = found.to_frame()
    rows = frame[(frame["term"] == "indirect") & (frame["kind"] == "difference")]
    zh, en = naming.title("indirect_groups", name)
    for row in rows.itertuples():
        one, other = naming.variable(str(row.group)), naming.variable(str(row.reference))
        ends, value = interval(row.interval_low, row.interval_high), number(row.estimate)
        permuted = row.permutation_p_value
        p_zh, p_en = (
            (f"，置换 {p_text(permuted)}", f", permutation {p_text(permuted)}") if np.isfinite(permuted) else ("", "")
        )
        yield (
            f"{zh}：间接效应之差（{one[0]} 减 {other[0]}）{value}，区间 {ends}{p_zh}。",
            f"{en}: difference of the indirect effects ({one[1]} less {other[1]}) {value}, interval {ends}{p_en}.",
        )


def _policy_sentences(results: StudyResults, naming: Naming) -> Iterable[Both]:
    for name, found in results.staggered.items():
        yield policy_sentence(name, found, naming, results.spec.digits)
    for name, placebo in results.placebos.items():
        zh, en = naming.title("placebos", name)
        yield (
            f"{zh}：{placebo.draws:,} 次随机指派政策的安慰剂检验，{p_text(placebo.p_value)}（种子 {placebo.seed}）。",
            f"{en}: placebo with {placebo.draws:,} policies dealt out at random, {p_text(placebo.p_value)} "
            f"(seed {placebo.seed}).",
        )
    for name, bounds in results.honest_bounds.items():
        zh, en = naming.title("honest_bounds", name)
        found_zh, found_en = _breakdown(float(bounds.breakdown))
        yield f"{zh}：{found_zh}。", f"{en}: {found_en}."


def _breakdown(value: float) -> Both:
    """Say how far trends may depart from parallel ones before the interval holds zero."""
    if value <= 0:
        return "即使平行趋势成立，区间也含 0", "the interval holds zero even under parallel trends"
    if not np.isfinite(value):
        return "在所试的各种偏离程度下，区间均不含 0", "the interval excludes zero under every departure that was tried"
    shown = number(value, 2)
    return (
        f"偏离平行趋势的程度不超过 {shown} 时，区间不含 0",
        f"the interval excludes zero up to a departure from parallel trends of {shown}",
    )


def _robustness_sentences(results: StudyResults, naming: Naming) -> Iterable[Both]:
    for name, found in results.robustness.items():
        sentence = robustness_sentence(found)
        if sentence is not None:
            title = naming.title("robustness", name)
            yield f"{title[0]}：{sentence[0]}", f"{title[1]}: {sentence[1][:1].lower()}{sentence[1][1:]}"
    for name, curve in results.curves.items():
        zh, en = naming.title("curves", name)
        share, sign = percent(curve.share_significant), percent(curve.share_same_sign)
        tests_zh, tests_en = _joint_tests(curve)
        yield (
            f"{zh}：{curve.specifications:,} 个设定的系数中位数为 {number(curve.median)}，{sign} 与中位数同号，"
            f"{share} 在 {percent(curve.level)} 水平上显著{tests_zh}。",
            f"{en}: the median over {curve.specifications:,} specifications is {number(curve.median)}; {sign} have its "
            f"sign, {share} are significant at {percent(curve.level)}{tests_en}.",
        )


_JOINT_TESTS: dict[str, Both] = {
    "median": ("中位数", "median"),
    "share significant": ("显著占比", "share significant"),
    "mean z": ("平均 z 值", "mean z"),
}


def _joint_tests(curve: Any) -> Both:
    shown = [
        (*_JOINT_TESTS.get(str(row.test), (str(row.test), str(row.test))), p_text(row.p_value))
        for row in curve.joint_tests.itertuples()
    ]
    if not shown:
        return "", ""
    drawn = f"{curve.draws:,}"
    return (
        f"；联合检验（{drawn} 次，种子 {curve.seed}）：" + "，".join(f"{zh} {p}" for zh, _, p in shown),
        f"; joint tests ({drawn} draws, seed {curve.seed}): " + ", ".join(f"{en} {p}" for _, en, p in shown),
    )


_SENTENCES: Mapping[SectionName, Callable[[StudyResults, Naming], Iterable[Both]]] = {
    "index": _index_sentences,
    "main": _main_sentences,
    "channel": _channel_sentences,
    "heterogeneity": _heterogeneity_sentences,
    "policies": _policy_sentences,
    "robustness": _robustness_sentences,
}
