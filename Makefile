# Everything a person or the CI does with this repository. `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
PORT ?= 8000
# Two cores are the reference machine; more threads than cores slow torch and OpenCV down.
export OMP_NUM_THREADS ?= 2
export PYTHONUTF8 := 1

.PHONY: help install install-test run test lint fast thorough services clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

install: ## Make .venv with the pinned packages, and the system programs that serving needs
	@scripts/install.sh run

install-test: ## The same, and the browser and the servers that the tests start
	@scripts/install.sh test

run: install ## Serve web and worker on 127.0.0.1:$(PORT), with three demo prescriptions
	@$(PYTHON) manage.py migrate --verbosity 0
	@$(PYTHON) manage.py demo
	@exec $(PYTHON) manage.py serve --port $(PORT)

test: install-test lint fast thorough services ## Everything the CI runs

lint: ## Style, types and the arrows between the rooms
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-cache

fast: ## The tests without servers or a browser (under three minutes on two cores)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n 2 --dist loadfile -m "not slow and not thorough and not services and not e2e"

thorough: ## Tests that take seconds each: processes that are killed, hostile files, short trainings
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n 2 --dist loadfile -m "thorough and not slow and not services and not e2e"

services: ## The tests with real PostgreSQL, Redis, RabbitMQ and a browser
	$(PYTHON) -m pytest -m "(services or e2e) and not slow"

clean: ## Remove what was built; var/ (the data) stays
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis tests/fhir/validators/node_modules tests/e2e/axe/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
