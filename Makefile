# Everything a person needs: `make run`, `make test`, `make ui`. The first one installs, once.
PYTHON ?= python3
BUSINESS ?= data/online_retail
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help run init check ui docs test test-unit lint format bench clean

help: ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@echo "Installing into $(VENV), once; this takes a few minutes ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: $(INSTALLED) ## Run the pipeline: BUSINESS=data/oulad, AS_OF=2011-11-30.
	@$(BIN)/retention run --business $(BUSINESS) $(if $(AS_OF),--as-of $(AS_OF))

init: $(INSTALLED) ## Look at the exports in BUSINESS=<folder> and write its retention.yaml.
	@$(BIN)/retention init $(BUSINESS)

check: $(INSTALLED) ## Say what is wrong with a business's retention.yaml.
	@$(BIN)/retention check --business $(BUSINESS)

ui: $(INSTALLED) ## Open Dagster on http://127.0.0.1:3000 for BUSINESS.
	@$(BIN)/retention ui --business $(BUSINESS)

docs: $(INSTALLED) ## Write the dbt documentation as one page, and docs/metrics.md.
	@$(BIN)/retention docs --business $(BUSINESS)

test: $(INSTALLED) ## Run all tests on all cores.
	@$(BIN)/pytest -n auto --dist loadgroup

test-unit: $(INSTALLED) ## Run the unit tests on all cores.
	@$(BIN)/pytest tests/unit -n auto --dist loadgroup

lint: $(INSTALLED) ## Check style, types and that the dbt project parses.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@RETENTION_WAREHOUSE=$(CURDIR)/$(VENV)/lint/warehouse.duckdb $(BIN)/dbt --quiet --no-send-anonymous-usage-stats --warn-error parse --no-partial-parse --project-dir dbt_project --profiles-dir dbt_project --target-path $(CURDIR)/$(VENV)/lint/dbt --log-path $(CURDIR)/$(VENV)/lint/dbt

format: $(INSTALLED) ## Format the sources.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(INSTALLED) ## Measure the steps beside bare DuckDB and scikit-learn: ROWS=1000000.
	@$(BIN)/python -m benchmarks $(if $(ROWS),--rows $(ROWS))

clean: ## Remove the virtual environment; the state in .retention/ stays.
	rm -rf $(VENV)
