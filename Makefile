# GNU make 4. `make help` lists what there is.

PYTHON ?= python3
PORT ?= 8000
ARGS ?=
# three processes for two cores, as tests wait for servers; tests/conftest.py says what each runs
PYTEST = pytest --numprocesses=3 --dist=loadscope --no-loadscope-reorder
# hubs and browsers need the cores themselves
PYTEST_INTEGRATION = $(PYTEST) --numprocesses=2

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# tests start hundreds of processes: without __pycache__ each of them compiles the code anew
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test test-all test-6.1 test-5.5 test-integration test-5.5-all test-hub test-chart test-cluster test-image test-web-apps test-replicas test-replicas-5.5 \
  test-wheel lint format docs pyz release-dry-run bench clean

help: ## list these commands
	@sed -n 's/^\([a-z0-9.-]*\):.* ## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

demo: .venv/.stamp ## run a demo hub with the service (PORT=8000 ARGS="--app=my_module:MyApp")
	@exec .venv/bin/tornado-service demo --port=$(PORT) $(ARGS)

test: lint test-6.1 test-5.5 ## lint, and all tests that need no browser and few hubs: 9 minutes on 2 cores

test-all: lint test-6.1 test-integration test-5.5-all test-image test-chart test-cluster test-web-apps test-replicas test-replicas-5.5 ## all tests

test-6.1: .venv/.stamp ## tests on JupyterHub 6.1, without those of test-integration (ARGS="-k word")
	.venv/bin/python tests/support/prepare.py proxy postgresql
	.venv/bin/python -m $(PYTEST) -m 'not ($(INTEGRATION) or image or web_apps or replicas or cluster)' $(ARGS)

# tests of what depends on the version of JupyterHub are among the others, also those with a hub
INTEGRATION = (hub or browser) and not library

test-integration: .venv/.stamp ## the service in real hubs, and in a browser: 7 minutes on 2 cores
	.venv/bin/python tests/support/prepare.py proxy browser axe-core
	.venv/bin/python -m $(PYTEST_INTEGRATION) -m '$(INTEGRATION)' $(ARGS)

test-5.5: .venv-5.5/.stamp ## tests that depend on JupyterHub's version, on 5.5
	.venv-5.5/bin/python tests/support/prepare.py proxy
	.venv-5.5/bin/python -m $(PYTEST) -m library $(ARGS)

test-5.5-all: .venv-5.5/.stamp ## all tests with a hub or a browser, on 5.5
	.venv-5.5/bin/python tests/support/prepare.py proxy browser axe-core
	.venv-5.5/bin/python -m $(PYTEST_INTEGRATION) -m 'library or hub or browser' $(ARGS)

# HUB: a version of JupyterHub or a part of one, or main
HUB ?= 6.1
hub-requirement = $(if $(filter main,$(HUB)),'jupyterhub @ git+https://github.com/jupyterhub/jupyterhub','jupyterhub==$(HUB).*')

test-hub: .venv-hub-$(HUB)/.stamp ## tests that depend on JupyterHub's version, on any (HUB=5.4.6)
	.venv-hub-$(HUB)/bin/python tests/support/prepare.py proxy
	.venv-hub-$(HUB)/bin/python -m $(PYTEST) -m library $(ARGS)

test-chart: .venv/.stamp ## tests with z2jh's chart and helm, downloaded if missing
	.venv/bin/python tests/support/prepare.py proxy
	eval "$$(.venv/bin/python tests/packaging/chart/fetch.py)" && .venv/bin/python -m pytest tests/packaging/chart $(ARGS)

test-cluster: .venv/.stamp ## both charts with three replicas under policies that the kernel enforces (root)
	.venv/bin/python tests/support/prepare.py proxy postgresql cluster
	eval "$$(.venv/bin/python tests/packaging/chart/fetch.py)" && .venv/bin/python -m pytest -m cluster tests/packaging/cluster $(ARGS)

lint: .venv/.stamp ## ruff, mypy, import-linter, and linters of the workflows
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache --no-logo
	.venv/bin/zizmor --offline --quiet .github
	! test -x .venv/bin/actionlint || .venv/bin/actionlint

format: .venv/.stamp ## format the code with ruff
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

docs: .venv-docs/.stamp ## regenerate the reference, build the documentation in build/docs and check its links
	.venv-docs/bin/python docs/generate.py
	.venv-docs/bin/python -m sphinx --fresh-env --fail-on-warning --keep-going --quiet docs build/docs

pyz: .venv/.stamp ## build the single-file service, for z2jh's stock image
	.venv/bin/python image/pyz.py

test-image: .venv/.stamp ## build the image and run it (root on Debian: buildah, debootstrap)
	.venv/bin/python tests/support/prepare.py image
	.venv/bin/python -m pytest -m image $(ARGS)

test-replicas: .venv/.stamp ## three replicas behind nginx, a real hub and PostgreSQL: crashes, outages, updates (Debian, root)
	.venv/bin/python tests/support/prepare.py proxy postgresql nginx traefik
	.venv/bin/python -m pytest -m replicas tests/integration/replicas $(ARGS)

test-replicas-5.5: .venv-5.5/.stamp ## the same with JupyterHub 5.5
	.venv-5.5/bin/python tests/support/prepare.py proxy postgresql nginx traefik
	.venv-5.5/bin/python -m pytest -m replicas tests/integration/replicas $(ARGS)

WEB_APPS ?= $(patsubst tests/web_apps/test_%.py,%,$(wildcard tests/web_apps/test_*.py))
web-app-environments = $(patsubst tests/web_apps/%/requirements.txt,.venv-web-apps/%/.stamp,$(wildcard $(WEB_APPS:%=tests/web_apps/%/requirements.txt)))

test-web-apps: .venv/.stamp $(web-app-environments) ## apps of other frameworks, each in an environment of its own (WEB_APPS="streamlit flask")
	.venv/bin/python tests/support/prepare.py proxy browser
	.venv/bin/python -m $(PYTEST_INTEGRATION) $(WEB_APPS:%=tests/web_apps/test_%.py) $(ARGS)

.venv-web-apps/%/.stamp: tests/web_apps/%/requirements.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --upgrade --requirement $<
	@touch $@

RELEASE := build/release

release-dry-run: .venv/.stamp ## build and check all artefacts of a release in build/release (TAG=v0.1.0)
	rm -rf build/source $(RELEASE) && mkdir -p $(RELEASE)/assets
	git clone --quiet . build/source  # what is not committed is not released
	.venv/bin/python -m build --outdir $(RELEASE) build/source
	.venv/bin/python -m twine check --strict $(RELEASE)/*.whl $(RELEASE)/*.tar.gz
	.venv/bin/python tests/packaging/release/assets.py build/source $(RELEASE) $(TAG)
	$(MAKE) test-wheel
	ls -l $(RELEASE) $(RELEASE)/assets

test-wheel: ## start a hub with the wheel of build/release in a clean environment (HUB=5.5.4)
	rm -rf build/wheel-env && $(PYTHON) -m venv build/wheel-env
	build/wheel-env/bin/pip install --quiet $(RELEASE)/*.whl $(hub-requirement)
	build/wheel-env/bin/pip check
	build/wheel-env/bin/python tests/packaging/release/try_wheel.py

bench: .venv/.stamp ## run the benchmarks
	.venv/bin/python -m benchmarks $(ARGS)

clean: ## remove environments and generated files
	rm -rf .venv .venv-5.5 .venv-docs .venv-web-apps .venv-hub-* .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist tornado_service/static/swagger tornado_service/activity/static/d3 tornado_service/activity/static/plot
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.stamp .venv-5.5/.stamp .venv-hub-$(HUB)/.stamp: extras := .[dev]
.venv-5.5/.stamp: hub := 'jupyterhub~=5.5.4'
.venv-hub-$(HUB)/.stamp: hub := $(hub-requirement)
.venv-docs/.stamp: extras := .[docs]

.venv/.stamp .venv-5.5/.stamp .venv-hub-$(HUB)/.stamp .venv-docs/.stamp: pyproject.toml package-lock.json hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
	  { echo '"$(PYTHON)" is not a Python 3.10 or newer. Name one: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo '"$(PYTHON)" cannot make environments. On Debian: apt install python3-venv'; exit 1; }
	test -x $(@D)/bin/pip || $(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --editable '$(extras)' $(hub)
	@touch $@
