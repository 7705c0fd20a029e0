# make run    sets everything up and serves the broker with the demonstration relying service
# make test   sets everything up and passes the tests
# The other targets are at the end: make help

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help

.PHONY: run test check lint types imports help lock
run: $(VENV)/.run-installed
	@$(BIN)/python deploy/run.py

test: $(VENV)/.test-installed check-style
	$(BIN)/pytest -n 2 --dist loadscope $(ARGS)

check-style: $(VENV)/.test-installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config pyproject.toml

$(VENV)/.venv-made:
	@deploy/system-packages.sh python
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run-installed: requirements/run.txt $(VENV)/.venv-made
	@deploy/system-packages.sh run
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@touch $@

$(VENV)/.test-installed: requirements/dev.txt $(VENV)/.venv-made
	@deploy/system-packages.sh test
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
