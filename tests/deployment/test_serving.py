"""What serving decides before anything is started: addresses, environment, exposure, projects, messages."""

import importlib
import inspect
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from pydantic import ValidationError
from served import ROOT, command, environment, wait_for

from flows.serving.claim import CLAIM_FILE, check_claim, claimed
from flows.serving.environment import SERVE_MARK, check_exposure, serving_environment
from flows.serving.notify import GATE_EVENT, _payload, create_notifications
from flows.serving.options import NotifyFormat, ServeParameters
from flows.serving.port import check_port, free_port, is_prefect
from flows.serving.process import Child, abandoned, marked, own_mark, owner_is_running, stop_all
from flows.serving.project import load_project
from shuzhi import UsageError

NASTY = 'He said "no" \\ <script>\n第二行'
DECLARED = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))


# prefect.yaml


@pytest.mark.parametrize("deployment", DECLARED["deployments"], ids=lambda each: each["name"])
def test_a_deployment_gives_its_flow_parameters_that_it_takes(deployment: dict[str, Any]):
    path, _, name = deployment["entrypoint"].partition(":")
    flow = getattr(importlib.import_module(path.removesuffix(".py").replace("/", ".")), name)
    [model] = inspect.get_annotations(flow.fn, eval_str=True).keys() - {"return"}
    annotation = inspect.get_annotations(flow.fn, eval_str=True)[model]
    assert model == "parameters"
    annotation.model_validate(deployment["parameters"]["parameters"])
    assert deployment["description"].endswith(".")


def test_schedules_are_committed_switched_off_and_runs_take_turns():
    for each in DECLARED["deployments"]:
        assert all(schedule["active"] is False for schedule in each.get("schedules", []))
        assert each["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
        assert "shuzhi" in each["tags"]


def test_the_project_names_its_deployments_and_its_pool():
    project = load_project(ROOT)
    assert project.pools == ("shuzhi",)
    assert project.deployments == tuple(each["name"] for each in DECLARED["deployments"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "does not exist"),
        ("deployments: [", "is no YAML"),
        ("name: x", "declares no deployments"),
        ("deployments: []", "declares no deployments"),
        ("deployments: [{name: a}]", "names no work_pool"),
        ("deployments: [{name: a, work_pool: {name: ''}}]", "names no work_pool"),
    ],
)
def test_a_project_that_cannot_be_served_is_refused(tmp_path: Path, text: str | None, problem: str):
    if text is not None:
        (tmp_path / "prefect.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=problem):
        load_project(tmp_path)


# Addresses


@pytest.mark.parametrize(
    ("given", "dashboard", "api"),
    [
        ({}, "http://127.0.0.1:4200", "http://127.0.0.1:4200/api"),
        ({"host": "0.0.0.0", "port": 80}, "http://127.0.0.1:80", "http://127.0.0.1:80/api"),
        ({"host": "::1"}, "http://[::1]:4200", "http://[::1]:4200/api"),
        ({"server": "https://lab.example/api/"}, "https://lab.example", "https://lab.example/api"),
    ],
)
def test_where_the_dashboard_is(given: dict[str, Any], dashboard: str, api: str):
    parameters = ServeParameters(**given)
    assert (parameters.dashboard_url(), parameters.api_url()) == (dashboard, api)


@pytest.mark.parametrize(
    "given",
    [
        {"port": 0},
        {"port": 65536},
        {"limit": 0},
        {"notify_url": "mail@lab"},
        {"notify_format": "mail"},
        {"server": "x"},
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any]):
    with pytest.raises(ValidationError):
        ServeParameters(**given)


def test_other_machines_are_let_in_with_a_password_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PREFECT_SERVER_API_AUTH_STRING", raising=False)
    check_exposure(ServeParameters())
    with pytest.raises(UsageError, match="PREFECT_SERVER_API_AUTH_STRING"):
        check_exposure(ServeParameters(host="0.0.0.0"))
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "lab:secret")
    check_exposure(ServeParameters(host="0.0.0.0"))
    assert serving_environment(ServeParameters(host="0.0.0.0"), "1 x")["PREFECT_API_AUTH_STRING"] == "lab:secret"


def test_the_environment_is_closed_and_the_users_wish_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("NO_PROXY", "intranet")
    monkeypatch.setenv("PREFECT_WORKER_QUERY_SECONDS", "7")
    given = serving_environment(ServeParameters(home=str(tmp_path), port=4300), "1 x")
    assert given["PREFECT_HOME"] == str(tmp_path)
    assert given["PREFECT_API_URL"] == "http://127.0.0.1:4300/api"
    assert given["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert given["NO_PROXY"].split(",")[:2] == ["intranet", "127.0.0.1"]
    assert given["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] == "http://127.0.0.1:4300,http://localhost:4300"
    assert given["PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED"] == "true"
    assert "PREFECT_WORKER_QUERY_SECONDS" not in given


def test_a_free_port_is_taken_and_a_taken_one_refused():
    port = free_port("127.0.0.1", 20000)
    check_port(ServeParameters(port=port))
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(UsageError, match=rf"port {port} at 127.0.0.1 is in use; .*--port \d+$"):
            check_port(ServeParameters(port=port))
        assert not is_prefect(f"http://127.0.0.1:{port}/api", seconds=0.2)


def test_a_host_that_is_not_of_this_machine_is_refused():
    with pytest.raises(UsageError, match=r"cannot listen at 198\.51\.100\.1"):
        check_port(ServeParameters(host="198.51.100.1"))


# The folder


def test_a_folder_is_held_by_one_and_let_go(tmp_path: Path):
    with (
        claimed(tmp_path, "http://there"),
        pytest.raises(UsageError, match=r"in use by another shuzhi serve .*http://there"),
    ):
        check_claim(tmp_path)
    check_claim(tmp_path)
    assert not (tmp_path / CLAIM_FILE).exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mark": "999999999 never@x", "dashboard": "d"}', '{"mark": 3}'])
def test_what_a_killed_one_left_holds_nothing(tmp_path: Path, text: str):
    (tmp_path / CLAIM_FILE).write_text(text, encoding="utf-8")
    check_claim(tmp_path)


def test_a_folder_that_is_a_file_is_refused_in_one_line(tmp_path: Path):
    (tmp_path / "home").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match=r"cannot be written to: .*--home"), claimed(tmp_path / "home", "d"):
        raise AssertionError("held")


# Processes


def test_a_child_is_found_by_its_mark_and_stopped_with_all_it_has_started(tmp_path: Path):
    mark = own_mark()
    assert owner_is_running(mark)
    code = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)']);"
        "import os; print(os.environ.get('KEPT_AWAY', 'none'), flush=True); time.sleep(300)"
    )
    marks = {SERVE_MARK: mark, "KEPT_AWAY": "x"}
    child = Child("child", [sys.executable, "-c", code], tmp_path, tmp_path / "logs" / "child.log", marks, ("KEPT_",))
    child.start()
    try:
        found = wait_for(lambda: each if len(each := marked(mark)) == 2 else None, 60)
        assert child.is_alive()
        assert not [each for each in abandoned() if each in found]
    finally:
        child.stop(5)
    assert not child.is_alive()
    assert child.ending() == "signal SIGTERM"
    assert child.last_words() == "none"
    assert marked(mark) == []


def test_what_a_killed_owner_left_is_found(tmp_path: Path):
    code = "import time; time.sleep(300)"
    left = subprocess.Popen([sys.executable, "-c", code], env=environment(**{SERVE_MARK: "999999999 never@x"}))
    try:
        wait_for(lambda: left.pid in [each.pid for each in abandoned()], 60)
        stop_all([psutil.Process(left.pid)], 5)
    finally:
        left.kill()
        left.wait()


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("ready\n\n", "ready"),
        (
            "OSError: [Errno 28] No space left on device\nServer stopped!\n",
            "OSError: [Errno 28] No space left on device",
        ),
        (
            "sqlalchemy.exc.OperationalError: (x) no\nERROR:  failed. Exiting.\n",
            "sqlalchemy.exc.OperationalError: (x) no",
        ),
    ],
)
def test_of_a_log_the_last_error_is_said(tmp_path: Path, log: str, words: str):
    child = Child("child", [], tmp_path, tmp_path / "child.log", {})
    child.log.write_text(log, encoding="utf-8")
    assert child.last_words() == words


def test_a_database_of_a_newer_prefect_is_refused_with_the_way_out(tmp_path: Path):
    """The server is run for real, on a database whose last migration it does not know."""
    import sqlite3

    home = tmp_path / "home"
    home.mkdir()
    with sqlite3.connect(home / "prefect.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('ffffffffffff')")
    done = subprocess.run(
        [*command(), "serve", "--home", str(home), "--port", str(free_port("127.0.0.1", 21000))],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: the server did not start (exit code ")
    assert "its database is of a newer version of Prefect" in line
    assert not (home / CLAIM_FILE).exists()


# Notifications


@pytest.mark.parametrize("notify_format", ["json", "dingtalk", "feishu", "slack", "wecom"])
@pytest.mark.parametrize("text", [NASTY, ""])
def test_what_is_sent_is_json_whatever_the_message_says(notify_format: NotifyFormat, text: str):
    from prefect.server.utilities.user_templates import render_user_template_sync, validate_user_template

    template = _payload("shuzhi: {{ event.said }}", "run-failed", notify_format)
    validate_user_template(template)
    sent = render_user_template_sync(template, {"event": {"said": text, "event": "e", "resource": {"id": text}}})
    body = json.loads(sent)
    found = {
        "json": lambda: body["text"],
        "dingtalk": lambda: body["text"]["content"],
        "wecom": lambda: body["text"]["content"],
        "feishu": lambda: body["content"]["text"],
        "slack": lambda: body["text"],
    }[notify_format]()
    assert found == f"shuzhi: {text}"


def test_the_event_of_the_gate_is_the_one_that_the_flow_emits():
    from flows.publishing.events import GATE_REJECTED

    assert GATE_EVENT == GATE_REJECTED
    assert callable(create_notifications)


# The command line


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--project", "nosuch"], "prefect.yaml does not exist"),
        (["--host", "0.0.0.0"], "whoever reaches a Prefect server can run programs on this machine"),
        (["--notify-url", "lab"], "notify_url"),
    ],
)
def test_what_cannot_be_served_is_said_at_once(arguments: list[str], problem: str, tmp_path: Path):
    done = subprocess.run(
        [*command(), "serve", "--home", str(tmp_path / "home"), *arguments],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert problem in done.stderr
    assert not (tmp_path / "home").exists()
