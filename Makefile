# What people do with this checkout. Everything else is `practicum`.
SHELL := /bin/bash
PRACTICUM := .venv/bin/practicum

.PHONY: help install demo demo-clean test lint unit real clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

install: ## install what this checkout needs: Debian packages (as root) and .venv
	@scripts/install.sh

demo: install ## from one spec to a class of real machines on this host
	@scripts/demo.sh

demo-clean: ## remove all that the demo made, and prove that nothing is left
	@scripts/demo_clean.sh

test: install lint unit real ## everything that must hold

lint: install
	.venv/bin/ruff check .
	.venv/bin/ruff format --check -q .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/pytest --collect-only -qqq tests/lxd tests/kubernetes tests/web # what cannot even be loaded is told at once
	shellcheck scripts/*.sh .ci/run jenkins/resources/org/practicum/*.sh jenkins/casc/*.sh jenkins/agent/*.sh

unit: install
	.venv/bin/pytest --ignore tests/lxd --ignore tests/web --ignore tests/kubernetes -n auto --dist worksteal

real: install
	@scripts/real_tests.sh

clean: ## remove what tools left in this checkout
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
