# On a fresh machine with Python 3.11 or later, make and git: `make bench`, `make test`.

PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready

.PHONY: bench test check selftest selftest-short format compare-generators compare-detection fuzz-readers \
	compare-checkers mutation soak clean
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

selftest: $(READY)  ## Every fault found, how rare it may be, no false alarms; half an hour, goes on where it was stopped
	$(BIN)/streamgauge selftest --docs docs/detection.md $(ARGS)

selftest-short: $(READY)  ## Every fault found at rate 1, and 10 clean runs
	$(BIN)/streamgauge selftest --short $(ARGS)

compare-generators: $(READY)  ## This suite beside other load generators, installed into .peers/; ARGS="--only k6"
	$(BIN)/python -m peers.compare $(ARGS)

compare-detection: $(READY)  ## Who sees a broken server: natural scripts of other load generators; ARGS="--only k6"
	$(BIN)/python -m peers.detection $(ARGS)

fuzz-readers: $(READY)  ## The compiled readers under sanitizers, beside the references; ARGS="--seconds 600"
	$(BIN)/python -m tests.fuzz_readers $(ARGS)

compare-checkers: $(READY)  ## The checker beside a naive one, on 100,000 random recordings; ARGS="--count 5000 --jobs 1"
	$(BIN)/python -m tests.compare_checkers $(ARGS)

mutation: $(READY)  ## Each small change of what judges: would a test notice? ARGS="checks/judge.py --jobs 1"
	$(BIN)/python -m tests.mutation $(ARGS)

soak: $(READY)  ## Half an hour at 2,000 sockets, memory plotted; ARGS="--duration 5m --users 500"
	$(BIN)/streamgauge run --scenario soak $(ARGS)

COMPILED := hatch_build.py $(wildcard bench/streamgauge/*/*.c bench/streamgauge/*.h)

$(READY): pyproject.toml constraints.txt $(COMPILED)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv .peers build bench/peers/build bench/streamgauge/*/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
