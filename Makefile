# Every target is one line over a script that works without make too: python3 ops/bootstrap.py TARGET
PYTHON ?= python3
ARGS ?=
export SEEDS ?=
export KILLS ?=
export SEED ?=

.PHONY: run test test-sandbox check bench simulate mutate chaos lock snapshot catalogue setup

run test test-sandbox check bench simulate mutate chaos lock snapshot catalogue setup:
	@$(PYTHON) "$(dir $(lastword $(MAKEFILE_LIST)))ops/bootstrap.py" $@ $(ARGS)
