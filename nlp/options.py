"""Every choice that a user can name, in one place without an import."""

from __future__ import annotations

from typing import Literal

Reader = Literal["pdfium", "pdfplumber"]
Ocr = Literal["off", "rapidocr"]
Rule = Literal["longest", "substring", "token"]
Segmenter = Literal["rjieba", "jieba"]
Runner = Literal["processes", "dask"]
Preset = Literal["raw", "published", "strict"]
Script = Literal["as_printed", "simplified"]
ImportFormat = Literal["auto", "xlsx", "csv", "text", "jieba"]
VectorModel = Literal["word2vec", "ppmi"]
