# `make` alone lists the verbs.
.DEFAULT_GOAL := help
.PHONY: help run serve manage test test-all lint fmt types check chaos bench screenshots lock

help:  ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

run:  ## Set up what is missing, and run Manta on this machine
	@scripts/setup.sh run && exec .venv/bin/python -m scripts.run

serve:  ## Set up what is missing, and serve a team behind a proxy (docs/operations.md)
	@scripts/setup.sh serve && exec .venv/bin/python -m scripts.serve

manage:  ## manage.py with what `make run` knows (ARGS="doctor", ARGS="backup FILE")
	@.venv/bin/python -m scripts.manage $(ARGS)

# Tests start hundreds of Python processes; without bytecode each would compile Manta anew.
test test-all: export PYTHONDONTWRITEBYTECODE =

test:  ## Set up what is missing, and run the tests (ARGS="-m fast", ARGS="-k panel" for some)
	@scripts/setup.sh test && exec .venv/bin/pytest $(ARGS)

test-all:  ## The tests, and with them the slow ones: chaos, soak, every page state, SDK suites
	@scripts/setup.sh test && exec .venv/bin/pytest -m "not team" $(ARGS)

lint:  ## ruff: rules and format; shellcheck; import-linter: who imports whom; docstrings; lengths
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/shellcheck scripts/*.sh .ci/run
	.venv/bin/shellcheck --shell=sh sandboxes/data_plane/scripts/*.sh local_blaxel/hub/unpack.sh
	.venv/bin/lint-imports
	.venv/bin/python -m scripts.check_docstrings
	.venv/bin/python -m scripts.check_lengths

fmt:  ## ruff: mend what it can
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

types:  ## mypy, strict on product code
	DEBUG=1 .venv/bin/mypy

check: lint types  ## lint, types, migrations, and Django's checks for deployment
	scripts/check_django.sh

chaos:  ## People use Manta while its processes are killed (ARGS="--minutes 15")
	@scripts/setup.sh test && exec .venv/bin/python -m chaos $(ARGS)

bench:  ## Start Manta and measure it (ARGS=--write: into docs/benchmarks.md)
	@scripts/setup.sh test && exec .venv/bin/python -m bench $(ARGS)

screenshots:  ## Picture every page and state into screenshots/ (ARGS=pages/home for one)
	@scripts/setup.sh test && exec .venv/bin/python -m tests.support.screenshots $(ARGS)

lock:  ## Write the lock files again from pyproject.toml (ARGS=--upgrade: newer versions)
	scripts/lock.sh $(ARGS)
