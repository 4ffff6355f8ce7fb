"""What a user names to be compared: export folders, release folders with one export a definition, versions."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from flows.outputs import RUN_FILE
from flows.publishing.difference import Comparison, compare, write_changes
from flows.publishing.difference_words import summary_lines
from shuzhi import UsageError

LATEST = "latest"


@dataclass(frozen=True)
class PlacesComparison:
    """What differs between two places, definition by definition.

    Parameters
    ----------
    comparisons : dict of str to Comparison
        By definition; one without a name for two exports.
    only_before, only_after : tuple of str
        Definitions that only one of two releases has.
    """

    comparisons: dict[str, Comparison]
    only_before: tuple[str, ...] = ()
    only_after: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether no number differs."""
        return not (self.only_before or self.only_after) and all(each.is_same for each in self.comparisons.values())

    @property
    def notes(self) -> list[str]:
        """What only one of two releases has, in words."""
        before = [f"definition {name} is in the first release only" for name in self.only_before]
        return before + [f"definition {name} is in the second release only" for name in self.only_after]

    def lines(self, most: int) -> list[str]:
        """Return everything in words, with so many of the largest changes."""
        lines = list(self.notes)
        for name, each in self.comparisons.items():
            lines += [*([f"== {name}"] if name else []), *summary_lines(each, most)]
        return lines

    def write(self, folder: Path) -> None:
        """Write changes.csv and CHANGES.md."""
        write_changes(self.comparisons, folder, self.notes)


def compare_places(before: str, after: str, releases: str = "") -> PlacesComparison:
    """Compare what a user names.

    Parameters
    ----------
    before, after : str
        Export folders, release folders, or versions of releases.
    releases : str
        Folder of releases; empty: ``before`` and ``after`` are folders.

    Raises
    ------
    UsageError
        If one of them is not there, or an export is named beside a release.
    """
    first, second = _place(before, releases), _place(after, releases)
    if is_export(first) and is_export(second):
        return PlacesComparison({"": compare(first, second)})
    if is_export(first) != is_export(second):
        export, release = (first, second) if is_export(first) else (second, first)
        exports_in(release)
        raise UsageError(
            f"{export} is one export and {release} a release; name one of its definitions' folders instead"
        )
    own, other = exports_in(first), exports_in(second)
    shared = [name for name in own if name in other]
    if not shared:
        raise UsageError(f"{first} and {second} share no definition ({', '.join(own)}; {', '.join(other)})")
    return PlacesComparison(
        {name: compare(own[name], other[name]) for name in shared},
        tuple(name for name in own if name not in other),
        tuple(name for name in other if name not in own),
    )


def _place(name: str, releases: str) -> Path:
    """Return the folder that a name stands for."""
    if not releases or (Path(name).is_dir() and not (Path(releases) / name).is_dir()):
        if not Path(name).is_dir():
            raise UsageError(f"{name}: no such folder; name an export, a release, or a version with --releases FOLDER")
        return Path(name)
    folder = Path(releases) / (_latest(Path(releases)) if name == LATEST else name)
    if not folder.is_dir():
        known = [each.name for each in _releases(Path(releases))]
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known) or 'none'}"
        raise UsageError(f"{releases}: no release {name}; {hint}")
    return folder


def _releases(folder: Path) -> list[Path]:
    from flows.publishing.releases import version_folders

    return version_folders(folder)


def _latest(releases: Path) -> str:
    """Return the version that was published last."""
    from flows.publishing.releases import latest_release

    found = latest_release(releases)
    if found is None:
        raise UsageError(f"{releases}: no release in it; name the folder that --releases named")
    return found.version


def is_export(folder: Path) -> bool:
    """Tell whether a folder is one export."""
    return (folder / RUN_FILE).is_file()


def exports_in(folder: Path) -> dict[str, Path]:
    """Return the exports in a release's folder by name.

    Raises
    ------
    UsageError
        If there is none.
    """
    found = {each.name: each for each in sorted(folder.iterdir()) if each.is_dir() and is_export(each)}
    if not found:
        raise UsageError(f"{folder}: neither an export nor a release ({RUN_FILE} is not there)")
    return found
