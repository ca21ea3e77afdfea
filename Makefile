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
