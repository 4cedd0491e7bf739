# Relight's commands. `make help` tells what each does.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-test counterparts demo test lint bench simulation schema requirements clean

PYTHON ?= python3
UV ?= uv
SEEDS ?= 100
JOBS ?= 2
ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
BENCHES := decide import restore paypage simulate feed effects
COMPILE := $(UV) pip compile --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11

help: ## this list
	@echo "Relight: from an unpaid bill to light again. Begin with:  make demo"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: .venv/.relight-setup .venv/.relight-compiled ## .venv with .venv/bin/relight; needs Python 3.11 or later, nothing else

setup-test: .venv/.relight-setup-test ## what tests and linters need, into the same .venv

counterparts: ## what the tests talk to: Debian packages and npm (as root or with sudo; else it says what is missing)
	@packaging/counterparts.sh

demo: .venv/.relight-setup ## a portfolio from unpaid bill to light, in minutes: make demo ARGS="--accounts 300 --days 60"
	$(BIN)/relight demo $(ARGS)

test: setup-test counterparts .venv/.relight-compiled ## all tests, on real counterparts, two files at a time: make test ARGS="tests/unit -k money" JOBS=1
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)
	@packaging/left-out.sh

lint: setup-test ## style, types, and the directions of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/mypy src/relight/{audit,flow,drivers,web,cli,project,telemetry}

bench: setup-test counterparts .venv/.relight-compiled ## all benchmarks, about two minutes each; results in bench/results, a table and a plot
	@day=$$(date +%F); for name in $(BENCHES); do echo "== $$name"; \
	  line=$$($(BIN)/relight bench $$name --json | tail -n 1); echo "$$line" > bench/results/$$day-$$name.json; \
	done; $(BIN)/python -m bench.table bench/results/$$day-*.json; \
	$(BIN)/python -m bench.plot bench/results/*.json --out docs/images/benchmarks.svg

simulation: setup-test ## whole histories from seeds: make simulation SEEDS=1000
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) $(ARGS)

schema: setup-test counterparts ## write the snapshot of all tables anew, after a migration was added
	$(BIN)/python -m tests.embedded.snapshot

requirements: ## compile requirements/*.in anew; needs uv
	$(COMPILE) requirements/base.in --output-file requirements/base.txt
	$(COMPILE) requirements/test.in --output-file requirements/test.txt
	$(COMPILE) requirements/build.in --output-file requirements/build.txt
	$(COMPILE) requirements/compile.in --constraint requirements/test.txt --output-file requirements/compile.txt

clean: ## remove .venv, caches and node_modules; data in RELIGHT_HOME stays
	rm -rf .venv .pytest_cache .hypothesis .ruff_cache .mypy_cache .import_linter_cache build dist
	rm -rf src/*.egg-info tests/counterparts/npm/node_modules
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Relight needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1 || true)." >&2; \
	  echo "Install a newer one and say which:  make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "$(PYTHON) could not make a virtual environment; on Debian and Ubuntu install python3-venv." >&2; exit 1; }

# Hashes cover everything that is downloaded; Relight itself is then built from this folder with what is there already.
.venv/.relight-setup: requirements/base.txt requirements/build.txt pyproject.toml | .venv/bin/python
	$(PIP) install --quiet --require-hashes -r requirements/base.txt -r requirements/build.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.relight-setup-test: requirements/test.txt .venv/.relight-setup
	$(PIP) install --quiet --require-hashes -r requirements/test.txt
	@touch $@

# What-ifs on the core as machine code take a third of the time. Who has no C compiler does without, and is told.
CORE := $(shell find src/relight/core src/relight/flow/road/gather.py src/relight/flow/road/record.py src/relight/cli/compiling.py src/relight/cli/native.py -name '*.py')
.venv/.relight-compiled: requirements/compile.txt $(CORE) | .venv/.relight-setup
	@if $(BIN)/relight compile --check; then \
	  { $(PIP) install --quiet --require-hashes -r requirements/compile.txt && $(BIN)/relight compile; } || true; fi
	@touch $@
