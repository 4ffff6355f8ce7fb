"""What many tests share: the folder of real reports, word lists, cleaned texts. No Prefect in here."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from nlp.clean import CleanText, clean
from nlp.dictionary import Dictionary, Dimension, parse
from nlp.pdf import ReadDocument, read_document

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the shared test data: SHUZHI_SHARED, or ``shared`` beside the repository."""
    folder = Path(os.environ.get("SHUZHI_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip("no shared test data: set SHUZHI_SHARED or put a folder 'shared' beside the repository")
    return folder


@pytest.fixture(scope="session")
def reports(shared: Path) -> Path:
    """Folder of real reports."""
    folder = shared / "reports"
    if not folder.is_dir():
        pytest.skip("the shared test data hold no folder 'reports'")
    return folder


@pytest.fixture(scope="session")
def read_report(reports: Path) -> Callable[[str], ReadDocument]:
    """Read a real report by its file name, each only once a session."""

    @cache
    def read(name: str) -> ReadDocument:
        path = reports / name
        return read_document(path.read_bytes(), path.suffix)

    return read


@pytest.fixture(scope="session")
def cleaned_report(read_report: Callable[[str], ReadDocument]) -> Callable[[str], CleanText]:
    """Clean a real report by its file name, each only once a session."""

    @cache
    def run(name: str) -> CleanText:
        return clean([page.text for page in read_report(name).pages])

    return run


@pytest.fixture(scope="session")
def wu2021() -> Dictionary:
    """The word list of Wu and others (2021) as shipped."""
    path = ROOT / "dictionaries" / "wu2021.yml"
    return parse(path.read_text(encoding="utf-8"), path.name)


@pytest.fixture(scope="session")
def word_list() -> Callable[..., Dictionary]:
    """Build a dictionary from terms, or from dimensions with their terms, past the YAML loader."""

    def build(*terms: str, **dimensions: tuple[str, ...]) -> Dictionary:
        by_dimension = dimensions or {"one": terms}
        return Dictionary(
            name="test",
            family="test",
            title_zh="测试",
            title_en="Test",
            verified=False,
            dimensions=tuple(Dimension(id=key, zh=key, en=key, terms=words) for key, words in by_dimension.items()),
        )

    return build
