# Everything a developer, CI and an operator do, each by one command. `make` alone lists them.

PYTHON ?= python3
RUN := .venv/bin/python
HERE := $(CURDIR)
# The stack that connect, settings, secret, token, backfill, written, chat, quarantine, replay, causes, erase and recount
# work on: one of your account's, or STACK=local.
STACK ?= followthrough
ON_STACK = PYTHONPATH=infra/local $(RUN) infra/with_stack.py $(STACK)
export SAM_CLI_TELEMETRY := 0
# PYTHON only says what .venv is made with: the layers' own Makefile, which runs below this one, has to use .venv's.
MAKEOVERRIDES :=

.DEFAULT_GOAL := help
.PHONY: help run up down test simulate bench fuzz rises check format lock build deploy connect settings secret token backfill written chat quarantine replay causes erase recount preview messages

help: ## list what `make` can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/installed ## start everything on this machine and watch closures become outcomes
	@$(RUN) infra/local/run.py

up: .venv/installed ## start everything on this machine, in the background
	@$(RUN) infra/local/up.py

down: ## stop what `make up` started
	@if [ -x $(RUN) ]; then $(RUN) infra/local/down.py; else echo "Nothing was up."; fi

test: .venv/installed ## prove it: all tests, the last of them in a browser against a stack of their own
	@.ci/test

simulate: .venv/installed ## the product in many worlds of faults: make simulate WORLDS=1000 SEED=1
	@$(RUN) tests/simulation/runner.py --worlds $(or $(WORLDS),200) --seed $(or $(SEED),1) --size $(or $(SIZE),12)

bench: .venv/installed ## measure speed and cost, and write docs/performance.md (QUICK=1: a few minutes)
	@PYTHONPATH=functions:infra:infra/local:tests $(RUN) -m benchmark.run $(if $(QUICK),--quick)

fuzz: .venv/installed ## requests that nobody would send, through the hook: make fuzz COUNT=100000 SEED=1
	@PYTHONPATH=functions:infra:tests $(RUN) tests/fuzz.py --count $(or $(COUNT),100000) --seed $(or $(SEED),1)

rises: .venv/installed ## two years of closures with planted rises: what is found, how late, what is cried falsely
	@PYTHONPATH=functions:infra:infra/local:tests $(RUN) tests/benchmark/rises.py --companies $(or $(COMPANIES),1) --seed $(or $(SEED),1)

check: .venv/installed ## format, lint, types and template, without changing anything
	$(RUN) -m ruff format --check
	$(RUN) -m ruff check
	$(RUN) -m mypy
	@AWS_DEFAULT_REGION=eu-west-1 $(RUN) -m samcli validate --lint

format: .venv/installed ## put the code in order
	$(RUN) -m ruff format
	$(RUN) -m ruff check --fix

preview: .venv/installed ## write every mail and page with sample data into .local/preview (LANGUAGE=de, SCREENSHOTS=no)
	@$(RUN) infra/preview.py $(if $(findstring command,$(origin LANGUAGE)),--language $(LANGUAGE)) $(if $(filter no,$(SCREENSHOTS)),--no-screenshots)

messages: .venv/installed ## bring the catalogues up to date after a sentence was changed (NEW=fi starts a language)
	@$(RUN) infra/catalogues.py $(if $(NEW),--new $(NEW))

connect: .venv/installed ## connect a helpdesk and see how it is understood: make connect SOURCE=zendesk FILE=my-settings.yaml (CHECK=body.json only looks)
	@$(if $(CHECK),$(RUN),$(ON_STACK)) infra/connect.py $(or $(SOURCE),$(error which? make connect SOURCE=zendesk)) \
		$(if $(FILE),--settings "$(FILE)") $(if $(CHECK),--check "$(CHECK)") $(if $(VERIFY),--verify)

settings: .venv/installed ## check and store a settings file: make settings FILE=my-settings.yaml
	@$(ON_STACK) infra/apply_settings.py "$(or $(FILE),$(error which file? make settings FILE=my-settings.yaml))"

secret: .venv/installed ## store a helpdesk's signing secret, typed or piped: make secret SOURCE=zendesk
	@$(ON_STACK) infra/set_secret.py $(or $(SOURCE),$(error whose? make secret SOURCE=zendesk)) $(if $(GENERATE),--generate) $(if $(RETIRE),--retire-old)

token: .venv/installed ## store the token for a helpdesk's API, typed or piped: make token SOURCE=zendesk
	@$(ON_STACK) infra/set_secret.py $(or $(SOURCE),$(error whose? make token SOURCE=zendesk)) --api

backfill: .venv/installed ## open what a helpdesk closed in a span: make backfill SOURCE=zendesk FROM=2026-11-01 TO=2026-11-20
	@$(ON_STACK) infra/backfill.py $(or $(SOURCE),$(error whose? make backfill SOURCE=zendesk FROM=2026-11-01 TO=2026-11-20)) \
		$(or $(FROM),$(error from which day? FROM=2026-11-01)) $(or $(TO),$(error to which day? TO=2026-11-20)) \
		$(if $(YES),--yes) $(if $(ESTIMATE),--estimate)

written: .venv/installed ## list what helpdesks were told, or would be told in a dry run: make written SOURCE=zendesk
	@$(ON_STACK) infra/written.py $(if $(SOURCE),--source $(SOURCE)) $(if $(OPEN),--open)

chat: .venv/installed ## store the address of a chat channel, typed or piped: make chat NAME=process-owners
	@$(ON_STACK) infra/set_chat.py $(or $(NAME),$(error which? make chat NAME=process-owners)) $(if $(REMOVE),--remove)

quarantine: .venv/installed ## list the webhooks that could not be used
	@$(ON_STACK) infra/quarantine.py

replay: .venv/installed ## take one of them in again: make replay ID=...
	@$(ON_STACK) infra/quarantine.py '$(or $(ID),$(error which? make quarantine lists them))'

causes: .venv/installed ## count the causes of a period and list values that nobody mapped: make causes DAYS=90
	@$(ON_STACK) infra/causes.py $(if $(DAYS),--days $(DAYS))

erase: .venv/installed ## erase what is kept about one customer: make erase CUSTOMER=ana@customer.example
	@$(ON_STACK) infra/erase.py "$(or $(CUSTOMER),$(error whom? make erase CUSTOMER=ana@customer.example))" $(if $(YES),--yes)

recount: .venv/installed ## count all causes anew and wait until it is done
	@$(ON_STACK) infra/causes.py --recount

build: .venv/installed ## build what `make deploy` uploads, and deploy nothing
	find functions -name __pycache__ -prune -exec rm -rf {} +
	@if python3.13 -c '' 2>/dev/null; then python3.13 -m compileall -q --invalidation-mode checked-hash functions; \
	else echo "No python3.13 here: the functions ship without compiled files and start a little later."; fi
	PYTHON="$(HERE)/$(RUN)" $(RUN) -m samcli build --no-cached

deploy: build ## build for AWS and deploy to your account (asks before it changes anything; ASK=1 asks everything again)
	$(RUN) -m samcli deploy $(if $(ASK),--guided,$(if $(wildcard .aws-sam/deployed),,--guided))
	@touch .aws-sam/deployed

lock: .venv/installed ## pin the newest allowed versions of all packages, with their hashes
	@cd requirements && for file in uv development; do "$(HERE)/$(RUN)" -m uv pip compile --quiet --upgrade --universal \
		--python-version 3.11 --generate-hashes --no-header --output-file $$file.txt $$file.in; done
	@cd infra/dependencies && "$(HERE)/$(RUN)" -m uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-header --constraint ../../requirements/development.txt \
		--output-file requirements.txt requirements.in && "$(HERE)/$(RUN)" -m uv pip compile --quiet --upgrade --universal \
		--python-version 3.11 --generate-hashes --no-header --constraint ../../requirements/development.txt \
		--output-file chat.txt chat.in

.venv/installed: requirements/uv.txt requirements/development.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; \
	name one with: make PYTHON=python3.13"; exit 1; }
	@echo "Installing the tools into .venv: about half a minute, once."
	@$(PYTHON) -m venv .venv || { echo "Python's venv is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/uv.txt
	@$(RUN) infra/install.py requirements/development.txt
	@touch $@
