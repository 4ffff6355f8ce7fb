"""Figures: what is drawn is read back from the finished drawing; files are the same twice."""

import re
import warnings
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from econometrics.figures import (
    ChineseFontWarning,
    coefficient_plot,
    event_study_plot,
    find_chinese_font,
    fonts,
    marginal_effects_plot,
    mediation_path_diagram,
    specification_curve,
    trend_plot,
    use_chinese_font,
    yearly_values,
)
from shuzhi import DataError, UsageError


def intervals(estimates, error=0.02) -> dict[str, np.ndarray]:
    values = np.asarray(estimates, dtype="float64")
    return {"estimate": values, "interval_low": values - 1.96 * error, "interval_high": values + 1.96 * error}


@pytest.fixture(scope="module")
def coefficients() -> pd.DataFrame:
    parts = [
        pd.DataFrame({"term": ["a", "b", "c"], "model": name, **intervals([0.1, -0.05, shift])})
        for name, shift in (("全样本", 0.0), ("污染企业", 0.2))
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    times = np.arange(-3, 4)
    effect = np.where(times >= 0, 0.03 * (times + 1), 0.0)
    frame = pd.DataFrame({"event_time": times, **intervals(effect), "is_reference": times == -1})
    return frame.assign(uniform_low=frame["estimate"] - 0.06, uniform_high=frame["estimate"] + 0.06)


@pytest.fixture(scope="module")
def specifications() -> pd.DataFrame:
    estimates = [-0.10, -0.03, -0.08, 0.01, np.nan, -0.05]
    return pd.DataFrame(
        {
            **intervals(estimates),
            "index": ["wu2021", "li2022"] * 3,
            "effects": ["企业+年份", "企业+行业×年份", "企业+年份", "企业+行业×年份", "企业+年份", "企业+年份"],
            "main": [False, False, True, False, False, False],
        }
    )


@pytest.fixture(scope="module")
def effects() -> pd.DataFrame:
    rows = [
        ("total", "", "cluster -> carbon", -0.059),
        ("a", "digital", "cluster -> digital", 0.312),
        ("a", "green", "cluster -> green", 0.1),
        ("d", "green", "digital -> green", 0.4),
        ("b", "digital", "digital -> carbon", -0.08),
        ("b", "green", "green -> carbon", 0.2),
        ("direct", "", "cluster -> carbon, given digital, green", -0.034),
        ("indirect", "digital", "", -0.025),
        ("indirect", "green", "", 0.02),
        ("indirect", "digital -> green", "", 0.025),
        ("total_indirect", "", "", 0.02),
    ]
    frame = pd.DataFrame(rows, columns=["effect", "mediator", "term", "estimate"])
    return frame.assign(standard_error=0.02, p_value=0.03, **intervals(frame["estimate"]))


@pytest.fixture(scope="module")
def drawings(coefficients, events, specifications, effects):
    moderator = np.linspace(-2, 2, 21)
    frame = pd.DataFrame({"moderator": moderator, **intervals(-0.05 + 0.03 * moderator)})
    yearly = pd.DataFrame({"report_year": [2019, 2020, 2022], **intervals([1.0, 1.2, 1.5])})
    return {
        "coefficients": coefficient_plot(coefficients, group="model", title="系数"),
        "events": event_study_plot(events, title="动态效应"),
        "curve": specification_curve(specifications, ["index", "effects"], main="main", title="设定曲线"),
        "path": mediation_path_diagram(effects, treatment="cluster", outcome="carbon", title="路径"),
        "marginal": marginal_effects_plot(frame, observed=moderator, title="边际效应"),
        "trend": trend_plot(yearly, title="趋势"),
    }


def texts_of(drawing) -> list[str]:
    return [text.get_text() for text in drawing.figure.findobj(mpl.text.Text) if text.get_text()]


def test_files_are_the_same_twice_and_nothing_global_changes(drawings):
    before = dict(mpl.rcParams)
    for name, drawing in drawings.items():
        first, png = drawing.svg(), drawing.png(60)
        assert drawing.svg() == first and drawing.png(60) == png, name
        assert png.startswith(b"\x89PNG")
        assert "<dc:date" not in first
    assert dict(mpl.rcParams) == before
    assert "matplotlib.pyplot" not in __import__("sys").modules or not mpl.pyplot.get_fignums()


def test_two_builds_give_the_same_svg(events):
    assert event_study_plot(events).svg() == event_study_plot(events).svg()


def test_every_letter_has_a_shape(coefficients, events, specifications, effects):
    if not find_chinese_font().family:
        pytest.skip("needs a Chinese font on this machine")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of every glyph that a font lacks
        coefficient_plot(coefficients, group="model", title="系数").png(50)
        event_study_plot(events, title="动态效应").png(50)
        specification_curve(specifications, ["index", "effects"], title="设定曲线").png(50)
        mediation_path_diagram(effects, treatment="cluster", outcome="carbon", labels={"green": "绿色创新"}).png(50)


def test_several_figures_fit_into_one_page(drawings):
    pages = [drawing.svg() for drawing in drawings.values()]
    names = [name for page in pages for name in re.findall(r' id="([^"]+)"', page)]
    assert len(names) == len(set(names))
    for page in pages:
        ElementTree.fromstring(page)
        own = set(re.findall(r' id="([^"]+)"', page))
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', page)) <= own
        assert not re.search(r'(?:href|src)="(?!#)', page)


def test_text_can_stay_text(drawings):
    def spoken(page: str) -> str:
        return " ".join(
            text.text or "" for text in ElementTree.fromstring(page).iter("{http://www.w3.org/2000/svg}text")
        )

    drawing = drawings["events"]
    assert "动态效应" in spoken(drawing.svg("text"))
    assert not spoken(drawing.svg())


def test_coefficients_stand_where_their_numbers_say(coefficients):
    axes = coefficient_plot(coefficients, group="model", labels={"a": "产业集群"}).figure.axes[0]
    points = [line for line in axes.lines if len(line.get_xdata()) == 3]
    assert [list(line.get_xdata()) for line in points] == [[0.1, -0.05, 0.0], [0.1, -0.05, 0.2]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["产业集群", "b", "c"]
    low, high = axes.get_ylim()
    assert low > high  # the first term stands at the top
    first, second = (line.get_ydata() for line in points)
    assert (np.round(first) == np.round(second)).all() and (first < second).all()


def test_event_study_has_whole_years_and_a_hollow_reference(events):
    axes = event_study_plot(events).figure.axes[0]
    ticks = axes.get_xticks()
    assert (ticks == np.round(ticks)).all()
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert [(list(line.get_xdata()), list(line.get_ydata())) for line in hollow] == [([-1.0], [0.0])]
    assert any(list(line.get_xdata()) == [-0.5, -0.5] for line in axes.lines)


def test_a_curve_is_sorted_and_counts_what_failed(specifications):
    drawing = specification_curve(specifications, ["index", "effects"], main="main")
    curve, panel = drawing.figure.axes
    drawn = np.concatenate([line.get_ydata() for line in curve.lines if line.get_marker() == "o"])
    assert sorted(drawn) == [-0.10, -0.08, -0.05, -0.03, 0.01]
    # Intervals are +- 0.0392: -0.10, -0.08 and -0.05 exclude zero.
    assert panel.get_xlabel() == "5 个设定，按系数排序；3 个区间不含 0；另有 1 个未能估计"
    diamond = next(line for line in curve.lines if line.get_marker() == "D")
    assert (list(diamond.get_xdata()), list(diamond.get_ydata())) == ([1], [-0.08])
    marks = {}
    for line in panel.lines:
        if line.get_marker() == "|" and len(line.get_xdata()):
            marks.setdefault(float(line.get_ydata()[0]), []).extend(line.get_xdata())
    labels = dict(zip(panel.get_yticks(), [label.get_text() for label in panel.get_yticklabels()], strict=True))
    # In the order of estimates the indices are wu, wu, li, li, li.
    assert {labels[height]: sorted(places) for height, places in marks.items()} == {
        "wu2021": [0, 1],
        "li2022": [2, 3, 4],
        "企业+年份": [0, 1, 2],
        "企业+行业×年份": [3, 4],
    }


def test_paths_show_all_effects(effects):
    labels = {"cluster": "产业集群", "digital": "数字化", "green": "绿色创新", "carbon": "碳强度"}
    texts = texts_of(mediation_path_diagram(effects, treatment="cluster", outcome="carbon", labels=labels))
    for text in ("产业集群", "绿色创新", "a = 0.312** (0.020)", "b = −0.080** (0.020)", "c' = −0.034** (0.020)"):
        assert text in texts
    assert "d = 0.400** (0.020)" in texts
    assert "间接效应（数字化 → 绿色创新） 0.025，95% 区间 [−0.014, 0.064]" in texts
    assert "间接效应合计 0.020，95% 区间 [−0.019, 0.059]" in texts


def test_a_label_with_dollars_is_text(coefficients):
    drawing = coefficient_plot(coefficients, group="model", labels={"a": "sales $m$ & 10$"})
    drawing.svg()
    assert "sales $m$ & 10$" in texts_of(drawing)


def test_yearly_values_leave_missing_out():
    data = pd.DataFrame(
        {
            "report_year": [2019, 2019, 2019, 2020, 2020, 2021],
            "g": list("aabaab"),
            "v": [1.0, 3.0, 9.0, 4.0, np.nan, np.nan],
        }
    )
    frame = yearly_values(data, "v", group="g")
    assert frame[["report_year", "g", "estimate", "observations"]].to_numpy().tolist() == [
        [2019, "a", 2.0, 2],
        [2019, "b", 9.0, 1],
        [2020, "a", 4.0, 1],
    ]
    # sd of 1 and 3 is sqrt(2): half width 1.96 * sqrt(2) / sqrt(2).
    assert frame.loc[0, "interval_high"] == pytest.approx(2 + 1.959963984540054)
    assert frame.loc[1:, "interval_low"].isna().all()
    middle = yearly_values(data, "v", statistic="median")
    assert middle.loc[0, ["interval_low", "estimate", "interval_high"]].tolist() == [2.0, 3.0, 6.0]


def test_a_year_without_values_is_a_gap_and_years_are_whole():
    yearly = pd.DataFrame({"report_year": [2018, 2019, 2021], "estimate": [1.0, 2.0, 3.0]})
    axes = trend_plot(yearly).figure.axes[0]
    line = next(line for line in axes.lines if len(line.get_xdata()) == 4)
    assert list(line.get_xdata()) == [2018, 2019, 2020, 2021]
    assert np.isnan(line.get_ydata()).tolist() == [False, False, True, False]
    assert all(label.get_text().isdigit() for label in axes.get_xticklabels())


def test_missing_columns_are_named_with_the_nearest(coefficients):
    with pytest.raises(DataError, match=r"no column 'term' .*'model'"):
        coefficient_plot(coefficients.rename(columns={"term": "trm", "model": "modell"}), group="model")
    with pytest.raises(DataError, match="no rows"):
        event_study_plot(pd.DataFrame({"event_time": [], "estimate": [], "interval_low": [], "interval_high": []}))
    with pytest.raises(DataError, match="effects a and b"):
        mediation_path_diagram(
            pd.DataFrame({"effect": ["total"], "mediator": [""], "estimate": [1.0]}), treatment="x", outcome="y"
        )


def test_a_given_font_must_be_one_with_chinese(tmp_path):
    with pytest.raises(UsageError, match="no font file"):
        use_chinese_font(tmp_path / "gone.ttf")
    from matplotlib.font_manager import findfont

    with pytest.raises(UsageError, match="has no Chinese characters"):
        use_chinese_font(findfont("DejaVu Sans"))
    own = find_chinese_font()
    if not own.family:
        pytest.skip("needs a Chinese font on this machine")
    assert use_chinese_font(own.source)["font.family"][0] == own.family


def test_without_a_chinese_font_one_warning_says_what_to_install(monkeypatch):
    monkeypatch.setattr(fonts, "CHINESE_FAMILIES", ())
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda: [])
    monkeypatch.setattr(fonts, "FONT_PACKAGE", "no_such_package_of_fonts")
    fonts._installed_font.cache_clear()
    try:
        with pytest.warns(ChineseFontWarning, match="pip install pylopdf-fonts-zh-cn") as caught:
            assert use_chinese_font()["font.family"] == ["DejaVu Sans"]
        assert len(caught) == 1
    finally:
        fonts._installed_font.cache_clear()
