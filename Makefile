# Greenmast: everything a developer or CI runs. `make help` lists it.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
STEPS ?= 1000000
SEED ?= 1
JOBS ?= 2

.PHONY: help install system demo test lint type bench campaign clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

install: $(VENV)/.installed ## .venv with everything that demo and test use

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 install")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --constraint constraints.txt 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all]' --group dev
	@touch $@

system: ## Debian packages that the tests need (installs them when root, else names what is missing)
	@.ci/system-packages

demo: install ## the main job: firmware under MicroPython, emulated site, broker, hub, web page
	@$(BIN)/greenmast demo $(DEMO_ARGS)

test: install system lint type ## everything that needs no hardware
	@$(BIN)/python -m pytest

lint: install ## ruff and the import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache

type: install ## strict typing
	@$(BIN)/mypy

bench: install ## the project's ratios, measured side by side
	@$(BIN)/greenmast bench

campaign: install ## random steps against the invariants: STEPS=1000000 SEED=1 JOBS=2
	@$(BIN)/python firmware/tests/core/walk.py --steps $(STEPS) --seed $(SEED) --jobs $(JOBS)

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
