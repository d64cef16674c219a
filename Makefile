# Every command sets up what it needs first; set-up is skipped while the lock files are unchanged.

PYTHON ?= python3.13
ENV ?= dev
BIN := .venv/bin
# Until it has started what it is to run, Ctrl-C ends it without a word.
QUIET := $(BIN)/python -m delivery.interruptible
RUN := $(QUIET) pipenv run
# Set-up waits for another in this folder, and then does what that one has left undone.
ALONE = PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m delivery.alone .tools/setup.lock
# The make that macOS ships is older than this.
WHOLE_LINES := $(if $(filter output-sync,$(.FEATURES)),--output-sync=line)
RUNS := $(shell $(BIN)/python -c 'print("ok")' 2>/dev/null)

# Named by content, not by time: a checkout of another branch changes times.
PYTHON_READY := .venv/ready-$(shell cksum < Pipfile.lock | cut -d' ' -f1)
PAGE_READY := .venv/page-$(shell cksum < Pipfile.lock | cut -d' ' -f1)
NODE_READY := node_modules/ready-$(shell cksum < package-lock.json | cut -d' ' -f1)

# A file of tests shares what it has started, so it stays with one process.
AT_ONCE := --numprocesses=auto --dist=loadfile --no-loadscope-reorder

export PIPENV_VENV_IN_PROJECT := 1
export PIPENV_IGNORE_VIRTUALENVS := 1
export PIPENV_VERBOSITY := -1
export PIPENV_DONT_LOAD_ENV := 1
export CHECKPOINT_DISABLE := 1
export DISABLE_VERSION_CHECK := 1
# Byte-code written once saves seconds in every later run.
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH VIRTUAL_ENV
# Terraform stops over a configuration file that is named but not there.
ifeq ($(wildcard $(TF_CLI_CONFIG_FILE)),)
unexport TF_CLI_CONFIG_FILE
endif

.DEFAULT_GOAL := help
.PHONY: help setup rehearse test chat converse evaluate insights review synth check bench bot package unit pictures lock clean python node terraform page prerequisites

help: ## Show these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14

rehearse: setup terraform ## Take the chatbot through its pipeline to prod, on this machine, and serve it (ARGS=…, APPROVE=all|none)
	@$(RUN) rehearse $(ARGS)

test: setup terraform page ## Run every test (ARGS=… for pytest)
	@$(RUN) package 2>/dev/null >&2 || $(RUN) package
	@$(RUN) test $(or $(ARGS),$(AT_ONCE))

unit: setup ## Run the tests that the Build stage runs, which need neither Terraform nor servers
	@test -f build/lambda.zip || $(RUN) package
	@$(RUN) test tests/unit tests/infrastructure $(AT_ONCE) -p no:schemathesis --junitxml=reports/tests.xml \
		--cov --cov-report=xml:reports/coverage.xml

package: setup ## Build the function's zip, and what runs the stages after Build
	@$(RUN) package

chat: setup ## Run the bot alone on loopback (ARGS=…)
	@set -a; looks=$$($(QUIET) stacks looks) && eval "$$looks" && $(RUN) chat $(ARGS)

converse: setup ## Hold the conversations of tests/conversations, and judge the answers (ARGS=…)
	@$(RUN) converse $(ARGS)

evaluate: setup ## Measure the answers to questions of your own (KNOWLEDGE=DIR QUESTIONS=FILE.jsonl)
	@test -n '$(QUESTIONS)' || { echo 'say which: make evaluate KNOWLEDGE=DIR QUESTIONS=FILE.jsonl' >&2; exit 2; }
	@$(RUN) evaluate $(or $(KNOWLEDGE),knowledge) $(QUESTIONS) $(ARGS)

insights: setup ## Show what went unanswered and what got a thumbs-down (ENV=dev, ARGS=…)
	@test -d cdktf.out || $(RUN) synth
	@$(RUN) insights --environment $(ENV) $(ARGS)

review: setup terraform ## Print what the working tree would change in what is being rehearsed (ARGS=…)
	@$(BIN)/python -m rehearsal env > .tools/rehearsal.env
	@$(RUN) synth > .tools/synth.log 2>&1 || { cat .tools/synth.log >&2; exit 1; }
	@. ./.tools/rehearsal.env && $(BIN)/python -m delivery review $(ARGS)

synth: setup ## Package the function and synthesize every stack into cdktf.out
	@# Before cdktf, which would call errors what this says of its progress.
	@$(QUIET) delivery package
	@echo 'synthesizing the stacks …' >&2
	@$(RUN) synth

check: setup ## Lint, check the format and the types
	@$(RUN) check

bot: setup ## Make this repository your own bot (ARGS='--name Ada --accent "#7a1fa2" --knowledge DIR', --help for all)
	@$(BIN)/python -m own $(ARGS)

pictures: setup page ## Take the pictures of the page in docs/pictures anew
	@$(RUN) pictures

bench: setup ## Measure, and print every figure beside its peer's
	@$(RUN) bench $(ARGS)

setup: ## Install what the project needs, into the project
ifneq ($(wildcard $(PYTHON_READY))$(wildcard $(NODE_READY))$(RUNS),$(PYTHON_READY)$(NODE_READY)ok)
setup: prerequisites
	@$(ALONE) $(MAKE) --no-print-directory --jobs=2 $(WHOLE_LINES) python node
else
	@true
endif

terraform: setup
	@$(BIN)/python -m delivery environment > /dev/null

page: setup
ifeq ($(wildcard $(PAGE_READY)),)
	@$(ALONE) $(MAKE) --no-print-directory $(PAGE_READY)
endif
	@$(BIN)/python -m tests.page.chromium

lock: setup ## Lock the dependencies that Pipfile names
	@$(BIN)/python -m pipenv lock
	@$(BIN)/python -m delivery.lock
	@npm install --package-lock-only --no-audit --no-fund

clean: ## Remove everything that the commands above made
	rm -rf .venv .tools .rehearsal build cdktf.out node_modules reports .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

python: $(PYTHON_READY) ; @:
node: $(NODE_READY) ; @:

prerequisites:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || \
		{ echo 'Python 3.13 is missing: install it, or say where it is with make PYTHON=/path/to/python3.13' >&2; exit 2; }
	@test -e $(NODE_READY) || command -v npm > /dev/null || \
		{ echo 'npm is missing: install Node.js with npm' >&2; exit 2; }

ifneq ($(RUNS),ok)
.PHONY: $(PYTHON_READY)
endif
$(PYTHON_READY):
	@echo 'setting up: Python packages (about a minute, once)'
	@$(PYTHON) -m venv --clear .venv
	@mkdir -p .tools
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m delivery.requirements > .tools/requirements.txt
	@# Python compiles what it imports; the bindings alone have 2,100 modules that nobody does.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes \
		--requirement .tools/requirements.txt 2> .tools/pip.log || { cat .tools/pip.log >&2; exit 1; }
	@touch $@
	@echo 'setting up: Python packages are installed'

$(PAGE_READY):
	@echo 'setting up: what drives Chromium in the tests of the page (once)'
	@$(BIN)/python -m delivery.requirements page > .tools/page.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes \
		--requirement .tools/page.txt 2> .tools/page.log || { cat .tools/page.log >&2; exit 1; }
	@touch $@

$(NODE_READY):
	@echo 'setting up: Node.js and the CDKTF command line (about half a minute, once)'
	@npm ci --no-audit --no-fund --no-update-notifier --loglevel=error > /dev/null
	@# A quarter of it all is for Windows, and each cache of a build would carry it along.
	@rm -rf node_modules/@cdktf/node-pty-prebuilt-multiarch/prebuilds/win32-*
	@touch $@
	@echo 'setting up: Node.js and the CDKTF command line are installed'
