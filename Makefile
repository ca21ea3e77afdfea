# What a user and CI run. Everything that is installed goes to .local/, everything built to target/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
PORT ?= 8787
CARGO_FEATURES := --features cli

.PHONY: help run invoke test check fmt lint docs clean

help:
	@echo "make run                     the endpoint on http://127.0.0.1:$(PORT) with a demo assistant and a real model"
	@echo "make invoke EVENT=FILE       one sample event (events/*.json) through the Lambda binary"
	@echo "make test                    all tests, installing what they need"
	@echo "make check                   formatting, lints, docs, template, then all tests: what CI runs"
	@echo "make bench                   the benchmarks"
	@echo "make build / make deploy     the Lambda zip (arm64) / SAM deployment"

include local/model.mk
include deploy/template.mk

# $(LOCAL_MODEL) is empty where a provider's key is set: its model answers then, and none is installed.
run: $(LOCAL_MODEL)
	cargo build $(CARGO_FEATURES) --bin assistants
	@exec $(RUN_PYTHON) local/run.py --assistants target/debug/assistants --port $(PORT)

invoke: $(LOCAL_MODEL)
	@test -n "$(EVENT)" || { echo "Which event? For example: make invoke EVENT=events/chat-stream.json"; exit 2; }
	cargo build $(CARGO_FEATURES) --bin assistants --bin endpoint
	@exec $(RUN_PYTHON) local/run.py --assistants target/debug/assistants --invoke "$(EVENT)" --endpoint target/debug/endpoint

# The clients, the tiny model and the template's linters are installed first, so that no test finds something missing.
test: $(TEST_VENV)/.stamp $(TINY_MODEL)
	INSTA_UPDATE=no cargo test $(CARGO_FEATURES)

check: fmt lint docs template-check test

fmt:
	cargo fmt --check

lint:
	cargo clippy --all-targets $(CARGO_FEATURES) -- --deny warnings
	cargo clippy --lib --bin endpoint -- --deny warnings

docs:
	RUSTDOCFLAGS="--deny warnings" cargo doc --no-deps --document-private-items $(CARGO_FEATURES)

clean:
	rm -rf target .local .aws-sam tests/clients/node_modules
