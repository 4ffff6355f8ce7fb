"""The deployments as committed, on a real server and a real worker, over real reports, as a lab would run them."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from served import READY, Receiver, Served, command, environment, wait_for

pytestmark = pytest.mark.slow

FIRST = ("000001_2016_annual_full.pdf", "000008_2016_annual_full.pdf")
SECOND = ("000008_2017_annual_full.pdf",)
# Counted twice, the second time from the text of poppler, in tests/nlp/test_real_reports.py.
COUNTS = {("000008", 2016): 15, ("000008", 2017): 25}
NAMES = {
    "annual-update/new-report-year",
    "publish-release/publish",
    "index-reports/disclosure-season",
    "measure-indices/remeasure",
    "export-indices/export",
    "run-study/study",
    "fetch-reports/fetch",
}


class Lab(Served):
    """A served project with an inbox of its own."""

    def __init__(self, folder: Path, reports: Path) -> None:
        super().__init__(folder)
        self.data = folder / "data"
        self.receiver = Receiver()
        self._reports = reports
        (self.data / "inbox").mkdir(parents=True)

    def arrive(self, *names: str) -> None:
        for name in names:
            (self.data / "inbox" / name).write_bytes((self._reports / name).read_bytes())

    def parameters(self, year: int, **changed: str) -> dict[str, Any]:
        places = {"inbox": "inbox", "folder": "reports", "store": "store", "out": "out", "releases": "releases"}
        paths = {name: str(self.data / place) for name, place in (places | changed).items()}
        return {"year": year, "settle_seconds": 0, "workers": 1, **paths}

    def update(self, year: int) -> str:
        return self.trigger("new-report-year", **self.parameters(year))

    def releases(self) -> list[str]:
        folder = self.data / "releases"
        return sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.is_symlink())

    def latest(self) -> Path:
        pointer = json.loads((self.data / "releases" / "latest.json").read_text(encoding="utf-8"))
        return self.data / "releases" / str(pointer["version"])

    def counts(self) -> dict[tuple[str, int], int]:
        [table] = self.latest().glob("*/indices.parquet")
        rows = pd.read_parquet(table)[["stock_code", "report_year", "wu2021_total_count"]].dropna()
        return {(code, year): int(count) for code, year, count in rows.itertuples(index=False, name=None)}

    def read_files(self) -> int:
        """Return how many files the last run has opened."""
        return int(
            json.loads((self.data / "out" / "run.json").read_text(encoding="utf-8"))["this_run"]["reading"]["read"]
        )


@pytest.fixture(scope="module")
def lab(reports: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start everything, with somebody to be told."""
    lab = Lab(tmp_path_factory.mktemp("lab"), reports)
    try:
        lab.start("--notify-url", lab.receiver.url)
        yield lab
    finally:
        lab.stop()
        lab.receiver.close()


@pytest.fixture(scope="module")
def failed(lab: Lab) -> dict[str, Any]:
    """Run an update whose inbox does not exist."""
    return lab.end(lab.trigger("new-report-year", **lab.parameters(2016, inbox="nosuch", store="other")))


@pytest.fixture(scope="module")
def first(lab: Lab) -> dict[str, Any]:
    """Run the update of a first report year."""
    lab.arrive(*FIRST)
    return lab.end(lab.update(2016))


@pytest.fixture(scope="module")
def cut_off(lab: Lab, first: dict[str, Any]) -> dict[str, Any]:
    """Start the update of the next report year, and kill the worker while it reads."""
    lab.arrive(*SECOND)
    number = lab.update(2017)
    wait_for(lambda: lab.is_reading(number), 300, every=0.1)
    worker = lab.worker()
    worker.kill()
    run = lab.end(number)
    wait_for(lambda: lab.worker().pid != worker.pid, 60)
    return run


@pytest.fixture(scope="module")
def resumed(lab: Lab, cut_off: dict[str, Any]) -> dict[str, Any]:
    """Give the same command again."""
    return lab.end(lab.update(2017))


@pytest.fixture(scope="module")
def again(lab: Lab, resumed: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Give it once more; return the run, and what the releases were before."""
    before = {str(path): path.read_bytes() for path in sorted((lab.data / "releases").rglob("*")) if path.is_file()}
    return lab.end(lab.update(2017)), before


# Serving


def test_everything_is_said_once_it_runs(lab: Lab):
    said = lab.said()
    assert f"dashboard    {lab.address}" in said
    assert "schedules    all off" in said
    assert all(name in said for name in NAMES)
    # The address to tell is a secret of the lab's.
    assert "a-secret" not in said


def test_all_deployments_are_there_with_their_schedules_off(lab: Lab):
    deployments = lab.deployments()
    flows = {each["id"]: each["name"] for each in lab.ask("/flows/filter", {})}
    assert {f"{flows[each['flow_id']]}/{name}" for name, each in deployments.items()} == NAMES
    switches = {name: [schedule["active"] for schedule in each["schedules"]] for name, each in deployments.items()}
    assert {name for name, active in switches.items() if active} == {"disclosure-season", "new-report-year"}
    assert not any(active for switch in switches.values() for active in switch)


def test_the_form_begins_with_what_must_be_given_and_describes_every_field(lab: Lab):
    schema = lab.deployments()["new-report-year"]["parameter_openapi_schema"]["definitions"]["AnnualUpdateParameters"]
    fields = schema["properties"]
    assert next(iter(fields)) == "year"
    assert set(list(fields)[:3]) == set(schema["required"]) == {"year", "folder", "out"}
    assert [name for name, field in fields.items() if not (field.get("title") and field.get("description"))] == []
    assert fields["rule"]["enum"] == ["longest", "substring", "token"]
    assert (fields["year"]["minimum"], fields["year"]["maximum"]) == (1990, 2100)


def test_a_second_one_on_the_same_folder_is_refused_in_one_line(lab: Lab):
    done = subprocess.run(
        [*command(), "serve", "--home", str(lab.home), "--port", "1"],
        env=environment(),
        cwd=lab.project,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    [line] = done.stderr.splitlines()
    assert done.returncode == 2
    assert f"{lab.home} is in use by another shuzhi serve (process {lab.pid()}, dashboard {lab.address})" in line


def test_a_port_in_use_is_refused_with_a_free_one(lab: Lab, tmp_path: Path):
    done = subprocess.run(
        [*command(), "serve", "--home", str(tmp_path / "home"), "--port", str(lab.port)],
        env=environment(),
        cwd=lab.project,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    [line] = done.stderr.splitlines()
    assert done.returncode == 2
    assert f"port {lab.port} at 127.0.0.1 is in use, by a Prefect server" in line
    offered = int(line.rpartition("--port ")[2])
    with socket.socket() as port:
        port.bind(("127.0.0.1", offered))
    assert not (tmp_path / "home").exists()


def test_a_page_from_elsewhere_cannot_use_the_api(lab: Lab):
    import urllib.error
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    forged = urllib.request.Request(
        f"{lab.address}/api/flow_runs/filter", b"{}", {"Content-Type": "text/plain", "Origin": "http://evil.example"}
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        opener.open(forged, timeout=30)
    asked = urllib.request.Request(f"{lab.address}/api/health", headers={"Origin": "http://evil.example"})
    with opener.open(asked, timeout=30) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] is None


# Runs


def test_wrong_parameters_are_refused_before_anything_runs(lab: Lab):
    given = json.dumps({**lab.parameters(2016), "year": "soon"})
    done = lab.prefect("deployment", "run", "annual-update/new-report-year", "--param", f"parameters={given}")
    assert done.returncode == 1
    assert "Validation failed for field 'parameters.year'" in done.stdout + done.stderr
    assert "'soon' is not of type 'integer'" in done.stdout + done.stderr
    number = lab.deployments()["new-report-year"]["id"]
    wrong = {"parameters": {"parameters": {**lab.parameters(2016), "dictionnaries": ["wu2021"]}}}
    code, text = lab.refusal(f"/deployments/{number}/create_flow_run", wrong)
    assert code == 409
    assert "'dictionnaries' was unexpected" in text


def test_a_failed_run_says_why_in_one_line(failed: dict[str, Any]):
    assert failed["state"]["type"] == "FAILED"
    message = failed["state"]["message"]
    assert len(message.splitlines()) == 1
    assert "Error: " in message
    assert "nosuch" in message


def test_whoever_asked_for_it_is_told_once_of_a_failed_run(lab: Lab, failed: dict[str, Any]):
    def told() -> list[dict[str, Any]]:
        return [each for each in lab.receiver.received if each.get("run") == failed["name"]]

    wait_for(told, 60)
    [message] = told()
    assert message["kind"] == "run-failed"
    assert message["type"].startswith("application/json")
    assert message["text"].startswith("shuzhi: annual-update/new-report-year Failed: ")
    assert "nosuch" in message["text"]
    assert message["link"] == f"{lab.address}/runs/flow-run/{failed['id']}"


def test_a_rejected_release_is_told_too(lab: Lab):
    payload = {"verdict": "2 checks fail", "sentences": ['the mean "jumps"', "zeros <rise>"], "publish_despite": ""}
    resource = {"prefect.resource.id": "shuzhi.data-set.x", "prefect.resource.name": "x"}
    done = lab.prefect(
        "event", "emit", "shuzhi.gate.rejected", "--resource", json.dumps(resource), "--payload", json.dumps(payload)
    )
    assert done.returncode == 0, done.stderr
    wait_for(lambda: [each for each in lab.receiver.received if each["kind"] == "gate-rejected"], 60)
    [message] = [each for each in lab.receiver.received if each["kind"] == "gate-rejected"]
    assert message["text"] == (
        'shuzhi: the quality gate rejected a release of x: 2 checks fail; the mean "jumps"; zeros <rise>'
    )


def test_the_first_year_is_read_measured_and_published(lab: Lab, first: dict[str, Any]):
    assert first["state"]["type"] == "COMPLETED", first["state"]["message"]
    assert "2016.1" in lab.releases()
    artifacts = lab.artifacts(first["id"])
    assert {"inbox", "read-reports", "measure-indices", "export-indices", "gate", "release"} <= set(artifacts)
    taken = json.loads(artifacts["inbox"]["data"])
    assert sorted((row["inbox_file"], row["state"]) for row in taken) == [(name, "taken") for name in FIRST]


def test_a_run_whose_worker_was_killed_is_marked_and_told(lab: Lab, cut_off: dict[str, Any]):
    assert cut_off["state"]["type"] == "CRASHED"
    assert cut_off["state"]["message"].endswith("start it again, it goes on where it was")
    assert f"the worker ended (signal {signal.SIGKILL.name}) and is started again" in lab.said()
    wait_for(lambda: [each for each in lab.receiver.received if each.get("run") == cut_off["name"]], 60)


def test_the_next_run_finishes_the_job(lab: Lab, resumed: dict[str, Any]):
    assert resumed["state"]["type"] == "COMPLETED", resumed["state"]["message"]
    assert lab.releases() == ["2016.1", "2017.1"]
    assert lab.latest().name == "2017.1"
    counts = lab.counts()
    assert {key: counts[key] for key in COUNTS} == COUNTS
    assert set(counts) == {("000001", 2016), *COUNTS}


def test_a_release_can_be_checked_by_its_own_sums(lab: Lab, resumed: dict[str, Any]):
    done = subprocess.run(
        ["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=lab.latest(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_another_trigger_reads_nothing_and_publishes_nothing(lab: Lab, again: tuple[dict[str, Any], dict[str, bytes]]):
    run, before = again
    assert run["state"]["type"] == "COMPLETED", run["state"]["message"]
    assert lab.read_files() == 0
    after = {str(path): path.read_bytes() for path in sorted((lab.data / "releases").rglob("*")) if path.is_file()}
    assert after == before


# Stopping and starting


def test_it_stops_and_starts_again_with_all_that_was_there(
    lab: Lab, failed: dict[str, Any], again: tuple[dict[str, Any], dict[str, bytes]]
):
    deployments = lab.deployments()
    [schedule] = deployments["new-report-year"]["schedules"]
    switch = f"/deployments/{deployments['new-report-year']['id']}/schedules/{schedule['id']}"
    lab.ask(switch, {"active": True}, method="PATCH")
    assert lab.stop() == 0
    assert "stopped" in lab.said()
    with socket.socket() as port:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port.bind(("127.0.0.1", lab.port))
    said = lab.start()
    assert said.rstrip().endswith(READY)
    assert "schedules    on: annual-update/new-report-year (0 6 * 3-5 * Asia/Shanghai)" in said
    now = lab.deployments()
    assert {name: each["id"] for name, each in now.items()} == {name: each["id"] for name, each in deployments.items()}
    assert [each["name"] for each in lab.ask("/work_pools/filter", {})] == ["shuzhi"]
    automations = sorted(each["name"] for each in lab.ask("/automations/filter", {}))
    assert automations == ["shuzhi: a run failed", "shuzhi: the quality gate rejected a release"]
    assert lab.run(failed["id"])["state"]["type"] == "FAILED"
