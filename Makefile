# make demo   the gate at work on a block that ships with it
# make docs   the documentation, as a site: build/site/index.html
# make test   all tests (make tools: what they run for real, on Debian and Ubuntu)
# make gate BLOCK=24443168 [REPEAT=11] [RPC=http://…] [REPLAY=path] [BASE=path]
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
REPEAT ?= 11
LOWEST ?= $(addprefix tests/,config judge records replay report options/test_option_block.py \
	options/test_option_config.py options/test_option_base.py options/test_option_json.py)

# the embedded program's wheels exist for these Pythons; a shim that starts nothing is passed over
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
	2>/dev/null && { command -v $$p; break; }; done)

.PHONY: demo docs test tools smoke lowest lint changelog format gate bench golden clean

demo: $(VENV)/.demo-installed
	@tools/demo "$(BIN)"

test: $(VENV)/.test-installed
	$(BIN)/python -m pytest -n 2 --junitxml=build/junit.xml $(ARGS)

tools:
	@tools/install

# the package as users get it: built, installed by the lines of the tutorial, at work outside of this folder
smoke: $(VENV)/.test-installed
	@tools/smoke "$(BIN)"

# quick tests with the oldest versions that pyproject.toml allows (a browser's age is not its business)
lowest: $(VENV)/.test-installed
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-lowest
	$(BIN)/uv pip install --quiet --python $(VENV)-lowest/bin/python --resolution lowest-direct --editable '.[embedded,dev]'
	$(VENV)-lowest/bin/python -m pytest -q $(LOWEST) --ignore=tests/report/test_html.py \
		--ignore=tests/report/test_site_browser.py

lint: $(VENV)/.test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@printed=$$($(BIN)/towncrier build --draft --version next 2>&1) || { echo "$$printed"; exit 1; }
	@$(BIN)/python tools/check_fragments.py

# every warning fails it, links that lead nowhere included (the variable: no advertisement of what comes after)
docs: $(VENV)/.docs-installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "make docs: build/site/index.html; to search, too: $(BIN)/python -m http.server -d build/site"

changelog: $(VENV)/.test-installed
	@$(BIN)/towncrier build --draft --version next 2>/dev/null

format: $(VENV)/.test-installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# the RPC goes through the environment: its URL may hold a key, and make prints its commands
gate: export ETHREX_RPC_URL := $(or $(RPC),$(ETHREX_RPC_URL))
gate: $(VENV)/.demo-installed
	@test -n "$(BLOCK)" || { echo "make gate: name a block: make gate BLOCK=24443168"; exit 2; }
	@$(BIN)/python -m pytest "--ethrex-block=$(BLOCK)" "--ethrex-repeat=$(REPEAT)" \
		$(if $(REPLAY),"--ethrex-replay=$(REPLAY)") $(if $(BASE),"--ethrex-base=$(BASE)") $(ARGS)

bench: $(VENV)/.test-installed
	$(BIN)/python benchmarks/cost.py
	$(BIN)/python -m pytest benchmarks -o python_files='bench_*.py' --benchmark-only $(ARGS)

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { \
		echo "This needs Python 3.11 or 3.12 with venv: install it (Debian: apt-get install python3 python3-venv),"; \
		echo "or name one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 2; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.demo-installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded]'
	@touch $@

$(VENV)/.test-installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,dev]'
	@touch $@ $(VENV)/.demo-installed

$(VENV)/.docs-installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

# every form of a report, what commands print, the pictures in docs, the schemas: look before committing
golden: $(VENV)/.test-installed
	$(BIN)/python -m tests.report.golden_files
	$(BIN)/python -m tests.recorded.printed
	$(BIN)/python -m tests.report.pictures docs

clean:
	rm -rf $(VENV) build .demo
