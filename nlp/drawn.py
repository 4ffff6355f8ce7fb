"""What is drawn on a page of a PDF besides its text: pictures, shapes, invisible text."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import pypdfium2.raw as pdfium

_PICTURES = (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM)
_SHAPES = (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_SHADING)


def _objects(handle: Any) -> Iterator[Any]:
    for index in range(pdfium.FPDFPage_CountObjects(handle)):
        yield pdfium.FPDFPage_GetObject(handle, index)


def has_text(handle: Any) -> bool:
    """Tell whether any text is drawn on a page, whether or not its characters are known."""
    return any(pdfium.FPDFPageObj_GetType(item) == pdfium.FPDF_PAGEOBJ_TEXT for item in _objects(handle))


def first_text_is_invisible(handle: Any) -> bool:
    """Tell whether the first text on the page is drawn invisibly, as text recognition lays it over a scan."""
    for item in _objects(handle):
        if pdfium.FPDFPageObj_GetType(item) == pdfium.FPDF_PAGEOBJ_TEXT:
            invisible: bool = pdfium.FPDFTextObj_GetTextRenderMode(item) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
            return invisible
    return False


def picture_share(handle: Any) -> float:
    """Return the share of the page that its pictures cover together, at most 1; a form counts as a picture."""
    area = pdfium.FPDF_GetPageWidthF(handle) * pdfium.FPDF_GetPageHeightF(handle)
    covered = sum(_area(item) for item in _objects(handle) if pdfium.FPDFPageObj_GetType(item) in _PICTURES)
    return float(min(1.0, covered / area)) if area > 0 else 0.0


def shapes(handle: Any) -> int:
    """Return the number of lines, curves and shadings on the page; letters drawn as outlines are many of them."""
    return sum(pdfium.FPDFPageObj_GetType(item) in _SHAPES for item in _objects(handle))


def _area(item: Any) -> float:
    sides = [ctypes.c_float() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetBounds(item, *[ctypes.byref(side) for side in sides]):
        return 0.0
    left, bottom, right, top = (side.value for side in sides)
    return max(0.0, right - left) * max(0.0, top - bottom)
