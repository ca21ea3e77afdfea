# What a user and CI run. Everything that is installed goes to .local/, everything built to target/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
PORT ?= 8787
CARGO_FEATURES := --features cli

# The tests that `make test` leaves out because they take long or need tools of their own, each by name with a rule below. A
# Rust test is left out with `#[ignore = "long: `make verify-…`"]`.
VERIFY := verify-clients verify-cargo-lambda verify-schemathesis verify-supply-chain verify-page fuzz

.PHONY: help run invoke token test test-page verify $(VERIFY) bench soak check fmt lint docs clean

help:
	@echo "make run                     the endpoint on http://127.0.0.1:$(PORT) with a demo assistant and a real model"
	@echo "make invoke EVENT=FILE       one sample event (events/*.json) through the Lambda binary"
	@echo "make token OWNER=me          a JWT for the management API"
	@echo "make test                    the tests, installing what they need"
	@echo "make test-page               of them, those of the settings page in Chromium"
	@echo "make verify                  the long tests, all of them: $(VERIFY)"
	@echo "make check                   formatting, lints, docs, template, then the tests: what CI runs"
	@echo "make fuzz                    every fuzz target for FUZZ_SECONDS=600; one of them with TARGET=sse"
	@echo "make bench                   the benchmarks"
	@echo "make soak                    many streams at once and many invocations: memory and sockets stay as they are"
	@echo "make build / make deploy     the Lambda zip (arm64) / SAM deployment"

CLIENTS_VENV := .local/clients-venv
NODE_MODULES := tests/clients/node_modules
BROWSER_MODULES := tests/browser/node_modules
SCHEMATHESIS_VENV := .local/schemathesis-venv
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := .local/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny

include local/model.mk
include deploy/template.mk
include fuzz/fuzz.mk

# The clients, the tiny model and the template's linters are installed first, so that no test finds something missing.
TEST_TOOLS := $(TEST_VENV)/.stamp $(CLIENTS_VENV)/.stamp $(NODE_MODULES)/.stamp $(TINY_MODEL)

# $(LOCAL_MODEL) is empty where a provider's key is set: its model answers then, and none is installed.
run: $(LOCAL_MODEL)
	cargo build $(CARGO_FEATURES) --bin assistants
	@exec $(RUN_PYTHON) local/run.py --assistants target/debug/assistants --port $(PORT)

invoke: $(LOCAL_MODEL)
	@test -n "$(EVENT)" || { echo "Which event? For example: make invoke EVENT=events/chat-stream.json"; exit 2; }
	cargo build $(CARGO_FEATURES) --bin assistants --bin endpoint
	@exec $(RUN_PYTHON) local/run.py --assistants target/debug/assistants --invoke "$(EVENT)" --endpoint target/debug/endpoint

# A test that fails leaves out none of the others.
test: $(TEST_TOOLS)
	@failed=0; \
	INSTA_UPDATE=no cargo test --no-fail-fast $(CARGO_FEATURES) || failed=1; \
	$(MAKE) --no-print-directory test-page || failed=1; \
	exit $$failed

# What owners do on the settings page, in a real browser: CHROMIUM=, or one on the PATH, or as root on Debian its own.
# Without one, nothing of it is tested, and a line says so.
PAGE_TESTS ?= edits elsewhere keyboard markdown page settings sign-in snippets stream trouble try
test-page: $(TEST_TOOLS) $(BROWSER_MODULES)/.stamp
	cargo build $(CARGO_FEATURES) --bin assistants
	@find_chromium() { echo "$${CHROMIUM:-$$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}"; }; \
	chromium="$$(find_chromium)"; \
	if [ -z "$$chromium" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null || true; \
		chromium="$$(find_chromium)"; \
	fi; \
	if [ -z "$$chromium" ]; then echo "The settings page was NOT tested: no Chromium is on the PATH. Install one, or set CHROMIUM to its program." >&2; exit 0; fi; \
	cd tests/browser && CHROMIUM="$$chromium" PYTHON="$(abspath $(TEST_VENV))/bin/python" CLIENTS_PYTHON="$(abspath $(CLIENTS_VENV))/bin/python" \
		$(PAGE_SETTINGS) node --test --test-reporter=spec $(PAGE_TESTS:%=%.test.js)

verify: $(VERIFY)

# Every client program against every provider's API; `make test` runs all against OpenAI's and two against the others.
verify-clients: $(TEST_TOOLS)
	cargo test $(CARGO_FEATURES) --test api -- --ignored clients

# The sample events through cargo-lambda's emulator.
verify-cargo-lambda: $(BUILD_VENV)/.stamp
	cargo build $(CARGO_FEATURES) --bin assistants --bin endpoint
	$(BUILD_PATH) $(PYTHON) tests/cargo_lambda.py

# What OpenAPI's document allows and forbids, against both functions.
verify-schemathesis: $(SCHEMATHESIS_VENV)/.stamp
	cargo build $(CARGO_FEATURES) --bin assistants
	$(SCHEMATHESIS_VENV)/bin/python tests/schemathesis_run.py

$(SCHEMATHESIS_VENV)/.stamp: tests/requirements-schemathesis.txt
	$(new-venv)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# Every view of the settings page, light and dark, wide and on a phone: what axe finds, and pictures of all in SCREENSHOTS.
SCREENSHOTS ?= $(CURDIR)/target/screenshots
verify-page:
	@$(MAKE) --no-print-directory test-page PAGE_TESTS=accessible PAGE_SETTINGS='SCREENSHOTS=$(SCREENSHOTS)'
	@echo "The pictures are in $(SCREENSHOTS)."

# Licences, duplicates and sources of all crates, by deny.toml; known vulnerabilities where the advisories can be fetched.
verify-supply-chain: $(CARGO_DENY)
	$(CARGO_DENY) check licenses bans sources
	@if git ls-remote --exit-code https://github.com/RustSec/advisory-db HEAD >/dev/null 2>&1; \
	then $(CARGO_DENY) check advisories; \
	else echo "The advisories were NOT checked: github.com/RustSec/advisory-db cannot be reached." >&2; fi

# One folder a version, so that another version is installed anew.
$(CARGO_DENY):
	cargo install --quiet --locked --root .local/cargo-deny-$(CARGO_DENY_VERSION) --version $(CARGO_DENY_VERSION) cargo-deny

# LiteLLM needs an older SDK than the newest, so these clients have an environment of their own.
$(CLIENTS_VENV)/.stamp: tests/requirements-clients.txt
	$(new-venv)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(NODE_MODULES)/.stamp: tests/clients/package-lock.json
	cd tests/clients && npm ci
	@touch $@

$(BROWSER_MODULES)/.stamp: tests/browser/package-lock.json
	cd tests/browser && npm ci
	@touch $@

# The binaries as they are deployed; the program that measures them need not be optimized.
bench:
	cargo build --release --bin endpoint --example hello
	cargo bench --profile dev $(CARGO_FEATURES) --bench endpoint -- target/release/endpoint target/release/examples/hello

# The function as it is deployed, the server as `make run` starts it. SOAK_STREAMS and SOAK_INVOCATIONS make it shorter.
soak:
	cargo build --release --bin endpoint
	cargo build $(CARGO_FEATURES) --bin assistants
	ulimit -n "$$(ulimit -H -n)"; cargo bench --profile dev $(CARGO_FEATURES) --bench soak -- target/release/endpoint target/debug/assistants

check: fmt lint docs template-check test

fmt:
	cargo fmt --check

lint:
	cargo clippy --all-targets $(CARGO_FEATURES) -- --deny warnings
	cargo clippy --lib --bin endpoint --bin manage -- --deny warnings

docs:
	RUSTDOCFLAGS="--deny warnings" cargo doc --no-deps --document-private-items $(CARGO_FEATURES)

clean:
	rm -rf target .local .aws-sam tests/clients/node_modules tests/browser/node_modules fuzz/artifacts

# Signs a JWT for the management API: of the local run, or of a deployed stack with STACK=assistant-endpoint.
OWNER ?= me
token:
	@cargo build --quiet $(CARGO_FEATURES) --bin assistants
	@target/debug/assistants token --owner "$(OWNER)" $(if $(STACK),--secret-id "$$(aws cloudformation describe-stacks \
		--stack-name $(STACK) --query "Stacks[0].Outputs[?OutputKey=='JwtSecretArn'].OutputValue" --output text)")
