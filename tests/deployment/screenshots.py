"""Take the pictures of the dashboard in docs/pictures: a real server and worker, a run over simulated reports.

python -m tests.deployment.screenshots [--out docs/pictures]
"""

import argparse
import io
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from served import ROOT, Receiver, Served

from tests.flows.browser import Browser, find_chromium

WIDTH = 1400
COLOURS = 128
FIRMS = 14
YEARS = (2023, 2024)
FORM = "/v2/deployments/deployment/{number}/run"


def write_project(folder: Path) -> Path:
    """Write a folder as a lab has it: prefect.yaml, the code, and an inbox with the reports of a first year."""
    from flows.corpus import write_corpus
    from flows.dictionary_files import load_dictionaries

    for name in ("prefect.yaml", "prefect.toml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "flows").symlink_to(ROOT / "flows")
    planted = write_corpus(
        folder / "simulated", terms=load_dictionaries(["wu2021"])[0].terms, firms=FIRMS, years=YEARS, seed=7
    )
    for year in YEARS:
        (folder / "arriving" / str(year)).mkdir(parents=True)
    for report in planted:
        path = folder / "simulated" / report.file
        if report.fault == "none":
            path.replace(folder / "arriving" / str(report.report_year) / path.name)
    (folder / "data" / "inbox").mkdir(parents=True)
    return folder


def update(lab: Served, year: int) -> str:
    """Let the reports of a year arrive, run the update with the parameters of prefect.yaml, and return its id."""
    for path in (lab.project / "arriving" / str(year)).iterdir():
        shutil.copy(path, lab.project / "data" / "inbox" / path.name)
    declared = lab.deployments()["new-report-year"]["parameters"]["parameters"]
    number = lab.trigger("new-report-year", **declared | {"year": year, "is_simulated": True})
    run = lab.end(number)
    print(year, run["name"], run["state"]["name"], run["state"]["message"] or "", flush=True)
    return number


class Camera:
    """A browser that looks at pages of one dashboard and keeps small pictures."""

    def __init__(self, browser: Browser, address: str, out: Path) -> None:
        self._browser = browser
        self._address = address
        self._out = out

    def take(self, name: str, path: str, words: tuple[str, ...], height: int = 800, rest: float = 5.0) -> None:
        """Take a picture of a page once it shows some words."""
        self._browser.call(
            "Emulation.setDeviceMetricsOverride", width=WIDTH, height=height, deviceScaleFactor=1, mobile=False
        )
        shown = " && ".join(f"document.body.innerText.includes({word!r})" for word in words)
        self._browser.visit(self._address + path, f"document.body && {shown}", seconds=120)
        # Charts and fonts come a little later.
        time.sleep(rest)
        raw = self._out / f"{name}.png"
        self._browser.picture(raw)
        with Image.open(io.BytesIO(raw.read_bytes())) as picture:
            picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(raw, optimize=True)
        print(f"{raw}: {raw.stat().st_size / 1000:.0f} kB", flush=True)


@contextmanager
def serving(folder: Path, receiver: Receiver) -> Iterator[Served]:
    """Serve a project, and stop it in the end."""
    lab = Served(folder, project=write_project(folder))
    try:
        lab.start("--notify-url", receiver.url)
        yield lab
    finally:
        lab.stop()


def take_all(lab: Served, camera: Camera) -> None:
    """Run what is shown, and take every picture."""
    update(lab, YEARS[0])
    lab.end(lab.trigger("export", store="data/elsewhere", out="data/out"))
    number = update(lab, YEARS[1])
    gate = lab.artifacts(number)["gate"]["id"]
    deployments = lab.deployments()
    camera.take("dashboard", "/v2/dashboard", ("Flow Runs", "shuzhi", "Completed"), height=700)
    camera.take("deployments", "/v2/deployments", tuple(deployments), height=720)
    form = FORM.format(number=deployments["new-report-year"]["id"])
    camera.take("annual-update-form", form, ("Year", "Inbox", "Rule"), height=1500)
    run = f"/v2/runs/flow-run/{number}?tab=Artifacts"
    # The timeline is drawn long after the rest.
    camera.take("finished-run", run, ("Completed", "gate", "release"), height=1050, rest=20)
    camera.take("gate", f"/v2/artifacts/artifact/{gate}", ("gate",), height=900)
    camera.take("automations", "/v2/automations", ("shuzhi: a run failed", "shuzhi-notifications"), height=740)


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    program = find_chromium()
    if program is None:
        sys.exit("no Chromium: install one, or name it in SHUZHI_CHROMIUM")
    receiver = Receiver()
    with tempfile.TemporaryDirectory(prefix="lab-") as folder, serving(Path(folder), receiver) as lab:
        browser = Browser(program, WIDTH, 900)
        try:
            take_all(lab, Camera(browser, lab.address, out))
        finally:
            browser.close()
    receiver.close()


if __name__ == "__main__":
    main()
