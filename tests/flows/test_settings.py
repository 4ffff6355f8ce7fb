"""What a run can be told: one model a flow, the same names and defaults on the command line."""

import math
from typing import Any

import pytest
import typer
from pydantic import ValidationError

from flows.cli import app
from flows.grid import GridParameters
from flows.serving.options import ServeParameters
from flows.settings import (
    AnnualUpdateParameters,
    ExportParameters,
    FetchParameters,
    GateOptions,
    JobOptions,
    MeasureParameters,
    Parameters,
    PoolParameters,
    PublishParameters,
    ReadingOptions,
    ReadParameters,
    ReleaseOptions,
    RunParameters,
    StudyParameters,
    parse_years,
    usage_error,
)

MODELS = [
    PoolParameters,
    ReadingOptions,
    ReadParameters,
    MeasureParameters,
    ExportParameters,
    JobOptions,
    RunParameters,
    GateOptions,
    ReleaseOptions,
    AnnualUpdateParameters,
    PublishParameters,
    StudyParameters,
    FetchParameters,
    GridParameters,
    ServeParameters,
]
RUN = {"folder": "reports", "out": "out"}

# Years


@pytest.mark.parametrize(
    ("given", "years"),
    [
        ("", []),
        ("2023", [2023]),
        ("2019-2021", [2019, 2020, 2021]),
        ("2019 - 2021", [2019, 2020, 2021]),
        (" 2021 , 2019 ", [2019, 2021]),
        ("2019-2020,2020-2021,2019", [2019, 2020, 2021]),
        ("2019,", [2019]),
        ([2021, 2019, 2021], [2019, 2021]),
        (["2019-2020", 2018], [2018, 2019, 2020]),
        ((2019,), [2019]),
        ("2020-2020", [2020]),
    ],
)
def test_years_are_read_in_every_way_they_are_written(given: Any, years: list[int]):
    assert RunParameters(**RUN, years=given).years == years


@pytest.mark.parametrize("given", ["20", "2019-", "-2019", "20190", "2019–2021", "recent", "2019 2020", "1e3"])
def test_what_is_no_year_is_refused_with_an_example(given: str):
    with pytest.raises(ValueError, match="write a year or a range, for example 2023 or 2019-2023"):
        parse_years(given)


def test_a_range_that_runs_backwards_is_turned_round_in_the_message():
    with pytest.raises(ValueError, match="the first year is after the last; write 2019-2023"):
        parse_years("2023-2019")


@pytest.mark.parametrize("given", ["1989", "2101", [0], "1990-2101", [2020.5], [None], {"2020": 1}, 2020])
def test_years_out_of_range_or_of_another_type_are_refused(given: Any):
    with pytest.raises(ValidationError):
        RunParameters(**RUN, years=given)


# The models


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (PoolParameters, {}),
        (ReadParameters, {"folder": "f", "store": "s"}),
        (MeasureParameters, {"store": "s"}),
        (ExportParameters, {"store": "s", "out": "o"}),
        (RunParameters, RUN),
        (AnnualUpdateParameters, {**RUN, "year": 2023}),
        (FetchParameters, {"source": "list.csv", "folder": "f"}),
    ],
)
def test_an_unknown_key_is_refused(model: type[Parameters], given: dict[str, Any]):
    model(**given)
    with pytest.raises(ValidationError, match="dictionnary"):
        model(**given, dictionnary="wu2021")


def test_parameters_cannot_change_after_the_run_began():
    parameters = RunParameters(**RUN)
    with pytest.raises(ValidationError, match="frozen"):
        parameters.limit = 3


def test_every_model_of_a_flow_is_tested_here():
    found, waiting = set(), [Parameters]
    while waiting:
        found |= set(below := waiting.pop().__subclasses__())
        waiting += below
    assert found == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_the_form_of_a_model_takes_no_other_field(model: type[Parameters]):
    assert model.model_json_schema()["additionalProperties"] is False


@pytest.mark.parametrize("model", MODELS)
def test_every_field_is_described(model: type[Parameters]):
    fields = model.model_json_schema()["properties"]
    assert [name for name, field in fields.items() if len(field.get("description", "")) < 10] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workers", -1),
        ("workers", 257),
        ("seconds_per_file", 0),
        ("seconds_per_file", math.nan),
        ("memory_megabytes", 299),
        ("batch_size", 0),
        ("batch_size", 1001),
        ("limit", -1),
        ("max_failure_share", 1.01),
        ("max_failure_share", -0.01),
        ("max_failure_share", math.nan),
        ("dictionaries", []),
        ("rule", "shortest"),
        ("reader", "pypdf"),
        ("segmenter", "hanlp"),
        ("scopes", []),
        ("scopes", ["mad"]),
        ("script", "traditional"),
        ("keep", []),
        ("keep", ["own"]),
        ("ocr", "tesseract"),
        ("kinds", []),
        ("kinds", ["yearly"]),
        ("folder", None),
        ("runner", "spark"),
        ("dask_address", "10.0.0.5:8786"),
    ],
)
def test_values_out_of_bounds_are_refused(name: str, value: Any):
    with pytest.raises(ValidationError, match=name):
        RunParameters(**{**RUN, name: value})


def test_zero_workers_are_one_a_processor():
    assert PoolParameters(workers=0).worker_count() >= 1
    assert PoolParameters(workers=3).worker_count() == 3


def test_an_address_of_dask_needs_its_runner():
    assert PoolParameters(runner="dask", dask_address="tls://10.0.0.5:8786").runner == "dask"
    with pytest.raises(ValidationError, match="say runner: dask"):
        PoolParameters(dask_address="tcp://10.0.0.5:8786")


# From one model to the next


FULL = {
    "folder": "reports",
    "out": "out",
    "store": "elsewhere",
    "years": [2020],
    "dictionaries": ["a"],
    "dictionary_folder": "lists",
    "rule": "token",
    "scopes": ["mda", "body"],
    "keep": ["strict", "raw"],
    "script": "simplified",
    "ocr": "rapidocr",
    "kinds": ["annual", "summary"],
    "corrections": "corrections.yml",
    "reader": "pdfplumber",
    "segmenter": "jieba",
    "limit": 5,
    "retry": True,
    "max_failure_share": 0.5,
    "title": "标题",
    "is_simulated": True,
    "workers": 3,
    "seconds_per_file": 9.0,
    "memory_megabytes": 700,
    "batch_size": 7,
    "confine": "off",
    "runner": "dask",
    "dask_address": "tcp://10.0.0.5:8786",
}


def test_a_run_is_tested_with_every_field_away_from_its_default():
    default = RunParameters(**RUN).model_dump()
    assert set(FULL) == set(default)
    assert [name for name, value in FULL.items() if value == default[name]] == ["folder", "out"]


def stages(job: JobOptions, years: list[int]) -> list[Parameters]:
    return [job.reading(years), job.measuring(years), job.exporting(years)]


@pytest.mark.parametrize("stage", [0, 1, 2], ids=["reading", "measuring", "exporting"])
def test_each_stage_gets_the_values_of_the_job_and_its_own_years(stage: int):
    values = stages(RunParameters(**FULL), [2021, 2022])[stage].model_dump()
    # Failures are judged at the end of the job, when the outputs are there; only releases do without links to reports.
    own = {"years": [2021, 2022], "max_failure_share": 1.0, "link_reports": True}
    # A study kit is asked for by 'shuzhi export' alone.
    own |= {"study_kit": False, "kit_authors": [], "kit_licence": "", "kit_sentences": False}
    assert values == {name: (FULL | own)[name] for name in values}


def test_the_store_of_a_run_is_in_its_output_folder():
    stores = {stage.store for stage in stages(RunParameters(**RUN), [])}
    assert [store.replace("\\", "/") for store in stores] == ["out/store"]


def test_a_scope_that_does_not_exist_is_refused_with_the_nearest_name():
    with pytest.raises(ValidationError, match="'mad' is no part of a report; did you mean mda"):
        RunParameters(**RUN, scopes=["mad"])


def test_a_scope_named_twice_counts_once():
    assert RunParameters(**RUN, scopes=["mda", "report", "mda"]).scopes == ["mda", "report"]


def test_an_annual_update_takes_one_year_and_no_list_of_years():
    AnnualUpdateParameters(**RUN, year=2023)
    with pytest.raises(ValidationError, match="years"):
        AnnualUpdateParameters(**RUN, year=2023, years=[2022])


@pytest.mark.parametrize("year", [1989, 2101, None, "last"])
def test_the_year_of_an_annual_update_is_checked(year: Any):
    with pytest.raises(ValidationError, match="year"):
        AnnualUpdateParameters(**RUN, year=year)


# Problems


def problems_of(**given: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        RunParameters(**given)
    return str(usage_error(caught.value, "shuzhi run"))


def test_all_problems_come_at_once_each_with_what_was_given():
    lines = problems_of(folder="f", years="soon", limit=-1, rule="any", wrokers=2).splitlines()
    assert lines[0] == "shuzhi run: 5 problems"
    assert sorted(line.split(":")[0].strip() for line in lines[1:]) == ["limit", "out", "rule", "wrokers", "years"]
    assert next(line for line in lines if "limit" in line).endswith("(given: -1)")


def test_one_problem_is_one_problem():
    assert problems_of(**RUN, limit=-1).startswith("shuzhi run: 1 problem\n")


def test_the_message_has_no_words_of_pydantic():
    text = problems_of(folder="f", years="soon")
    assert "pydantic" not in text
    assert "Value error" not in text
    assert "http" not in text


# The command line


# They go to another model, flows.grid.GridParameters.
GRID_OPTIONS = ("grid", "out", "industries", "others", "draws", "seed")


def options_of(command: str) -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    left_out = ("help", "dry_run", *(GRID_OPTIONS if command == "measure" else ()))
    return {each.name: each for each in group.commands[command].params if each.name not in left_out}


COMMANDS = {
    "run": RunParameters,
    "read": ReadParameters,
    "measure": MeasureParameters,
    "export": ExportParameters,
    "update": AnnualUpdateParameters,
    "publish": PublishParameters,
}
# Title and mark are for the demo and for deployments; a store that exists is found by itself.
NOT_OPTIONS = {
    "run": {"title", "is_simulated"},
    "read": set(),
    "measure": {"seconds_per_file", "memory_megabytes", "batch_size"},
    "export": {"title", "is_simulated", "link_reports"},
    # A limit would publish a part of the reports.
    "update": {"is_simulated", "limit"},
    "publish": {"is_simulated", "seconds_per_file", "memory_megabytes", "batch_size"},
}


def field_name(option: str) -> str:
    named = {"dictionary": "dictionaries", "scope": "scopes", "kind": "kinds", "declare": "declared_changes"}
    named["kit_author"] = "kit_authors"
    return named.get(option, option)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_and_model_have_the_same_names(command: str):
    options = {field_name(name) for name in options_of(command)}
    assert options == set(COMMANDS[command].model_fields) - NOT_OPTIONS[command]


@pytest.mark.parametrize("command", COMMANDS)
def test_command_and_model_have_the_same_defaults(command: str):
    fields = COMMANDS[command].model_fields
    given = {field_name(name): option.default for name, option in options_of(command).items()}
    # Nothing on the command line becomes the model's own default for these.
    alike = {
        name: (None, field.default)
        for name, field in fields.items()
        if name in ("dictionaries", "scopes", "kinds", "keep", "declared_changes", "kit_authors")
    }
    alike["years"] = ("", [])
    different = {
        name: (default, fields[name].default)
        for name, default in given.items()
        if not fields[name].is_required()
        and default != fields[name].default
        and alike.get(name) != (default, fields[name].default)
    }
    assert different == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_written_with_dashes(command: str):
    options = [text for option in options_of(command).values() for text in option.opts if text.startswith("-")]
    assert all(text == text.lower().replace("_", "-") for text in options)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_help(command: str):
    assert [name for name, option in options_of(command).items() if not option.help] == []
