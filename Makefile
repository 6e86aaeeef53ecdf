# Every target does its own set-up. Needs Python 3.11 or newer and nothing else.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
BIN := .venv/bin
RUN := .venv/.run
DEV := .venv/.dev
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help run test test-long lint bench translations clean

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 22

run: $(RUN) ## a working register to try, with a simulated VTJ (PORT=8000, FRESH=1 starts over)
	@VTJSYNC_MODE=demo PORT=$(PORT) FRESH=$(FRESH) $(BIN)/python -m vtjsync.demo.run

test: lint ## everything that CI checks
	@CHROMIUM_PATH="$$($(BIN)/python -m tests.chromium)" $(BIN)/pytest -n 2

test-long: $(DEV) ## the tests that take longer
	@CHROMIUM_PATH="$$($(BIN)/python -m tests.chromium)" $(BIN)/pytest -n 2 -m long --timeout 3600

lint: $(DEV) ## format, lint, types and the contracts between the layers
	@$(BIN)/ruff format --check -q . || (echo "Run: $(BIN)/ruff format ." && false)
	@$(BIN)/ruff check -q .
	@VTJSYNC_MODE=demo SECRET_KEY=$(LINT_KEY) AUDIT_KEY=$(LINT_KEY) DATABASE_URL=postgres://lint $(BIN)/mypy vtjsync registry
	@$(BIN)/lint-imports --no-logo

# The type checker loads the settings, which do not start without keys. These guard nothing.
LINT_KEY := only-for-the-type-checker-only-for-the-type-checker

bench: $(DEV) ## measure on a database of its own (one of them: WORK=first_load SIZE=100000)
	@$(BIN)/python -m tests.bench $(WORK) $(SIZE)

translations: $(DEV) ## collect the texts of the pages and compile their translations
	@$(BIN)/python -m tools.translations

clean: ## remove the virtual environment and everything that runs have left
	@test ! -x $(BIN)/python || $(BIN)/python -m vtjsync.demo.postgres remove 2>/dev/null || true
	@rm -rf .venv var

$(RUN): requirements.txt constraints.txt requirements-demo.txt tools/venv.sh
	@sh tools/venv.sh "$(PYTHON)" requirements-demo.txt && touch $@

$(DEV): requirements.txt constraints.txt requirements-demo.txt requirements-dev.txt tools/venv.sh
	@sh tools/venv.sh "$(PYTHON)" requirements-dev.txt && touch $(RUN) $@
