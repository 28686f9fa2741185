# make gate             synthesize the platform and judge it
# make deploy ENV=dev   plan an environment, judge that very plan, and apply it
# make report           judge it, and write the evidence for an assessor
# make test             lint, types and tests
# make hooks            check every commit before it is made
#
# Each sets up what it needs: Python 3.11 or newer, make and a package index are enough.

PYTHON ?= python3
TOX := .venv/bin/tox run --quiet

ifeq ($(MAKECMDGOALS)$(ENV),deploy)
$(error name the environment: make deploy ENV=dev)
endif

.PHONY: gate deploy report test hooks
.DEFAULT_GOAL := gate

gate: .venv/ready
	@$(TOX) -e gate

deploy: .venv/ready
	@$(TOX) -e deploy -- $(ENV)

report: .venv/ready
	@$(TOX) -e report

test: .venv/ready
	@$(TOX) -e lint,type,test,e2e

hooks: .venv/ready
	@$(TOX) --notest -e lint,type,gate
	@.venv/bin/pre-commit install

.venv/ready: requirements/tox.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.13")'
	@echo "Setting up: a few minutes the first time, nothing after that."
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements/tox.txt
	@touch $@
