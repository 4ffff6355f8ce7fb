# make demo   sets up a virtual environment and runs the main job on a simulated corpus
# make test   sets up and passes lint, types and tests
# make bench  measures reading and matching against a bare PDFium loop and pdfplumber + jieba
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
endif
SETUP := $(VENV)/.set-up

.PHONY: demo test lint bench clean

demo: $(SETUP)
	$(BIN)/shuzhi demo --out demo

test: lint
	$(BIN)/python -m pytest

lint: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(SETUP)
	$(BIN)/python -m tests.benchmarks.reading

$(SETUP): requirements.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'shuzhi needs Python 3.11 or newer; name one with make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -c "import pathlib; pathlib.Path('$(SETUP)').touch()"

clean:
	rm -rf $(VENV) demo bench-output
