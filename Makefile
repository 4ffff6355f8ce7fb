# make demo   sets up a virtual environment and runs the main job on a simulated corpus
# make test   sets up and passes lint, types and tests
# make setup  sets up only: then .venv/bin/shuzhi run reports --out out
# make serve  starts a Prefect server with its dashboard, a worker and all deployments; options in SERVE="--port 4300"
# make screenshots  runs a deployment on simulated reports and takes the pictures of docs/pictures
# make first-index  measures the time from a clone to the first index of real PDFs
# make bench  measures reading and matching against a bare PDFium loop and pdfplumber + jieba
# make bench-scale  runs the whole job on 1,000, 5,000, 10,000 and 40,000 reports, each firm-year checked
# make accuracy  measures identity and sections on the labelled reports, beside cntext, and on changed reports
# make readability  trains the model of characters and measures what is judged garbled
# make bench-difference  times shuzhi diff on 60,000 firm-years and 40 indices: a tenth revised, a list edited, another reader
# make bench-econometrics  times bootstraps, permutations and fits beside linearmodels and pyfixest, with equal replicates
# make bench-clusters  plants clusters in simulated plants and counts what each method finds and invents; half an hour
# make coverage  measures by simulation how often intervals cover and tests reject; half an hour on two free cores
# make reference  writes docs/reference/ anew from the code
# make faults kills runs, fills disks, damages stores, sets clocks: 400 times, and checks that nothing is lost; two hours
# make audit  looks the locked packages up among known vulnerabilities, and accounts for every risky call of the code
# make fuzz   runs 5,000 damaged and hostile files through the whole job, in under an hour
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
endif
SETUP := $(VENV)/.set-up
CNTEXT := bench-output/cntext
FIXEST := bench-output/fixest
PIP_AUDIT := bench-output/pip-audit

.PHONY: setup serve screenshots first-index reference demo test lint bench bench-clusters bench-difference bench-econometrics bench-scale coverage accuracy readability fuzz faults audit clean

setup: $(SETUP)

demo: $(SETUP)
	$(BIN)/shuzhi demo --out demo

# A file's tests share what they make, so that a file is the unit. Two processes with two threads each would wait for each other.
test: export OPENBLAS_NUM_THREADS = 1
test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(SETUP)
	$(BIN)/python -m tests.benchmarks.reading
	$(BIN)/python -m tests.benchmarks.remeasuring

serve: $(SETUP)
	$(BIN)/shuzhi serve $(SERVE)

screenshots: $(SETUP)
	$(BIN)/python -m tests.deployment.screenshots

first-index: $(SETUP)
	$(BIN)/python -m tests.benchmarks.first_index

bench-scale: $(SETUP)
	$(BIN)/python -m tests.benchmarks.scale

bench-difference: $(SETUP)
	$(BIN)/python -m tests.benchmarks.difference

bench-clusters: $(SETUP)
	$(BIN)/python -m tests.benchmarks.clusters
	$(BIN)/python -m tests.benchmarks.k_density

bench-econometrics coverage: export OPENBLAS_NUM_THREADS = 1
bench-econometrics: $(SETUP) $(FIXEST)/.set-up
	$(BIN)/python -m tests.benchmarks.econometrics --pyfixest $(FIXEST)/$(notdir $(BIN))/python

$(FIXEST)/.set-up:
	$(PYTHON) -m venv $(FIXEST)
	$(FIXEST)/$(notdir $(BIN))/python -m pip install --quiet --disable-pip-version-check pyfixest==0.60.0
	$(PYTHON) -c "import pathlib; pathlib.Path('$(FIXEST)/.set-up').touch()"

coverage: $(SETUP)
	$(BIN)/python -m tests.benchmarks.coverage

accuracy: $(SETUP) $(CNTEXT)/.set-up
	$(BIN)/python -m tests.benchmarks.accuracy --changes --cntext $(CNTEXT)/$(notdir $(BIN))/python

$(CNTEXT)/.set-up:
	$(PYTHON) -m venv $(CNTEXT)
	-$(CNTEXT)/$(notdir $(BIN))/python -m pip install --quiet --disable-pip-version-check cntext==2.2.1 ipython
	$(PYTHON) -c "import pathlib; pathlib.Path('$(CNTEXT)/.set-up').touch()"

readability: $(SETUP)
	$(BIN)/python -m tests.benchmarks.character_model

reference: $(SETUP)
	$(BIN)/python -m tests.docs.reference

# Exit code 3: the advisory service cannot be asked from here.
audit: $(SETUP) $(PIP_AUDIT)/.set-up
	$(BIN)/python -m tests.security.audit --pip-audit $(PIP_AUDIT)/$(notdir $(BIN))/pip-audit

$(PIP_AUDIT)/.set-up:
	$(PYTHON) -m venv $(PIP_AUDIT)
	$(PIP_AUDIT)/$(notdir $(BIN))/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	$(PYTHON) -c "import pathlib; pathlib.Path('$(PIP_AUDIT)/.set-up').touch()"

fuzz: $(SETUP)
	$(BIN)/python -m tests.fuzz --count 5000 --seed 1

faults: $(SETUP)
	$(BIN)/python -m tests.faults --count 400 --seed 1 --write

$(SETUP): requirements.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'shuzhi needs Python 3.11 or newer; name one with make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -c "import pathlib; pathlib.Path('$(SETUP)').touch()"

clean:
	rm -rf $(VENV) demo bench-output
