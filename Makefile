# On a fresh machine with Python 3.11 or later, make and git: `make bench`, `make test`.

PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready

.PHONY: bench test check format compare-generators fuzz-readers compare-checkers mutation clean
.DEFAULT_GOAL := test

bench: $(READY)  ## The main job: 1,000 users for 30 s, every event verified, a report in results/
	$(BIN)/streamgauge run --scenario steady --users 1000 --duration 30s

test: check  ## Everything that CI runs; what waits more than it works runs side by side
	$(BIN)/pytest -q tests --ignore tests/end_to_end
	$(BIN)/pytest -q bench/micro
	$(BIN)/pytest -q -n 3 tests/end_to_end

check: $(READY)  ## Style, types, import rules
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

compare-generators: $(READY)  ## This suite beside other load generators, installed into .peers/; ARGS="--only k6"
	$(BIN)/python -m peers.compare $(ARGS)

fuzz-readers: $(READY)  ## The compiled readers under sanitizers, beside the references; ARGS="--seconds 600"
	$(BIN)/python -m tests.fuzz_readers $(ARGS)

mutation: $(READY)  ## Each small change of what judges: would a test notice? ARGS="checks/judge.py --jobs 1"
	$(BIN)/python -m tests.mutation $(ARGS)

COMPILED := hatch_build.py $(wildcard bench/streamgauge/*/*.c bench/streamgauge/*.h)

$(READY): pyproject.toml constraints.txt $(COMPILED)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv .peers build bench/peers/build bench/streamgauge/*/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
