# Greenmast: everything a developer or CI runs. `make help` lists it.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
MODULES ?=
STEPS ?= 1000000
SEED ?= 1
JOBS ?= 2
N ?= 100
SECONDS ?= 600
HEAP ?= 96
DECODERS ?=

.PHONY: help install system demo test lint type coverage mutate fuzz campaign bench docs gate kills losses native clean

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

test: install system lint type coverage ## everything that needs no hardware
	@.ci/tests $(BIN)/python

lint: install ## ruff and the import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache

type: install ## strict typing
	@$(BIN)/mypy

# The parts that can do harm, each by its own rule tests alone.
PROVEN := protection source genset starts
PROOFS := protection source_alone genset_alone
coverage: install ## every branch of what switches AC and engine is reached by its own rule tests
	@$(BIN)/python -m pytest -q -p no:cacheprovider $(PROOFS:%=firmware/tests/core/test_%_rules.py) \
	  $(PROVEN:%=--cov=greenmast_fw.core.%) --cov-branch --cov-report=term-missing --cov-fail-under=100

mutate: install ## which changes of those parts would their tests not notice? (minutes; not part of test)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group mutation
	@$(BIN)/python firmware/tests/mutate.py $(MODULES)

fuzz: install ## the decoders against bytes nobody meant: SECONDS=600 of each, SEED=1 (not part of test)
	@PYTHONPATH=protocol:firmware:host $(BIN)/python firmware/tests/fuzz.py --seconds $(SECONDS) --seed $(SEED) $(DECODERS)

bench: install ## the project's ratios, measured side by side
	@$(BIN)/greenmast bench

docs: install ## the documents that follow from the tables: state machines, parameters, alarms
	@PYTHONPATH=protocol:firmware $(BIN)/python docs/generate.py

campaign: install ## random steps against the invariants: STEPS=1000000 SEED=1 JOBS=2
	@$(BIN)/python firmware/tests/core/walk.py --steps $(STEPS) --seed $(SEED) --jobs $(JOBS)

gate: install ## the memory gate: TLS, commands, commits, broker killed, line dead: SECONDS=3600 HEAP=96
	@$(BIN)/python -m greenmast.bench.gate $(SECONDS) $(HEAP)

native: install ## the compiled site-year against the plain one, bit for bit; compiles, which takes minutes
	@GREENMAST_NATIVE=always $(BIN)/python -m pytest host/tests/simulate/test_native.py

kills: install ## SIGKILL at random instants of a running story: N=100 SEED=1
	@GREENMAST_KILLS=$(N) $(BIN)/python -m pytest hil_tests/test_kills.py --hil-seed $(SEED) -s

losses: install ## link, broker, hub, board and flash fail under a busy site, records counted: N=100 SEED=1
	@GREENMAST_LOSSES=$(N) $(BIN)/python -m pytest hil_tests/test_losses.py --hil-seed $(SEED) -s

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist .coverage .pytest_cache .mypy_cache .ruff_cache
