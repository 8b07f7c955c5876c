# The two main commands are `make sync` and `make test`. They need Python (3.10 or later), git and
# make, and install everything else into this checkout only.

PYTHON ?= python3

BIN := .venv/bin
PLUGINS := integrations/plugins
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
export UV_PYTHON := $(CURDIR)/.tools/bin/python
export UV_PYTHON_DOWNLOADS := never
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export MELTANO_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: sync
sync: .cache/plugins-of-sync ## Load Calendly into a DuckDB file; without a token, load the demo organization
	@$(BIN)/python -m sandbox.demo.sync

.PHONY: report
report: .cache/plugin-dbt-duckdb ## Build the models of what was loaded, and answer twelve questions in output/report.html
	@$(BIN)/python -m report.dbt
	@$(BIN)/python -m report

.PHONY: live
live: .cache/plugin-target-duckdb ## Watch bookings arrive in DuckDB by webhooks, until Ctrl-C or for SECONDS=120
	@$(BIN)/python -m sandbox.demo.live $(if $(SECONDS),--seconds $(SECONDS))

PYTEST := $(BIN)/pytest --quiet --numprocesses=3 --dist=loadgroup

.PHONY: test
test: lint types .cache/plugins ## Run lint, type checks and the quick tests: under four minutes from the second time on
	$(PYTEST) --quick

.PHONY: test-all
test-all: lint types .cache/plugins ## Run lint, type checks and all tests: every fault, more histories, every pipeline
	$(PYTEST)

.PHONY: fidelity
fidelity: .cache/packages ## Play many more random histories than `make test-all`: about an hour
	$(BIN)/pytest tests/fidelity --hypothesis-profile=long --capture=no -o faulthandler_timeout=0

.PHONY: schedules
schedules: .cache/packages ## Simulate a month of runs: what the tap and the usual approaches cost and miss: two minutes
	$(BIN)/python -m benchmarks.schedules

.PHONY: benchmark
benchmark: .cache/packages ## Measure the tap's speed, beside a plain tap and at the API's limit: a quarter of an hour
	$(BIN)/python -m benchmarks.speed

.PHONY: endurance
endurance: .cache/packages ## Simulate an hour at the API's limit with 1 % faults: four minutes
	$(BIN)/python -m benchmarks.endurance

.PHONY: receiver
receiver: .cache/packages ## Measure how many deliveries a second the receiver answers: half a minute
	$(BIN)/python -m benchmarks.receiver

.PHONY: audit
audit: .tools/bin/uv ## Check all locked packages for known vulnerabilities, at osv.dev
	.tools/bin/uv audit --locked --preview-features audit-command
	.tools/bin/uv audit --locked --preview-features audit-command --project $(PLUGINS)

.PHONY: build
build: .cache/build.txt ## Build the package into dist/ with the locked build tools
	.tools/bin/uv build --quiet --clear --build-constraints $< --require-hashes

.PHONY: lint
lint: .cache/checked ## Check style, the direction of imports, workflows and meltano.yml
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/lint-imports --no-logo --cache-dir .cache/imports

.PHONY: types
types: .cache/packages ## Check types strictly
	$(BIN)/mypy

.PHONY: docs
docs: .cache/plugins-of-sync .cache/plugin-dbt-duckdb ## Regenerate what README and docs say of the code, and the catalog snapshots
	$(BIN)/python -m tests.documents.generated
	$(BIN)/python -m tests.documents.models

.PHONY: models-docs
models-docs: .cache/plugin-dbt-duckdb ## Describe the models on a page, output/models.html, after `make report`
	@$(BIN)/python -m report.dbt docs generate --static
	@cp .meltano/dbt-duckdb/static_index.html output/models.html

.PHONY: clean
clean: ## Remove everything that these commands installed and wrote
	rm -rf .cache .meltano .tools .venv dist output

# Stamps in .cache record what has been checked since it last changed, and what is installed, so that a
# second run is quick.

ISSUE_FORMS := $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
WORKFLOWS := $(wildcard .github/workflows/*.yml)

.cache/checked: .cache/packages meltano.yml .github/dependabot.yml $(ISSUE_FORMS) $(WORKFLOWS)
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.meltano meltano.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms $(ISSUE_FORMS)
	$(BIN)/zizmor --offline --quiet --persona=pedantic .github
	@touch $@

.tools/bin/uv:
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet uv==0.13.8

.cache/packages: .tools/bin/uv pyproject.toml uv.lock
	.tools/bin/uv sync --quiet --locked --all-extras
	@touch $@

# Every plugin has its own environment, with the packages that are locked for it.

.cache/plugins-of-sync: .cache/plugin-tap-calendly .cache/plugin-target-duckdb
	@touch $@

.cache/plugins: .cache/plugins-of-sync .cache/plugin-target-jsonl .cache/plugin-target-postgres \
	.cache/plugin-dbt-duckdb .cache/plugin-dbt-postgres
	@touch $@

.cache/plugin-%: .cache/%.txt .cache/packages meltano.yml integrations/target-duckdb/pyproject.toml
	UV_CONSTRAINT=$(CURDIR)/$< UV_OVERRIDE=$(CURDIR)/$(PLUGINS)/overrides.txt $(BIN)/meltano --log-level=warning install $*
	@touch $@

EXPORT := .tools/bin/uv export --quiet --locked --output-file

.cache/tap-calendly.txt: .tools/bin/uv pyproject.toml uv.lock
	@mkdir -p .cache
	$(EXPORT) $@ --no-dev --all-extras --no-emit-project

.PRECIOUS: .cache/%.txt
.cache/%.txt: .tools/bin/uv $(PLUGINS)/pyproject.toml $(PLUGINS)/uv.lock
	@mkdir -p .cache
	$(EXPORT) $@ --project $(PLUGINS) --only-group $*

.cache/build.txt: .tools/bin/uv pyproject.toml uv.lock
	@mkdir -p .cache
	$(EXPORT) $@ --only-group build
