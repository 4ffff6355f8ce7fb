"""The sentences of the diagnostics in both languages, by kind; the results fill in names and numbers."""

from __future__ import annotations

from typing import Literal

Weight = Literal["serious", "caution", "note"]
Kind = Literal[
    "emission_trap",
    "emission_nearly",
    "emission_measured",
    "weak_instrument",
    "strong_instrument",
    "few_clusters",
    "low_reliability",
    "reliability",
    "failed",
    "skipped",
    "not_shown",
    "group_flagged",
    "estimator_failed",
    "check_failed",
    "pre_trend",
    "forbidden_weight",
    "share_not_shown",
    "collinear",
    "singletons",
    "dropped",
    "units",
    "panel_decomposition",
    "panel_warning",
]

# By kind: how much it weighs, Chinese, English. Numbers come as text, shown alike everywhere.
SENTENCES: dict[Kind, tuple[Weight, str, str]] = {
    "emission_trap": ("serious", "{where_zh}：{sentence_zh}", "{where_en}: {sentence_en}"),
    "emission_nearly": (
        "serious",
        "{where_zh}：行业—年份解释被解释变量对数方差的 {between}，加上企业的成本收入比后达 {joint}；"
        "它几乎就是按成本分摊的行业排放量，控制行业—年份固定效应后剩下的主要是成本收入比。",
        "{where_en}: industry-years explain {between} of the variance of the log outcome, with the firm's ratio of "
        "cost to revenue {joint}: it is close to an industry's emissions apportioned by cost, and with industry-year "
        "effects little but the cost ratio is left.",
    ),
    "emission_measured": ("note", "{where_zh}：{sentence_zh}", "{where_en}: {sentence_en}"),
    "panel_decomposition": ("serious", "面板：{sentence_zh}", "Panel: {sentence_en}"),
    "panel_warning": ("note", "面板：{sentence_zh}", "Panel: {sentence_en}"),
    "weak_instrument": (
        "serious",
        "{where_zh}：工具变量较弱，{strength_zh}。两阶段最小二乘有偏且区间失真，请以 Anderson-Rubin 区间为准。",
        "{where_en}: the instruments are weak, {strength_en}. Two-stage least squares is biased and its interval "
        "misleads; read the Anderson-Rubin interval instead.",
    ),
    "strong_instrument": (
        "note",
        "{where_zh}：工具变量强度可接受，{strength_zh}。",
        "{where_en}: the instruments are strong enough, {strength_en}.",
    ),
    "few_clusters": (
        "caution",
        "{where_zh}：仅 {count} 个{level_zh}聚类（少于 {few}），聚类标准误往往偏小，"
        "请对照 CR2 或 wild cluster bootstrap。",
        "{where_en}: only {count} clusters of {level_en} (fewer than {few}); clustered errors tend to be too small, "
        "compare CR2 or the wild cluster bootstrap.",
    ),
    "low_reliability": (
        "serious",
        "{where_zh}：指数信度较低，{found_zh}（界限 {low}），测量误差会使系数向 0 偏误{share_zh}。",
        "{where_en}: the reliability of the index is low, {found_en} (bound {low}); measurement error draws its "
        "coefficient towards zero{share_en}.",
    ),
    "reliability": (
        "note",
        "{where_zh}：指数信度为 {found_zh}{share_zh}。",
        "{where_en}: the reliability of the index is {found_en}{share_en}.",
    ),
    "failed": (
        "caution",
        "{where_zh}未能估计{line_zh}：",
        "{where_en} could not be estimated{line_en}:",
    ),
    "skipped": ("caution", "{where_zh}未做{line_zh}：", "{where_en} was left out{line_en}:"),
    "not_shown": (
        "caution",
        "{where_zh}缺少已声明的{missing_zh}，因其未能估计。",
        "{where_en} lacks what was declared for it but could not be estimated: {missing_en}.",
    ),
    "group_flagged": (
        "caution",
        "{where_zh}：组“{group_zh}”未能估计：",
        '{where_en}: the group "{group_en}" could not be estimated:',
    ),
    "estimator_failed": (
        "caution",
        "{where_zh}：{estimator_zh}未能计算：",
        "{where_en}: {estimator_en} could not be computed:",
    ),
    "check_failed": (
        "caution",
        "{where_zh}：检验“{check_zh}”未能估计：",
        '{where_en}: the check "{check_en}" could not be estimated:',
    ),
    "pre_trend": (
        "caution",
        "{where_zh}：政策实施前各期效应联合显著（{found_zh}），平行趋势可疑。",
        "{where_en}: the effects before the policy differ from zero together ({found_en}): parallel trends are "
        "in doubt.",
    ),
    "forbidden_weight": (
        "caution",
        "{where_zh}：静态双向固定效应估计有 {share} 的权重来自以已处理者为对照的比较，请以异质性稳健的估计量为准。",
        "{where_en}: {share} of the weight of the static two-way estimate lies on comparisons with units already "
        "treated; read the robust estimators instead.",
    ),
    "share_not_shown": (
        "note",
        "{where_zh}：不报告中介占比，因为{reason_zh}。",
        "{where_en}: no share mediated is given, because {reason_en}.",
    ),
    "collinear": (
        "caution",
        "{where_zh}：{terms_zh}因共线被略去。",
        "{where_en}: {terms_en} left out as collinear with the effects or the other terms.",
    ),
    "singletons": (
        "note",
        "{where_zh}：剔除 {count} 个单例（固定效应中只出现一次的观测）。",
        "{where_en}: singletons dropped (observations alone in one of the fixed effects): {count}.",
    ),
    "dropped": (
        "note",
        "{where_zh}：因缺失或非有限值剔除 {count} 行，缺失不作零处理。",
        "{where_en}: rows dropped for missing or infinite values: {count}; missing is never taken for zero.",
    ),
    "units": ("note", "变量单位：{units_zh}。", "Units: {units_en}."),
}
