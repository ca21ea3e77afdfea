# The model served on this machine, and the tests' own. Paths are from the project's root. To be included after the
# Makefile's first target.

PYTHON ?= python3
MODEL_VENV := .local/venv
TEST_VENV := .local/test-venv
TINY_MODEL := .local/tiny.gguf

# LOCAL_MODEL is what `make run` has to install first: nothing where a provider's key is set.
PROVIDER_KEYS := $(shell grep -oE '[A-Z]+_API_KEY' local/run.py)
ifeq ($(strip $(foreach key,$(PROVIDER_KEYS),$($(key)))),)
LOCAL_MODEL := $(MODEL_VENV)/.stamp
RUN_PYTHON := $(MODEL_VENV)/bin/python
else
LOCAL_MODEL :=
RUN_PYTHON := $(PYTHON)
endif

# Each venv is made anew when its requirements change. The stamp comes last: an interrupted install starts over.
$(MODEL_VENV)/.stamp: local/requirements.txt
	$(new-venv)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps -r local/requirements.txt
	@touch $@

$(TEST_VENV)/.stamp: tests/requirements.txt local/requirements.txt
	$(new-venv)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps -r local/requirements.txt
	@touch $@

$(TINY_MODEL): local/tiny_model.py $(TEST_VENV)/.stamp
	$(TEST_VENV)/bin/python local/tiny_model.py $@

define new-venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	{ echo "The local model needs Python 3.10 or later: make PYTHON=python3.12 ..." >&2; exit 1; }
@echo "Installing into $(@D), about 130 MB"
@rm -rf $(@D)
@$(PYTHON) -m venv $(@D)
endef
