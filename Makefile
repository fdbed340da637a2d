# Every target does its own set-up from a bare checkout; `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup system demo test check coverage mutants test-deep bench clean FORCE

BIN := .venv/bin
COMPLETE := .venv/.complete
RUNS := .venv/.runs
# More pytest arguments: make test ARGS='-k brier'
ARGS ?=

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(COMPLETE)  ## .venv with everything the other targets need, pinned by constraints.txt

# A stamp holds the checkout's path: a copied or interrupted .venv would run another checkout's
# code, so it is laid anew. A changed pin is installed into the one that stands. The demo needs the
# program alone; what it laid is completed by `make setup`.
ifneq ($(shell cat $(COMPLETE) 2>/dev/null),$(CURDIR))
$(COMPLETE): FORCE
ifneq ($(shell cat $(RUNS) 2>/dev/null),$(CURDIR))
$(RUNS): FORCE
endif
endif
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt
define lay
@python=; for each in python3.13 python3.12 python3; do \
    if $$each -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then \
        python=$$each; break; fi; done; \
if [ -z "$$python" ]; then \
    echo "error: no Python of version 3.12 or newer runs here. Try: install Python 3.13 (with its venv module), then make $(or $(MAKECMDGOALS),setup)" >&2; exit 2; fi; \
if [ "$$(cat $(RUNS) $(COMPLETE) 2>/dev/null | head -n 1)" = "$(CURDIR)" ] && $(BIN)/python -c '' 2>/dev/null; then rm -f $(RUNS) $(COMPLETE); else \
    echo "setup: .venv on $$($$python --version)" >&2; \
    $$python -m venv --clear .venv || { echo "error: $$python cannot make an environment. Try: install its venv module (Debian: apt-get install python3-venv), then make $(or $(MAKECMDGOALS),setup)" >&2; exit 2; }; fi; \
set -e; \
$(INSTALL) --upgrade pip hatchling; \
$(INSTALL) --no-build-isolation -e . $(1); \
$(BIN)/python -m pip check >/dev/null; \
echo "$(CURDIR)" > $(RUNS)
endef
$(COMPLETE): pyproject.toml constraints.txt
	$(call lay,--group test --group lint)
	@cp $(RUNS) $@
$(RUNS): pyproject.toml constraints.txt
	$(call lay,)

# Chromium draws the pages that the browser tests look at; the PostgreSQL tests start a server.
system:
	@wanted=; command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || wanted="chromium"; \
	command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$$wanted postgresql"; \
	[ -z "$$wanted" ] || { \
	    as=; [ "$$(id -u)" = 0 ] || as="sudo -n"; \
	    if command -v apt-get >/dev/null && $$as true 2>/dev/null; then \
	        echo "test: installing $$wanted" >&2; \
	        { $$as apt-get update -q && $$as env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$wanted; } >/dev/null 2>&1 \
	            || echo "test: $$wanted could not be installed; tests that need it say so" >&2; \
	    else echo "test: missing and not installable here: $$wanted; tests that need it say so" >&2; fi; }

demo: $(RUNS)  ## the main job on a fresh database; the page is review/index.html
	@mkdir -p review && rm -f review/demo.db*
	@$(BIN)/forecast --db review/demo.db replay --workers $$(n=$$(nproc 2>/dev/null || echo 1); echo $$((n < 4 ? n : 4))) --out review
	@printf '\nThe page:  review/index.html\nLook into it:\n  %s\n  %s\n  %s\n' \
	    '$(BIN)/forecast --db review/demo.db questions list' \
	    '$(BIN)/forecast --db review/demo.db score --kind replay' \
	    '$(BIN)/forecast --db review/demo.db verify'

test: setup system  ## the whole test suite
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup  ## style, types, layers, generated files, wheel contents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m forecasting.bank.snapshot --check
	$(BIN)/python -m forecasting.store.snapshot --check
	@rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist . >/dev/null
	$(BIN)/check-wheel-contents --toplevel forecasting dist

# What pyproject.toml names: the ledger, time, the scoring of entries, what is brought in. What only
# a server runs is run on one.
COVERING := tests/domain tests/exchange tests/doors/test_rules.py tests/cli/test_bad_input.py \
    $(addprefix tests/store/test_,$(addsuffix .py,anchor authorizer chain edges guards round_trip tamper verify_laws)) \
    $(addprefix tests/app/test_,$(addsuffix .py,clocks outcomes_and_the_record redact refusals resolutions seal)) \
    tests/app/test_ask.py::test_news_on_what_was_dropped_does_not_come_back_with_its_name \
    tests/store/test_postgresql.py::test_with_the_option_engine_a_ledger_at_a_path_lies_on_the_server \
    forecasting/app forecasting/domain forecasting/store
ON_A_SERVER := tests/store/test_round_trip.py tests/exchange/test_ledger_lines.py \
    tests/app/test_redact.py::test_the_text_goes_and_the_forecast_its_hash_and_the_chain_stay

coverage: setup system  ## every branch of the ledger and of time is taken by a test
	@$(BIN)/coverage run -m pytest -q -p no:cacheprovider $(COVERING)
	@$(BIN)/coverage run --append -m pytest -q -p no:cacheprovider --engine postgresql $(ON_A_SERVER)
	@$(BIN)/coverage report

# On a copy: a run that is stopped leaves no mutant in the checkout.
MUTANTS := build/mutants
mutants: setup  ## each small change of FILE=forecasting/... must make TESTS=tests/... fail
	@[ -f "$(FILE)" ] && [ -n "$(TESTS)" ] || { echo "error: no file to mutate, or no tests for it. Try: make mutants FILE=forecasting/scoring/rules.py TESTS=tests/scoring" >&2; exit 2; }
	@$(INSTALL) --group mutation
	@rm -rf $(MUTANTS) && mkdir -p $(MUTANTS) && cp -r forecasting tests db questions notebooks pyproject.toml README.md $(MUTANTS)
	@cd $(MUTANTS) && sed -e 's#@FILE@#$(FILE)#' -e 's#@TESTS@#$(TESTS)#' tests/mutants.toml > mutants.toml; \
	run=../../$(BIN)/cosmic-ray; \
	$$run baseline mutants.toml && $$run init mutants.toml session.sqlite && \
	../../$(BIN)/cr-filter-operators session.sqlite mutants.toml && $$run exec mutants.toml session.sqlite && \
	../../$(BIN)/cr-report --surviving-only --show-diff session.sqlite

test-deep: setup system  ## the long tests: simulation, crashes, fuzzing; the suite on PostgreSQL
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m deep --hypothesis-profile=deep $(ARGS)
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --engine postgresql $(ARGS)

bench: setup  ## benchmarks, each as a ratio to its peer or floor
	@[ -f tests/bench.py ] || { echo "error: tests/bench.py is absent: there is nothing to measure yet" >&2; exit 2; }
	@$(BIN)/python -m tests.bench

clean:  ## remove what the targets made; never a database outside review/
	rm -rf .venv dist build review .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find forecasting tests db -name __pycache__ -type d -prune -exec rm -rf {} +
