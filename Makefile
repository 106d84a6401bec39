# The only commands a person types. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
LOCAL_VENV := .venv-local
DEV := $(VENV)/.installed
LOCAL := $(LOCAL_VENV)/.installed
RUNTIME_VENV := .venv-runtime
RUNTIME := $(RUNTIME_VENV)/.installed
BENCH_VENV := .venv-bench
BENCH := $(BENCH_VENV)/.installed
CONSOLE_VENV := .venv-console
CONSOLE := $(CONSOLE_VENV)/.installed
BROWSER_VENV := .venv-browser
BROWSER := $(BROWSER_VENV)/.installed

# SAM's builds call uv; both are in the development environment.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PYTHONPATH := $(CURDIR)

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}'

.PHONY: setup
setup: $(DEV) $(LOCAL) ## Install the development environment and the local cloud (the other commands do it by themselves)

.PHONY: demo
demo: $(DEV) $(LOCAL) ## Deploy to a local cloud (or, with TARGET=aws, an account), drive every automation, show and check each effect
	@python -m local demo $(if $(TARGET),--target "$(TARGET)") $(if $(PROFILE),--profile "$(PROFILE)") $(if $(REGION),--region "$(REGION)") \
		$(if $(STACK),--stack "$(STACK)") $(if $(WITH),--with "$(WITH)") $(if $(SCENES),--scenes "$(SCENES)") $(if $(REMOVE),--remove) $(if $(YES),--yes)

.PHONY: local
local: $(DEV) $(LOCAL) ## Start the local cloud on port 4566, deploy to it and leave it running (stop: make stop)
	@python -m local start

.PHONY: stop
stop: $(DEV) ## Stop the local cloud that `make local` started
	@python -m local stop

.PHONY: console
console: $(DEV) $(LOCAL) $(CONSOLE) ## Open a page to send events and follow them on the local cloud, deployed when something has changed, or (PROFILE=, REGION=, STACK=) on AWS
	@python -m local console $(if $(PROFILE),--profile "$(PROFILE)") $(if $(REGION),--region "$(REGION)") $(if $(STACK),--stack "$(STACK)")

.PHONY: browser
browser: $(DEV) $(LOCAL) $(BROWSER) ## Test that page in headless Chromium
	@PATH="$(CURDIR)/$(BROWSER_VENV)/bin:$$PATH" pytest tests/browser $(TWO_CLOUDS)

.PHONY: send
send: $(DEV) ## Send one sample event to the running local cloud: make send EVENT=events/ec2_state_alerts/stopped.json
	@python -m local send "$(EVENT)"

.PHONY: explain
explain: $(DEV) ## Say which rules of the local cloud a sample event matches, and what stops the others: make explain EVENT=...
	@python -m local explain "$(EVENT)"

# Each process deploys to a local cloud of its own. The files keep their order: after some, MiniStack replays nothing more.
TWO_CLOUDS := --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: test
test: $(DEV) $(LOCAL) ## Run all tests: unit, template, end to end
	@pytest tests/unit --numprocesses auto
	@pytest tests/template tests/e2e $(TWO_CLOUDS)

.PHONY: prove
prove: $(DEV) $(LOCAL) ## Try the failures that docs/proofs.md lists, print the tables and write them there
	@WRITE_PROOFS=1 pytest tests/proofs --ignore tests/proofs/on_the_local_cloud --numprocesses auto
	@WRITE_PROOFS=1 pytest tests/proofs/on_the_local_cloud $(TWO_CLOUDS)

.PHONY: bench
bench instructions: export PYTHONPATH := $(CURDIR):$(CURDIR)/functions:$(CURDIR)/layers/shared
bench: build $(RUNTIME) $(BENCH) ## Measure what the functions cost, and write docs/performance.md (it needs Python 3.13)
	@python -m bench.start_up --write
	@python -m bench.clients --write
	@python -m bench.warm --write
	@python -m bench.pictures --write
	@python -m bench.growth --write
	@python -m bench.price --write

.PHONY: instructions
instructions: build $(RUNTIME) ## Count the instructions of each start with valgrind, and say which import grew
	@python -m bench.instructions

.PHONY: check
check: $(DEV) ## Check style, types and the template
	@ruff check .
	@ruff format --check .
	@mypy
	@sam validate --lint

.PHONY: format
format: $(DEV) ## Format the code and sort its imports
	@ruff check --fix-only .
	@ruff format .

.PHONY: build
build: $(DEV) ## Build the functions and the layer for AWS
	@sam build
	@python -m local artifacts

.PHONY: deploy
deploy: build ## Deploy to the AWS account of your credentials; asks before it changes anything
	@sam deploy

.PHONY: update
update: $(DEV) ## Raise the pinned versions of all requirements
	@requirements/compile --upgrade

.PHONY: clean
clean: ## Remove what was built and installed here
	@if [ -x $(VENV)/bin/python ]; then $(VENV)/bin/python -m local stop; fi
	rm -rf $(VENV) $(LOCAL_VENV) $(RUNTIME_VENV) $(BENCH_VENV) $(CONSOLE_VENV) $(BROWSER_VENV) bench/rivals/node_modules .aws-sam .local out .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# $(call environment,<folder>,<requirements file>): install into the folder, with the development environment's Python.
environment = uv venv --quiet --clear --python $(VENV)/bin/python $(1) && \
	uv pip sync --quiet --require-hashes --python $(1)/bin/python $(2) && touch $@

$(DEV): requirements/bootstrap.txt requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	@echo "Installing the development environment into $(VENV) (once)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@uv pip sync --quiet --require-hashes --python $(VENV)/bin/python requirements/dev.txt
	@touch $@

$(LOCAL): requirements/local.txt $(DEV)
	@echo "Installing the local cloud into $(LOCAL_VENV) (once)"
	@$(call environment,$(LOCAL_VENV),requirements/local.txt)

$(RUNTIME): requirements/runtime.txt $(DEV)
	@echo "Installing Lambda's Python runtime into $(RUNTIME_VENV) (once)"
	@PYENV_VERSION=3.13 uv venv --quiet --clear --python 3.13 $(RUNTIME_VENV)
	@uv pip sync --quiet --require-hashes --compile-bytecode --python $(RUNTIME_VENV)/bin/python requirements/runtime.txt
	@touch $@

$(BENCH): requirements/bench.txt $(DEV)
	@echo "Installing what the measurements draw and compare with into $(BENCH_VENV) (once)"
	@$(call environment,$(BENCH_VENV),requirements/bench.txt)

$(CONSOLE): requirements/console.txt $(DEV)
	@echo "Installing the console into $(CONSOLE_VENV) (once)"
	@$(call environment,$(CONSOLE_VENV),requirements/console.txt)

$(BROWSER): requirements/browser.txt $(DEV)
	@echo "Installing what tests the console into $(BROWSER_VENV) (once)"
	@$(call environment,$(BROWSER_VENV),requirements/browser.txt)
