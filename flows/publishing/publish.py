"""From a candidate to a published release, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows.documents import load_documents
from flows.publishing.candidate import Built, UpdateOrPublish, store_of
from flows.publishing.definitions import Definitions
from flows.publishing.difference import compare, write_changes
from flows.publishing.events import GATE_REJECTED, RELEASE_PUBLISHED, show_gate, show_release, tell
from flows.publishing.gate import Judged, judge
from flows.publishing.gate_report import GateReport
from flows.publishing.release import Contents, content_of, make_release
from flows.publishing.release_lock import publishing_lock
from flows.publishing.release_pointers import point_to_latest
from flows.publishing.releases import CHANGES_FILE, Release, latest_release
from flows.store import Store
from shuzhi import RunError, StoreError


@dataclass(frozen=True)
class Publishing:
    """What became of a candidate.

    Parameters
    ----------
    state : {'published', 'nothing_new', 'not_asked'}
        ``nothing_new`` where the last release holds exactly this; ``not_asked`` where no folder of releases is named.
    version : str
        The release that was made, or the last one; empty where none was asked for.
    verdict : str
        What the gate said; empty where it was not asked.
    despite : str
        Why it was published although the gate rejects it.
    """

    state: Literal["published", "nothing_new", "not_asked"]
    version: str = ""
    verdict: str = ""
    despite: str = ""


def check_releases(folder: str) -> None:
    """Fail before any work where a release is damaged, because nothing could be published beside it."""
    if folder:
        latest_release(Path(folder))


def publish_candidate(parameters: UpdateOrPublish, definitions: Definitions, built: Sequence[Built]) -> Publishing:
    """Compare a candidate with the last release, judge it, and publish it if it is new and accepted.

    Raises
    ------
    RunError
        If the gate rejects it and no reason to publish it nevertheless is given; the releases are as they were.
    """
    if not parameters.releases:
        return Publishing("not_asked")
    releases = Path(parameters.releases)
    folders = {each.name: each.folder for each in built}
    with publishing_lock(releases):
        previous = latest_release(releases)
        point_to_latest(releases)
        if previous is not None and previous.content == content_of(definitions, folders):
            text = f"Nothing is new since {previous.version}; no release was made.\n"
            show_release(text, f"nothing new since {previous.version}")
            return Publishing("nothing_new", previous.version)
        gate, year = assess(parameters, folders, previous)
        refuse(parameters, definitions, gate)
        despite = "" if gate.is_ok else parameters.publish_despite.strip()
        contents = Contents(
            definitions, folders, Path(parameters.out), gate, list(parameters.declared_changes), despite
        )
        release = make_release(releases, year, contents, previous)
        point_to_latest(releases)
    announce(release, gate, despite)
    return Publishing("published", release.version, gate.verdict, despite)


def assess(parameters: UpdateOrPublish, folders: dict[str, Path], previous: Release | None) -> tuple[GateReport, int]:
    """Write what changed and what the gate says of it into the output folder; return the gate and the year."""
    before = {name: each for name, each in (previous.definitions() if previous else {}).items() if name in folders}
    comparisons = {name: compare(before[name], folder) for name, folder in folders.items() if name in before}
    out = Path(parameters.out)
    write_changes(comparisons, out, notes_on(folders, previous))
    documents = load_documents(Store(store_of(parameters)))
    used = documents.loc[documents["is_used"], "report_year"].dropna()
    if not parameters.year and used.empty:
        raise StoreError("the store holds no report that could be published; read some first")
    year = parameters.year or int(used.max())
    judged = [Judged(name, folder, before.get(name), comparisons.get(name)) for name, folder in folders.items()]
    gate = judge(
        judged,
        parameters,
        year=year,
        documents=documents,
        max_failure_share=parameters.max_failure_share,
        before=previous.version if previous else "",
        missing=sorted(set(previous.definitions()) - set(folders)) if previous else (),
    )
    gate.write(out)
    show_gate(gate)
    return gate, year


def notes_on(folders: Mapping[str, Path], previous: Release | None) -> list[str]:
    """Return in words which release a candidate is compared with, and which definitions only one of them has."""
    if previous is None:
        return []
    before = set(previous.definitions())
    notes = [f"Compared with {previous.version}."]
    notes += [f"Definition {name} is new." for name in folders if name not in before]
    return notes + [f"Definition {name} is not there any more." for name in sorted(before - set(folders))]


def refuse(parameters: UpdateOrPublish, definitions: Definitions, gate: GateReport) -> None:
    """Fail where the gate rejects and nobody said why to publish nevertheless."""
    if gate.is_ok:
        return
    checks = [f"{each.name}{f' ({each.definition})' if each.definition else ''}" for each in gate.failing]
    facts = {"verdict": gate.verdict, "checks": checks, "sentences": [each.sentence for each in gate.failing]}
    tell(GATE_REJECTED, definitions.data_set.name, {**facts, "publish_despite": parameters.publish_despite})
    if parameters.publish_despite.strip():
        return
    show_release(f"Nothing was published: {gate.verdict}.\n", "nothing published: the gate rejects it")
    raise RunError(
        f"nothing was published: {gate.verdict} ({', '.join(checks)}); see {Path(parameters.out) / 'gate.md'}."
        " Mend the cause and run again, or publish it despite with a reason: --publish-despite 'why'"
    )


def announce(release: Release, gate: GateReport, despite: str) -> None:
    """Tell the world of Prefect that a release is there."""
    changes = (release.folder / CHANGES_FILE).read_text(encoding="utf-8")
    noted = f"\nPublished despite the gate: {despite}\n" if despite else ""
    show_release(f"# Release {release.version}\n\n{gate.verdict}\n{noted}\n{changes}", f"release {release.version}")
    counts = {name: facts["counts"] for name, facts in release.facts["definitions"].items()}
    facts = {"version": release.version, "verdict": gate.verdict, "publish_despite": despite, "counts": counts}
    tell(RELEASE_PUBLISHED, str(release.facts["data_set"]["name"]), facts)
