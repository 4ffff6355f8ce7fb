"""What is mutated: short excerpts of real reports, or simulated ones where the shared folder is absent."""

import io
import os
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pypdfium2

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SHUZHI_SHARED") or ROOT.parent / "shared")
# First page (from 1) and number of pages; old and new producers, fonts with and without ToUnicode, a scan.
EXCERPTS = {
    "000001_2001_annual_full.pdf": (4, 6),
    "000001_2003_annual_full.pdf": (20, 6),
    "000001_2010_annual_full.pdf": (30, 3),
    "000001_2013_annual_full.pdf": (25, 3),
    "000002_2009_annual_full.pdf": (40, 2),
    "000008_2016_annual_full.pdf": (12, 3),
    "000585_2018Q1_quarterly.pdf": (1, 3),
    "200570_2019_annual_full.pdf": (10, 3),
    "603339_2019_annual_full.pdf": (9, 4),
    "HK00640_2021_mda.pdf": (1, 2),
    "hardcase_bad_tounicode_notareport.pdf": (1, 2),
}
WHOLE = ("000001_2001_annual_full.pdf", "000585_2018Q1_quarterly.pdf", "HK00640_2021_mda.pdf")
TEXTS = ("000004_2018_annual.txt", "HK00007_2020_mda_zh_hant.txt", "000001_2006_annual_rongzhiy.txt")
JSON_LINES = "002099_2019_annual_finglm_jsonl.txt"
TEXT_BYTES = 40_000
# Excerpts about digital transformation, so that their hits can be compared.
NEIGHBOURS = {"000001_2013_annual_full.pdf": (25, 6), "000008_2016_annual_full.pdf": (12, 5)}
NEIGHBOUR_TEXT = "000001_2006_annual_rongzhiy.txt"


@dataclass(frozen=True)
class Bases:
    """Readable files to start from.

    Parameters
    ----------
    excerpts : tuple of bytes
        A few pages each, saved by PDFium with plain objects.
    whole : tuple of bytes
        Whole reports as they were published.
    texts : tuple of bytes
        Beginnings of text reports, in their own encodings.
    json_lines : bytes
        Beginning of a FinGLM file.
    neighbours : dict of str to bytes
        Files, by name, whose numbers no other file may change.
    """

    excerpts: tuple[bytes, ...]
    whole: tuple[bytes, ...]
    texts: tuple[bytes, ...]
    json_lines: bytes
    neighbours: dict[str, bytes]

    def pdf(self, draw: random.Random) -> bytes:
        """Return an excerpt, or now and then a whole report."""
        return draw.choice(self.whole) if draw.random() < 0.08 else draw.choice(self.excerpts)

    def excerpt(self, draw: random.Random) -> bytes:
        """Return an excerpt, whose objects stand plainly in the file."""
        return draw.choice(self.excerpts)

    def text(self, draw: random.Random) -> bytes:
        """Return the bytes of a text report."""
        return draw.choice(self.texts)


def load_bases() -> Bases:
    """Cut the excerpts out of the real reports, or out of simulated ones."""
    folder = SHARED / "reports"
    return _real(folder) if folder.is_dir() else _simulated()


def excerpt(path: Path, first: int, count: int) -> bytes:
    """Return some pages of a PDF as a file of their own; the same pages give the same bytes."""
    source = pypdfium2.PdfDocument(path)
    new = pypdfium2.PdfDocument.new()
    new.import_pages(source, list(range(first - 1, min(first - 1 + count, len(source)))))
    saved = io.BytesIO()
    new.save(saved)
    new.close()
    source.close()
    return saved.getvalue()


def _real(folder: Path) -> Bases:
    lines = (folder / JSON_LINES).read_bytes().split(b"\n")[:300]
    neighbours = {f"neighbour_{name}": excerpt(folder / name, *pages) for name, pages in NEIGHBOURS.items()}
    neighbours[f"neighbour_{NEIGHBOUR_TEXT}"] = (folder / NEIGHBOUR_TEXT).read_bytes()
    return Bases(
        excerpts=tuple(excerpt(folder / name, *pages) for name, pages in EXCERPTS.items()),
        whole=tuple((folder / name).read_bytes() for name in WHOLE),
        texts=tuple((folder / name).read_bytes()[:TEXT_BYTES] for name in TEXTS),
        json_lines=b"\n".join(lines),
        neighbours=neighbours,
    )


def _simulated() -> Bases:
    from flows.corpus import write_corpus
    from flows.dictionary_files import load_dictionaries
    from nlp.pdf import read_document

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "reports"
        write_corpus(folder, terms=load_dictionaries(["wu2021"])[0].terms, firms=4, years=(2020, 2021))
        files = sorted(folder.rglob("*.pdf"), key=lambda path: (-path.stat().st_size, path.name))[:5]
        pages = read_document(files[0].read_bytes(), ".pdf").pages
        text = "\f".join(page.text for page in pages)
        return Bases(
            excerpts=tuple(excerpt(path, 1, 4) for path in files[:4]),
            whole=tuple(path.read_bytes() for path in files[:2]),
            texts=(text.encode("utf-8")[:TEXT_BYTES], text.encode("gb18030")[:TEXT_BYTES]),
            json_lines=b'{"page": 1, "allrow": 1, "type": "text", "inside": "annual report"}\n' * 50,
            neighbours={f"neighbour_{path.name}": path.read_bytes() for path in files[:2]},
        )
