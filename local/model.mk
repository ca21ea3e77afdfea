# The model served on this machine: its environments, and the tests' own model.
# Included by the Makefile; paths are relative to the project's folder.

PYTHON ?= python3

MODEL_VENV := .local/venv/.installed
TEST_VENV := .local/test-venv/.installed
TINY_MODEL := .local/tiny.gguf

# The stamps are touched last, so that an interrupted install is done again.
$(MODEL_VENV): local/requirements.txt
	$(call new-venv,$(@D))
	$(@D)/bin/pip install $(PIP_FLAGS) --no-deps -r local/requirements.txt
	@touch $@

$(TEST_VENV): tests/requirements.txt local/requirements.txt
	$(call new-venv,$(@D))
	$(@D)/bin/pip install $(PIP_FLAGS) -r tests/requirements.txt
	$(@D)/bin/pip install $(PIP_FLAGS) --no-deps -r local/requirements.txt
	@touch $@

$(TINY_MODEL): local/tiny_model.py $(TEST_VENV)
	.local/test-venv/bin/python local/tiny_model.py $@

PIP_FLAGS := --quiet --disable-pip-version-check

define new-venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	{ echo "The local model needs Python 3.10 or later: make PYTHON=python3.12 ..." >&2; exit 1; }
@echo "Installing into $(1) (about 130 MB the first time)"
@$(PYTHON) -m venv --clear $(1)
endef
