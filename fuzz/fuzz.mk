# Fuzzing with libFuzzer, which needs a nightly toolchain (`rustup toolchain install nightly`). What it finds worth keeping goes
# to fuzz/corpus, which `make test` replays without any of this.

CARGO_FUZZ_VERSION := 0.13.1
CARGO_FUZZ := .local/cargo-fuzz/bin/cargo-fuzz
NIGHTLY ?= nightly
FUZZ_SECONDS ?= 600
FUZZ_TARGETS := $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))
TARGET ?= $(FUZZ_TARGETS)

.PHONY: fuzz

# Each target adds to its corpus the inputs that reach code that none there has reached, as few as will do. All targets run; one
# that fails leaves its input in fuzz/artifacts, and makes the whole fail.
fuzz: $(CARGO_FUZZ)
	@failed=; for target in $(TARGET); do \
		kept=fuzz/corpus/$$target; found=target/fuzz-found/$$target; mkdir -p $$kept $$found; \
		run() { PATH="$(dir $(abspath $(CARGO_FUZZ))):$$PATH" cargo +$(NIGHTLY) fuzz run --target-dir target/fuzz $$target "$$@"; }; \
		echo "== $$target: $(FUZZ_SECONDS) seconds"; \
		run $$found $$kept -- -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=20 -print_final_stats=1 -verbosity=0 || failed="$$failed $$target"; \
		run $$kept $$found -- -set_cover_merge=1 -use_counters=0 -verbosity=0 || failed="$$failed $$target"; \
	done; test -z "$$failed" || { echo "Failed:$$failed. The inputs are in fuzz/artifacts."; exit 1; }

$(CARGO_FUZZ):
	cargo install cargo-fuzz --version $(CARGO_FUZZ_VERSION) --locked --root .local/cargo-fuzz
