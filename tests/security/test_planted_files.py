"""Files that somebody else on the machine may have planted: none of them is loaded."""

import marshal
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import jieba
import pytest

from nlp.segment import build_cutter

TEXT = "公司大力推进人工智能与云计算平台建设，数字化转型成效显著。"


def test_a_planted_cache_of_the_segmenter_is_not_loaded(tmp_path: Path, monkeypatch):
    honest = build_cutter("jieba", ["数字化转型"])(TEXT)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    planted = tmp_path / "jieba.cache"
    planted.write_bytes(marshal.dumps((dict.fromkeys(TEXT, 1), 100)))
    before = planted.read_bytes()
    # The witness: jieba's own start takes it, and cuts everything into single characters.
    own = jieba.Tokenizer()
    own.initialize()
    assert list(own.cut(TEXT, HMM=False)) == list(TEXT)
    assert build_cutter("jieba", ["数字化转型"])(TEXT) == honest
    assert "数字化转型" in honest
    assert planted.read_bytes() == before


def test_the_segmenter_leaves_no_cache_for_others(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    build_cutter("jieba")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("confine", ["auto", "off"])
def test_a_module_in_the_folder_of_the_run_is_not_imported_by_workers(tmp_path: Path, confine: str):
    for name in ("flows", "nlp", "pyarrow", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()", encoding="utf-8")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from flows.pool import Limits, WorkerPool;"
        " from flows.work import prepare_worker; import os; os.chdir(sys.argv[2]); sys.path.insert(0, '');"
        f" pool = WorkerPool(1, Limits(), prepare_worker, ('rjieba',), confine={confine!r});"
        " pool.__enter__(); print(pool.submit(len, 'four').result(60).value); pool.__exit__(None, None, None)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(root), str(tmp_path)],
        env={**os.environ}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "4", done.stderr
    assert not (tmp_path / "ran").exists()
