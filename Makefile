# Caisse in a few commands; `make` alone lists them. It needs make and Python 3.11 or later, on Linux, macOS or WSL.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
ifeq ($(OS),Windows_NT)
$(error Caisse runs on Linux, on macOS and, on Windows, in WSL)
endif
# Without its bytecode every process that starts compiles all of our code again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PACKAGES := service-kit payment-service fraud-service notification-service bank-simulator krakend
DEPLOYABLES := payment-service fraud-service notification-service bank-simulator run
COMPOSE := docker compose -f docker-compose.yml -f docker-compose.lab.yml
NETWORK := labo05-network

# What lies beside the checkout reaches tests and commands by the environment; without it they skip visibly.
KRAKEND_SCHEMA_DIR ?= $(abspath $(wildcard ../shared/data/krakend-schema-2.13/v2.13))
ifneq ($(KRAKEND_SCHEMA_DIR),)
export KRAKEND_SCHEMA_DIR
endif
NEWMAN ?= $(abspath $(wildcard .cache/newman/node_modules/.bin/newman))
ifneq ($(NEWMAN),)
export NEWMAN
endif

# An environment that is half made, was moved, or has lost its Python is made again.
$(shell [ ! -e $(VENV) ] || { grep -qsF '$(CURDIR)/$(VENV)' $(VENV)/pyvenv.cfg && $(PY) -c 'import pip' 2>/dev/null; } || rm -rf $(VENV))

.PHONY: help
help: ## List these commands
	@echo "Caisse: make <command>"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Use it
.PHONY: run demo
run: $(VENV)/.installed-run ## Start everything here; ORDERS_PER_MINUTE=200, GATEWAY_PORT=8081, … change it
	@exec $(PY) -m run up --end-with-parent

demo: $(VENV)/.installed-run ## Play an order's payment step by step (on `make run`, or on a system of its own)
	@exec $(PY) -m run demo

.PHONY: up down
up: ## Start everything in containers; GATEWAY=no leaves port 8080 to Store Manager's own gateway
	@docker network inspect $(NETWORK) >/dev/null 2>&1 || docker network create $(NETWORK) >/dev/null
ifeq ($(GATEWAY),no)
	$(COMPOSE) rm --stop --force gateway
	$(COMPOSE) -f docker-compose.without-gateway.yml up --build --detach --wait
	@echo "payments: http://localhost:5009, payments_api:5009 on $(NETWORK) · e-mails: http://localhost:8025"
else
	@project=$$(docker ps --all --filter 'name=^/?api-gateway$$' --format '{{.Names}} of {{or (.Label "com.docker.compose.project") "nobody"}}'); \
	case $$project in ''|'api-gateway of caisse') ;; *) \
	    echo "There is a container named api-gateway already (Compose project: $${project##* }), and ours needs that name. Either"; \
	    echo "  leave it there, with port 8080, and start Caisse without its own:  make up GATEWAY=no"; \
	    echo "  or remove it (docker rm --force api-gateway), start Store Manager without its own from now on"; \
	    echo "  (in its folder: docker compose up --scale krakend=0), and say make up again."; \
	    exit 1;; esac
	@# KrakenD reads its file as a user of its own, whatever the umask this checkout was made with.
	@chmod a+r krakend/*.json
	$(COMPOSE) up --build --detach --wait
	@echo "gateway: http://localhost:8080 · e-mails: http://localhost:8025 · API: http://localhost:5009/docs"
endif

down: ## Stop the containers; their data stays
	$(COMPOSE) down

##@ Check it
PYTEST := $(PY) -m pytest -n 3 --dist worksteal
INTEGRATION_SUITES := $(wildcard $(PACKAGES:%=%/tests/integration))
LINT := style formatting architecture
TYPES := types-sources $(PACKAGES:%=types-%)
CONFIGURATIONS := gateway-configuration compose-file compose-file-lab compose-file-without-gateway

# Every step runs, whatever the ones before it said; a table at the end says how each ended.
define run_each
@result=0; table="What ran:"; for step in $(1); do \
    echo "── $$step"; started=$$(date +%s); \
    case $$step in compose-*) docker compose version >/dev/null 2>&1 || \
        { table="$$table\n  $$step: skipped, docker compose is not installed"; continue; };; esac; \
    if $(MAKE) $$step; then word=passed; else word=FAILED; result=1; fi; \
    table="$$table\n  $$(printf '%-30s %s %5d s' $$step $$word $$(($$(date +%s) - started)))"; \
done; printf "$$table\n"; exit $$result
endef

.PHONY: test test-deep lint types
test: $(VENV)/.installed-dev ## Lint, types, architecture and all suites on SQLite and MariaDB
	$(call run_each,$(LINT) $(CONFIGURATIONS) types-and-suites)

test-deep: $(VENV)/.installed-dev ## Long sequences, kill tests and browsers; the integration suites on real MySQL
	$(call run_each,suites-on-mysql deep-suites)

lint: $(VENV)/.installed-dev ## Style and architecture only
	$(call run_each,$(LINT))

types: $(VENV)/.installed-dev ## Types only
	$(call run_each,$(TYPES))

# The steps of the above.
.PHONY: $(LINT) $(TYPES) $(CONFIGURATIONS) suites types-and-suites suites-on-mysql deep-suites
$(LINT) $(TYPES) gateway-configuration suites suites-on-mysql deep-suites: $(VENV)/.installed-dev

style:
	@$(PY) -m ruff check .

formatting:
	@$(PY) -m ruff format --check .

architecture:
	@$(VENV)/bin/lint-imports --no-logo --config .importlinter

types-sources:
	@$(PY) -m mypy $(PACKAGES:%=%/src) run tests conftest.py

# One run each: their modules have the same names (tests.conftest, migrations.env).
$(PACKAGES:%=types-%): types-%:
	@MYPYPATH=$* $(PY) -m mypy $(wildcard $*/tests $*/migrations)

gateway-configuration:
	@$(PY) -m gateway check

compose-file:
	@docker compose -f docker-compose.yml config --quiet

compose-file-lab:
	@$(COMPOSE) config --quiet

compose-file-without-gateway:
	@$(COMPOSE) -f docker-compose.without-gateway.yml config --quiet

# Three processes share the tests, each with database servers of its own, and two cores: some always wait. Who is
# done takes over from the others.
suites:
	@$(PYTEST) -m "not deep" --engines sqlite,mariadb

# Tests often wait for other processes; meanwhile a core can look at the types.
types-and-suites:
	@types=$$(mktemp); { $(MAKE) types >$$types 2>&1; result=$$?; cat $$types; rm -f $$types; exit $$result; } & \
	    $(MAKE) suites; result=$$?; wait $$! || result=1; exit $$result

suites-on-mysql:
	@$(PYTEST) -m "not deep" --engines mysql $(INTEGRATION_SUITES)

deep-suites:
	@$(PYTEST) -m deep --engines sqlite,mariadb,mysql

.PHONY: format bench bench-data soak
format: $(VENV)/.installed-dev ## Rewrite the code in the project's format
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .

bench: $(VENV)/.installed-dev ## Measure payments per second (11 minutes); ARGS="--engine mysql", ARGS=--help
	@exec $(PY) -m tests.load $(ARGS)

bench-data: $(VENV)/.installed-dev ## Measure with N=300000 payments in the tables; DATABASE_URL=… only fills that one
	@exec $(PY) -m tests.load.data --payments $(or $(N),300000) $(if $(DATABASE_URL),--database-url "$(DATABASE_URL)") $(ARGS)

soak: $(VENV)/.installed-dev ## Random sequences of operations for as long as you like; ARGS="--minutes 60", ARGS=--help
	@exec $(PY) -m tests.model $(ARGS)

##@ Keep it
.PHONY: docs lock newman clean
docs: $(VENV)/.installed-dev ## Write the parts of the documentation that are made from the code
	@$(PY) -m tests.docs.generate

lock: $(VENV)/.installed-dev ## Renew the pins in requirements/ (dev first: the others follow it)
	@cd requirements && for name in dev $(DEPLOYABLES); do \
	    echo "locking $$name"; \
	    [ $$name = dev ] && follow= || follow="-c dev.txt"; \
	    ../$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	        --no-emit-index-url --no-emit-find-links --no-header $$follow -o $$name.txt $$name.in || exit 1; \
	done

newman: .cache/newman/node_modules/.bin/newman ## Fetch newman for the collection's test (needs Node and npm)

clean: ## Remove what running and testing left here, databases under .run included
	rm -rf .run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# ---- the environment: made from the locked pins, and again whenever they change ----
PROJECTS := $(PACKAGES:%=%/pyproject.toml)
PIP := $(PY) -m pip --disable-pip-version-check --no-input install --progress-bar off
OWN_PACKAGES := $(PIP) --quiet --no-deps --no-build-isolation $(PACKAGES:%=-e ./%)
# pip's hundreds of lines as one that counts; what it complains about is shown.
COUNTED := awk '/^Collecting/ { printf "\r  %d packages", ++n; fflush(); next } /^Installing/ { printf ", installing"; fflush() } \
    /^(ERROR|error|WARNING|  )[^D]/ && !/Downloading|Using cached|Attempting|Found existing|Uninstalling|Successfully/ { print } END { print "" }'

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Caisse needs Python 3.11 or later, which '$(PYTHON)' is not. Name another: make PYTHON=python3.12 …"; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed-run: requirements/run.txt $(PROJECTS) | $(PY)
	@rm -f $@; echo "installing what Caisse runs on (once; a minute or two)"
	@{ $(PIP) --require-hashes -r requirements/run.txt && $(OWN_PACKAGES) && touch $@; } 2>&1 | $(COUNTED); [ -e $@ ]

$(VENV)/.installed-dev: requirements/dev.txt $(PROJECTS) | $(PY)
	@rm -f $@; echo "installing what Caisse is developed and tested with (once; two or three minutes)"
	@{ $(PIP) --require-hashes -r requirements/dev.txt && $(OWN_PACKAGES) && touch $@ $(VENV)/.installed-run; } 2>&1 | $(COUNTED); [ -e $@ ]

.cache/newman/node_modules/.bin/newman: .ci/package.json
	@mkdir -p .cache/newman && cp .ci/package.json .cache/newman/
	npm install --prefix .cache/newman --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
