# The words people use. Each sets the machine up first; that is quick when it is.

SHELL := /bin/sh
BIN := .venv/bin

.PHONY: help setup demo demo-check test check check-code check-interface check-scans types bench \
	soak audit licences doctor images lock openapi sandbox-table sandbox-five

help: ## What there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## The virtual environment and the system packages
	@deploy/setup.sh

demo: setup ## The whole platform on this machine, with signals, until Ctrl-C
	@$(BIN)/signalbox demo

demo-check: setup ## The same on private ports, checked; one JSON line last
	@$(BIN)/signalbox demo-check

test: setup ## The whole suite, on the real thing
	@$(BIN)/python tests/whole.py

check: setup ## Everything that needs no running: style, types, structure, scans
	@$(MAKE) --no-print-directory -j 2 check-code check-interface check-scans

check-code:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@! grep -nE 'https://[^/"]+' uv.lock | grep -v 'https://index.invalid/' | grep -q . || (echo "uv.lock names an index: run make lock"; exit 1)

check-interface:
	$(BIN)/python subscriber_ui/build.py run check

check-scans:
	$(BIN)/python deploy/scans/check.py

audit: setup ## Look up everything that is locked in the databases of known weaknesses
	$(BIN)/python deploy/scans/audit.py

licences: setup ## Write docs/licences.md anew
	$(BIN)/python deploy/scans/licences.py

types: setup ## Types only
	$(BIN)/mypy

bench: setup ## Measure, as ratios
	$(BIN)/python -m benchmarks.replay --json
	$(BIN)/python -m benchmarks.tick --json
	$(BIN)/python -m benchmarks.market_data --json
	$(BIN)/python -m benchmarks.publish --json
	$(BIN)/python -m benchmarks.log --json
	$(BIN)/python -m benchmarks.access --json
	$(BIN)/python -m benchmarks.accounts --json
	$(BIN)/python -m benchmarks.api --json
	$(BIN)/python -m benchmarks.stream --json
	$(BIN)/python -m benchmarks.playback --json
	$(BIN)/python -m benchmarks.workers --json

soak: setup ## Half an hour of an installation in use, while everything it consists of is killed
	$(BIN)/python -m tests.soak --minutes 30 --versions 50

doctor: setup ## What machine and installation have and lack, and whether the sandbox holds
	@$(BIN)/signalbox doctor

images: setup ## What production runs: signalbox/platform and signalbox/services, without a registry
	@python3 deploy/images/build.py

openapi: setup ## Write api/openapi.json anew, and the web interface's types of it
	$(BIN)/python -m api.openapi
	$(BIN)/python subscriber_ui/build.py run schema

sandbox-table: setup ## Attack every path, and write the table of docs/operations/sandbox.md
	WRITE_SANDBOX_TABLE=1 $(BIN)/python -m pytest -q tests/sandbox/runner

sandbox-five: setup ## Attack every path five times, and name what is left over of it
	$(BIN)/python tests/sandbox/runner/five_times.py

# The lock pins versions and hashes; which index they come from is each machine's own affair.
lock: setup ## Resolve the dependencies anew
	$(BIN)/uv lock
	sed -i -E 's#https://[^/"]+/simple#https://index.invalid/simple#; s#https://[^/"]+/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]+/#https://index.invalid/files/#' uv.lock
