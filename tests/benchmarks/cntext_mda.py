"""What cntext's extract_mda returns of some files; run by the Python that has cntext, with nothing of this project.

python cntext_mda.py JOBS.json ANSWERS.json
"""

import contextlib
import io
import json
import sys
from pathlib import Path


def main() -> None:
    """Read the jobs (a PDF, or a text as UTF-8) and write for each the pages that cntext reads and its discussion."""
    import cntext
    import pymupdf

    answers = []
    for job in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        path = Path(job)
        if path.suffix == ".pdf":
            # cntext.read_pdf joins the text of the pages, each with a line feed behind it.
            with pymupdf.open(path) as document:
                pages = [page.get_text() + "\n" for page in document]
        else:
            pages = [path.read_text(encoding="utf-8")]
        with contextlib.redirect_stdout(io.StringIO()):
            discussion = cntext.extract_mda("".join(pages))
        answers.append({"pages": pages, "discussion": discussion or ""})
    Path(sys.argv[2]).write_text(json.dumps(answers, ensure_ascii=False), encoding="utf-8")
    print(cntext.__version__)


if __name__ == "__main__":
    main()
