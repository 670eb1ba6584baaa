# Antrian: `make run` and `make test` need only Python 3.11 or newer (with venv) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Enough to keep two cores busy: what waits leaves room for what works, and more would only make everything late.
WORKERS ?= 4

# Compiled files are worth keeping: pytest rewrites the asserts of two hundred files, in each of its processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run test test-containers planted lint format bench docs lock clean

help: ## Show what there is to do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

# A stamp per lock file: a second run installs nothing, a changed lock installs what changed.
$(VENV)/.run-stamp: requirements/run.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Antrian needs Python 3.11 or newer, and this is " + sys.version.split()[0] + ". Say which to use: make PYTHON=python3.12 …" or 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing: on Debian or Ubuntu, apt-get install python3-venv"; exit 1; }
	@echo "Installing Antrian into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements/run.lock || { echo "The dependencies could not be installed: pip's message above says why (is there a network?)"; exit 1; }
	@$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.dev-stamp: requirements/dev.lock $(VENV)/.run-stamp
	@echo "Installing the test tools into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements/dev.lock || { echo "The test tools could not be installed: pip's message above says why (is there a network?)"; exit 1; }
	@touch $@

$(VENV)/.bench-stamp: requirements/bench.lock $(VENV)/.dev-stamp
	@echo "Installing the benchmark's peers into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements/bench.lock
	@touch $@

install: $(VENV)/.run-stamp ## Set up .venv; afterwards .venv/bin/antrian works from any folder

run: install ## Start everything, send the demo, show it live; Ctrl-C stops all of it
	@$(BIN)/antrian up --demo

test: $(VENV)/.dev-stamp ## Run the whole test suite against a real RabbitMQ
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not alone and not containers" $(PYTEST_ARGS)
	@$(BIN)/python -m pytest -m "alone and not containers" $(PYTEST_ARGS) || test $$? -eq 5 # a part of the suite may have none of these

test-containers: $(VENV)/.dev-stamp ## The tests that need a Docker engine: compose, a cluster, RabbitMQ 4.3
	@tests/containers/prepare.sh
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m containers $(PYTEST_ARGS)

planted: $(VENV)/.dev-stamp ## Plant faults in a copy of the tree: does the suite still find each?
	@$(BIN)/python tests/planted/run.py $(FAULTS)

lint: $(VENV)/.dev-stamp ## ruff, mypy --strict, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev-stamp ## Let ruff arrange the code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

bench: $(VENV)/.bench-stamp ## Compare with peers, in one run on this machine
	@$(BIN)/python -m bench

docs: $(VENV)/.dev-stamp ## Write the generated parts of docs/ again
	@$(BIN)/python docs/generate.py
	@$(BIN)/python deploy/grafana/generate.py

lock: ## Pin again what pyproject.toml asks for (needs uv)
	@for part in "run --group build" "dev --group build --group dev" "bench --group build --group dev --group bench"; do set -- $$part; name=$$1; shift; \
	  uv pip compile pyproject.toml --extra all "$$@" --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --quiet -o requirements/$$name.lock || exit 1; done

clean: ## Remove what the other commands made (not the broker's data in .antrian)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info build dist
