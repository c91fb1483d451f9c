# The commands of the project. `make` needs Python >= 3.11 and make; everything else is installed into .venv from the
# lock files, with hashes.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
UV_VERSION := 0.13.9
BIN := .venv/bin
MFH_HOME ?= data
# Options of `mfh demo`, such as DEMO="--scale 0.1".
DEMO ?=
# How long `make fuzz` goes on.
FUZZ_SECONDS ?= 60
export MFH_HOME
# Tests start the command line many times; without bytecode each start, and each worker of pytest, compiles anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help env run demo fuzz test test-unit test-integration test-property test-browser check format up bench lock

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

env: .venv/.run ## set up .venv for running
.venv/.uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found."; exit 2; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@touch $@
.venv/.run: .venv/.uv requirements.lock pyproject.toml
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
.venv/.dev: .venv/.run requirements-dev.lock
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

run: .venv/.run ## make demonstration deliveries if the home is empty, run everything, print the path of the pages
	@if [ -z "$$(find $(MFH_HOME)/landing -type f 2>/dev/null | head -n 1)" ]; then \
		$(BIN)/mfh demo --out $(MFH_HOME)/landing $(DEMO); fi
	@$(BIN)/mfh run

demo: .venv/.run ## write demonstration deliveries
	@$(BIN)/mfh demo --out $(MFH_HOME)/landing $(DEMO)

test: .venv/.dev ## every test
	@$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder tests
test-unit: .venv/.dev ## one module at a time, no files but temporary ones
	@$(BIN)/pytest -n 2 tests/unit
test-property: .venv/.dev ## against slow, obvious references
	@$(BIN)/pytest -n 2 tests/property
test-integration: .venv/.dev ## from files to pages, in a temporary home
	@$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder tests/integration
test-browser: .venv/.dev ## the pages in Chromium
	@$(BIN)/pytest tests/browser

fuzz: .venv/.dev ## damaged files of every format, for FUZZ_SECONDS (60); says how to try a failing one again
	@$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

check: .venv/.dev ## format, lint, types, contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint --processes 2 sql
	@for contract in data_contracts/*/*.odcs.yaml; do \
		told=$$($(BIN)/datacontract lint $$contract 2>&1) || { echo "$$told"; exit 1; }; done
format: .venv/.dev ## rewrite Python and SQL in the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/sqlfluff fix --processes 2 sql

up: .venv/.run ## Dagster's web server and daemon on 127.0.0.1
	@$(BIN)/mfh up

bench: .venv/.dev ## seconds and bytes of the whole way, beside the bare DuckDB work
	@$(BIN)/python -m tests.bench

lock: .venv/.uv ## resolve the dependencies anew
	@$(BIN)/uv pip compile pyproject.toml --group build --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --quiet --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --group build --group dev --universal --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --constraint requirements.lock --quiet --output-file requirements-dev.lock
