# `make run` and `make test` are all a fresh machine needs; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help run demo test lint bench bench-long coverage mutants kill faults lock clean

help:           ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

run: .venv/run-stamp        ## host, web and simulated terminals with the real firmware; plays a story, then stays up (Ctrl-C ends it)
	@$(BIN)/python -m onecard demo

demo: .venv/run-stamp       ## the same story once, faster; ends with exit code 0 or says what went wrong
	@$(BIN)/python -m onecard demo --once

test: .venv/dev-stamp build/stubs-stamp       ## every test, the linters included
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup --durations 10 tests

lint: .venv/dev-stamp build/stubs-stamp       ## ruff, pyright (host and device), import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/pyright -p firmware

bench: .venv/dev-stamp      ## measure, each figure beside its limit in the same run; writes build/bench.json and charts; four minutes
	$(BIN)/python -m bench

bench-long: .venv/dev-stamp ## the rows that need ten million movements: five minutes and 4 GB of disk; writes build/bench-long.json
	$(BIN)/python -m bench --long

kill: .venv/dev-stamp       ## kill a process at 200 random moments of the story; nothing lost, nothing twice
	ONECARD_KILLS=200 $(BIN)/python -m pytest -q -s tests/stories/test_kill.py --timeout 3600

coverage: .venv/dev-stamp   ## branch coverage of the rules of the books and of intake: 100 %, or the lines no test reaches
	$(BIN)/python -m pytest -q -p no:cacheprovider --cov --cov-report=term-missing -k "not postgresql and not Postgres" \
		tests/host/ledger/test_decisions.py tests/host/ledger/test_effect_tables.py tests/host/ledger/test_funds.py \
		tests/host/ledger/test_refund_rules.py tests/host/ledger/test_adjustment.py tests/host/ledger/test_host_effects.py $(wildcard tests/host/test_*.py)

mutants: .venv/dev-stamp    ## break the pure rules in every small way, one at a time: how many the tests notice; minutes
	rm -rf build/mutants && mkdir -p build/mutants && cp -r host protocol tests pyproject.toml build/mutants
	cd build/mutants && $(CURDIR)/$(BIN)/mutmut run && $(CURDIR)/$(BIN)/mutmut export-cicd-stats && cat mutants/mutmut-cicd-stats.json

faults: .venv/dev-stamp     ## fail the disk at every single call, 2,000 kills; `make test` samples both; minutes
	ONECARD_FAULTS=all $(BIN)/python -m pytest -q -s tests/host/faults --timeout 3600

lock:           ## renew the hashed lock files (needs uv)
	uv pip compile --universal --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command 'make lock' -q \
		--upgrade --extra demo pyproject.toml -o requirements.txt
	uv pip compile --universal --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command 'make lock' -q \
		--upgrade --extra demo --extra postgres --group dev pyproject.toml -o requirements-dev.txt
	echo micropython-rp2-stubs | uv pip compile --universal --generate-hashes --no-annotate --python-version 3.11 \
		--custom-compile-command 'make lock' -q --upgrade - -o requirements-stubs.txt

clean:          ## remove what was built (keeps var/, where the money is)
	rm -rf .venv build .pytest_cache .ruff_cache .hypothesis

.venv/run-stamp: requirements.txt setup.sh
	@PYTHON=$(PYTHON) ./setup.sh requirements.txt
	@touch $@

.venv/dev-stamp: requirements-dev.txt setup.sh
	@PYTHON=$(PYTHON) ./setup.sh requirements-dev.txt
	@touch $@ .venv/run-stamp

build/stubs-stamp: requirements-stubs.txt .venv/dev-stamp
	@echo "Installing MicroPython's type stubs into build/stubs ..."
	@rm -rf build/stubs
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target build/stubs -r requirements-stubs.txt
	@touch $@
