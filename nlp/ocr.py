"""Text recognition (OCR) of scanned pages with RapidOCR, whose wheel ships its models; the extra ``ocr``.

A page is rendered by PDFium, its lines are found, cut into pieces where they are long, recognised on one thread and
put into reading order. Nothing is fetched: the models' paths are given. What is recognised is marked as such.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2

from nlp.fallback_font import use_box_font
from nlp.ocr_lines import Line, page_text
from nlp.ocr_picture import Corners, Picture, cut_line, is_sideways, render_page, straightened
from nlp.pdf import Page
from nlp.readability import judge_text
from shuzhi import ReadError, UsageError

OCR_VERSION = "1"
PACKAGES = ("rapidocr", "onnxruntime", "cv2")
DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"

# Lines are sought in a smaller picture, which takes half the memory; at 960 pixels small print is lost.
DETECTION_SIDE = 1280
UNSURE_LINE = 0.5
# A page below it is looked at the other way round, too.
SURE_PAGE = 0.8
UNSURE_PAGE = 0.6
FEWEST_CHARACTERS = 5


@dataclass(frozen=True)
class Recognised:
    """What was recognised on one picture of a page.

    Parameters
    ----------
    text : str
        Rows in reading order, parted by line feeds.
    confidence : float, optional
        Mean of the lines' confidences weighted by their characters, between 0 and 1; None without a line.
    lines : tuple of Line
        Lines that were kept.
    unsure : tuple of Line
        Lines below ``UNSURE_LINE``, which are left out of the text.
    """

    text: str
    confidence: float | None
    lines: tuple[Line, ...]
    unsure: tuple[Line, ...] = ()


def require_ocr() -> None:
    """Raise where the packages of the extra ``ocr`` are missing; costs no import of them.

    Raises
    ------
    UsageError
        With the command that installs them.
    """
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        raise UsageError(
            'text recognition needs the package rapidocr: pip install "shuzhi[ocr]", or leave out --ocr rapidocr'
        )


def ocr_version() -> str:
    """Return everything that can change a recognised text, in one line: packages, models and settings.

    Raises
    ------
    UsageError
        If the packages are missing, or another release of RapidOCR ships other models.
    """
    require_ocr()
    names = ("rapidocr", "onnxruntime", "opencv-python-headless", "opencv-python")
    versions = " ".join(f"{name} {version}" for name in names if (version := _version(name)))
    models = " ".join(f"{name} {_model(name)[1][:12]}" for name in (DETECTOR, RECOGNISER))
    render = f"pypdfium2 {pypdfium2.PYPDFIUM_INFO} pdfium {pypdfium2.PDFIUM_INFO.build}"
    return f"ocr {OCR_VERSION} ({versions}, {models}, {render})"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _model(name: str) -> tuple[str, str]:
    """Return the path of a model in the installed package, and its hash as the package's own list of files has it."""
    for file in importlib.metadata.files("rapidocr") or ():
        path = Path(str(file.locate()))
        if file.name == name and file.hash is not None and path.is_file():
            return str(path), file.hash.value
    release = _version("rapidocr")
    raise UsageError(f'rapidocr {release} ships no model {name}: pip install --upgrade "shuzhi[ocr]"')


@lru_cache(maxsize=1)
def _engine() -> Any:
    """Build the engine, once a process; on one thread, so that the sums are made in the same order each time."""
    require_ocr()
    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.use_preprocess_img": False,
            "Global.text_score": 0.0,
            "Det.model_path": _model(DETECTOR)[0],
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION_SIDE,
            "Rec.model_path": _model(RECOGNISER)[0],
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def recognise_pages(data: bytes, numbers: Sequence[int]) -> list[Page]:
    """Recognise some pages of a PDF file.

    Parameters
    ----------
    data : bytes
        Content of the file.
    numbers : sequence of int
        Pages, from 1.

    Returns
    -------
    list of Page
        One a number: with the status ``ocr``, its text and confidence; or ``scanned`` without text, and a note that
        says why (see :func:`better_page`).

    Raises
    ------
    UsageError
        If the packages are missing.
    ReadError
        If PDFium cannot open the file.
    """
    _engine()
    # Fonts that the file does not carry are drawn alike on every machine, and in a worker that read before: as boxes.
    use_box_font()
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise ReadError("failed", f"PDFium cannot open the file: {error}") from None
    try:
        return [_recognised_page(document, number) for number in numbers]
    finally:
        document.close()


def _recognised_page(document: pypdfium2.PdfDocument, number: int) -> Page:
    try:
        picture = render_page(document, number)
    except pypdfium2.PdfiumError as error:
        return Page("", "ocr", "scanned", f"not recognised: PDFium cannot draw the page ({error})")
    found = recognise_page(picture)
    visible = _visible(found.text)
    if found.confidence is None or visible < FEWEST_CHARACTERS:
        return Page("", "ocr", "scanned", f"text recognition found {visible} characters", found.confidence)
    if found.confidence < UNSURE_PAGE:
        note = f"text recognition is unsure: mean confidence {found.confidence:.2f} of {visible} characters"
        return Page("", "ocr", "scanned", note, found.confidence)
    if judge_text(found.text) == "garbled":
        return Page("", "ocr", "scanned", "text recognition found characters in no readable order", found.confidence)
    note = f"{len(found.unsure)} unsure lines of its picture are left out" if found.unsure else ""
    return Page(found.text, "ocr", "ocr", note, found.confidence)


def _visible(text: str) -> int:
    return sum(not character.isspace() for character in text)


def better_page(read: Page, recognised: Page) -> Page:
    """Return the recognised page where it says more than the page as it was read, else the latter with a note.

    Parameters
    ----------
    read : Page
        As the reader gave it: scanned, garbled or sparse.
    recognised : Page
        As :func:`recognise_pages` gave it.

    Returns
    -------
    Page
        With the notes of both.
    """
    if recognised.status == "ocr":
        if read.status != "sparse" or len(recognised.text) > len(read.text):
            return replace(recognised, note="; ".join(filter(None, (read.note, recognised.note))))
        recognised = replace(recognised, note="text recognition found no more than the text that is there")
    return replace(read, note="; ".join(filter(None, (read.note, recognised.note))))


def recognise_page(picture: Picture) -> Recognised:
    """Recognise the text of one picture, also where the page lies on its side or upside down.

    Parameters
    ----------
    picture : array of uint8, (height, width, 3)
        Blue, green and red.

    Returns
    -------
    Recognised
        Without lines where no text is seen.

    Raises
    ------
    UsageError
        If the packages are missing.
    """
    boxes = _boxes(picture)
    first, second = (1, 3) if is_sideways(boxes) else (0, 2)
    found = _recognise_turned(picture, first, boxes)
    lines = found.lines + found.unsure
    if not lines or (_confidence(lines) or 0.0) >= SURE_PAGE:
        return found
    other = _recognise_turned(picture, second, None)
    return max(found, other, key=_certain_characters)


def _recognise_turned(picture: Picture, quarters: int, boxes: Corners | None) -> Recognised:
    """Recognise a picture after so many quarter turns to the left; the boxes are those of the picture unturned."""
    if quarters or boxes is None:
        picture = np.ascontiguousarray(np.rot90(picture, quarters))
        boxes = _boxes(picture)
    lines = [line for box in boxes if (line := _line(picture, box)).text.strip()]
    kept = tuple(line for line in lines if line.confidence >= UNSURE_LINE)
    unsure = tuple(line for line in lines if line.confidence < UNSURE_LINE)
    return Recognised(page_text(kept), _confidence(kept), kept, unsure)


def _certain_characters(found: Recognised) -> float:
    return sum(len(line.text) * line.confidence for line in found.lines)


def _confidence(lines: Sequence[Line]) -> float | None:
    characters = sum(len(line.text) for line in lines)
    if not characters:
        return None
    return round(sum(len(line.text) * line.confidence for line in lines) / characters, 4)


def _boxes(picture: Picture) -> Corners:
    """Return the corners of all lines, (lines, 4, 2), each from the upper left one clockwise."""
    found = _engine()(picture, use_det=True, use_cls=False, use_rec=False).boxes
    if found is None or not len(found):
        return np.zeros((0, 4, 2), dtype=np.float32)
    return np.asarray(found, dtype=np.float32)


def _line(picture: Picture, box: Corners) -> Line:
    """Recognise one line: straighten its box, cut it into pieces, and join what they say."""
    text, weight = "", 0.0
    for piece, is_after_blank in cut_line(straightened(picture, box)):
        found = _engine()(piece, use_det=False, use_cls=False, use_rec=True)
        said = found.txts[0].strip() if found.txts else ""
        if said:
            # Chinese goes on without a blank whatever the gap.
            is_latin = text[-1:].isascii() and said[0].isascii()
            text += (" " if text and is_after_blank and is_latin else "") + said
            weight += _visible(said) * float(found.scores[0])
    (left, top), (right, bottom) = box.min(axis=0), box.max(axis=0)
    run, fall = (float(value) for value in box[1] - box[0])
    return Line(
        text=text,
        confidence=weight / _visible(text) if text else 0.0,
        left=float(left),
        top=float(top),
        right=float(right),
        bottom=float(bottom),
        slope=fall / run if run > 0 else 0.0,
    )
