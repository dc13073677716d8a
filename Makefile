# `make run` and `make test` are all a fresh machine needs; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help run demo test lint bench kill lock clean

help:           ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

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

bench: .venv/dev-stamp      ## measures, as ratios within one run; writes build/bench.json
	$(BIN)/python -m bench

kill: .venv/dev-stamp       ## kill a process at 200 random moments of the story; nothing lost, nothing twice
	ONECARD_KILLS=200 $(BIN)/python -m pytest -q -s tests/stories/test_kill.py --timeout 3600

lock:           ## renew the hashed lock files (needs uv)
	uv pip compile --universal --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command 'make lock' -q \
		--upgrade --extra demo pyproject.toml -o requirements.txt
	uv pip compile --universal --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command 'make lock' -q \
		--upgrade --extra demo --group dev pyproject.toml -o requirements-dev.txt
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
