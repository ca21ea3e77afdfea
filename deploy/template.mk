# Checking, building and deploying the Lambda functions. Paths are from the project's root. To be included after the
# Makefile's first target, or make's default would be a venv.

PYTHON ?= python3
SAM_VENV := .local/sam-venv
BUILD_VENV := .local/build-venv
# Without credentials or a region of one's own: nothing here talks to AWS.
OFFLINE := AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0
# cargo finds cargo-lambda, and cargo-lambda finds zig (`python3 -m ziglang`), through the PATH.
BUILD_PATH := PATH="$(CURDIR)/$(BUILD_VENV)/bin:$$PATH"

.PHONY: template-check build deploy build-tools

# Each venv is made anew when its requirements change. The stamp comes last: an interrupted install starts over.
$(SAM_VENV)/.stamp: deploy/requirements.txt
$(BUILD_VENV)/.stamp: deploy/requirements-build.txt
$(SAM_VENV)/.stamp $(BUILD_VENV)/.stamp:
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

template-check: $(SAM_VENV)/.stamp
	$(OFFLINE) $(SAM_VENV)/bin/sam validate --lint
	$(SAM_VENV)/bin/cfn-lint template.yaml
	$(SAM_VENV)/bin/python deploy/check_template.py --self-test
	$(SAM_VENV)/bin/python deploy/check_template.py

build-tools: $(BUILD_VENV)/.stamp
	rustup target add aarch64-unknown-linux-gnu

# Leaves target/lambda/endpoint/bootstrap.zip and target/lambda/manage/bootstrap.zip, for those who deploy without SAM.
build: build-tools
	$(BUILD_PATH) cargo lambda build --release --arm64 --bin endpoint --bin manage --output-format zip

# Needs AWS credentials. Until samconfig.toml has a region it asks for everything and offers to save the answers there;
# "has no authentication. Is this okay?", of both functions, is meant so: they check tokens and JWTs themselves.
deploy: build-tools $(SAM_VENV)/.stamp
	$(BUILD_PATH) $(SAM_VENV)/bin/sam build
	if grep -qE '^[[:space:]]*region[[:space:]]*=' samconfig.toml; \
	then $(SAM_VENV)/bin/sam deploy; else $(SAM_VENV)/bin/sam deploy --guided; fi
