"""The words of the tables in Chinese and English, and the names of variables and effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from econometrics.messages import in_language
from econometrics.tables.model import Language

WORDS: dict[str, tuple[str, str]] = {
    "yes": ("是", "Yes"),
    "no": ("否", "No"),
    "some": ("部分", "Some"),
    "controls": ("控制变量", "Controls"),
    "fixed_effects": ("固定效应", "fixed effects"),
    "observations": ("观测值", "Observations"),
    "clusters": ("聚类数", "Clusters"),
    "cluster_level": ("聚类层级", "Clustered by"),
    "r2": ("R²", "R²"),
    "adjusted_r2": ("调整后 R²", "Adjusted R²"),
    "within_r2": ("组内 R²", "Within R²"),
    "adjusted_within_r2": ("调整后组内 R²", "Adjusted within R²"),
    "outcome_mean": ("被解释变量均值", "Mean of outcome"),
    "outcome_sd": ("被解释变量标准差", "SD of outcome"),
    "weak_instruments.kleibergen_paap_f": ("Kleibergen-Paap rk Wald F", "Kleibergen-Paap rk Wald F"),
    "weak_instruments.effective_f": ("有效 F（Montiel Olea-Pflueger）", "Effective F (Montiel Olea-Pflueger)"),
    "weak_instruments.cragg_donald_f": ("Cragg-Donald F", "Cragg-Donald F"),
    "anderson_rubin.test.p_value": ("Anderson-Rubin 检验 p 值", "Anderson-Rubin: p value"),
    "overidentification.p_value": ("过度识别检验 p 值", "Overidentification: p value"),
    "endogeneity.p_value": ("内生性检验 p 值", "Endogeneity: p value"),
    "adjusted_p_value": ("调整后 p 值", "Adjusted p value"),
    "constant": ("常数项", "Constant"),
    "total": ("总效应", "Total effect"),
    "direct": ("直接效应", "Direct effect"),
    "indirect": ("间接效应", "Indirect effect"),
    "total_indirect": ("间接效应合计", "Total indirect effect"),
    "share_mediated": ("中介效应占比", "Share mediated"),
    "estimate": ("估计值", "Estimate"),
    "standard_error": ("标准误", "Standard error"),
    "statistic": ("t 值", "t statistic"),
    "p_value": ("p 值", "p value"),
    "interval_low": ("区间下限", "Interval: lower"),
    "interval_high": ("区间上限", "Interval: upper"),
    "term": ("变量", "Variable"),
    "variable": ("变量", "Variable"),
    "mean": ("均值", "Mean"),
    "sd": ("标准差", "SD"),
    "median": ("中位数", "Median"),
    "p25": ("25% 分位", "25th pct."),
    "p75": ("75% 分位", "75th pct."),
    "minimum": ("最小值", "Min."),
    "maximum": ("最大值", "Max."),
    "missing": ("缺失数", "Missing"),
    "group": ("组别", "Group"),
    "all": ("全样本", "All"),
    "difference": ("组间差异", "Difference"),
    "group_test": ("组间系数差异检验 p 值", "Equality of coefficients: p value"),
    "event_time": ("相对时期", "Event time"),
    "average_effect": ("平均处理效应", "Average treatment effect"),
}

# What the columns of a firm panel are called where no label is given.
EFFECT_NAMES: dict[str, tuple[str, str]] = {
    "stock_code": ("企业", "Firm"),
    "firm": ("企业", "Firm"),
    "firm_id": ("企业", "Firm"),
    "report_year": ("年份", "Year"),
    "year": ("年份", "Year"),
    "industry": ("行业", "Industry"),
    "industry_code": ("行业", "Industry"),
    "province": ("省份", "Province"),
    "province_code": ("省份", "Province"),
    "city": ("城市", "City"),
    "city_code": ("城市", "City"),
    "county": ("县域", "County"),
    "county_code": ("县域", "County"),
    "region": ("地区", "Region"),
}


def word(key: str, language: Language) -> str:
    """Return a word of the tables by its key; an unknown key is returned as it is."""
    return WORDS[key][language == "en"] if key in WORDS else key


def variable_label(name: str, labels: Mapping[str, str]) -> str:
    """Return the label of a variable; a product ``a:b`` or ``a*b`` is built from those of its parts."""
    if name in labels:
        return labels[name]
    for mark in (":", "*"):
        if mark in name:
            return " × ".join(variable_label(part.strip(), labels) for part in name.split(mark))
    return name


def effect_name(name: str, labels: Mapping[str, str], language: Language) -> str:
    """Return what a fixed effect or cluster is called: ``stock_code`` is "Firm", ``industry^report_year`` a product."""
    if name in labels:
        return labels[name]
    if "^" in name:
        mark = "×" if language == "zh" else " × "
        return mark.join(effect_name(part.strip(), labels, language) for part in name.split("^"))
    return EFFECT_NAMES[name][language == "en"] if name in EFFECT_NAMES else name


def effect_label(name: str, labels: Mapping[str, str], language: Language) -> str:
    """Return the label of a row of fixed effects, such as "企业固定效应" or "Firm fixed effects"."""
    own = effect_name(name, labels, language)
    return own + word("fixed_effects", "zh") if language == "zh" else f"{own} {word('fixed_effects', 'en')}"


def message(text: str, labels: Mapping[str, str], language: Language) -> str:
    """Return what a result says of itself in the language of a table, columns by their names.

    Parameters
    ----------
    text : str
        A warning or a reason.
    labels : mapping of str to str
        Names of variables.
    language : {'zh', 'en'}
        The language.
    """
    effects = {name: both[0] for name, both in EFFECT_NAMES.items()}
    return in_language(text, language, {**labels, **effects})


def listed(parts: Iterable[str], language: Language) -> str:
    """Join words as the language does: "甲、乙和丙", "a, b and c"."""
    shown = list(parts)
    comma, last = ("、", "和") if language == "zh" else (", ", " and ")
    return comma.join(shown[:-1]) + last + shown[-1] if len(shown) > 1 else "".join(shown)
