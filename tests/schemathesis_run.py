"""Both functions against their OpenAPI document: what `make verify-schemathesis` does.

    python tests/schemathesis_run.py [--examples N] [--seed N]

`assistants serve` runs both functions over a store of its own, with a provider
that streams one answer. Schemathesis sends what the document allows and what it
forbids, with the demo assistant's public token and with an owner's JWT. It fails
where a reply is not as the document says, and at every 5xx: this provider never
fails.
"""

import argparse
import http.server
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import threading

from cargo_lambda import PROGRAMS, Provider, free_port, running, wait_for

TOKEN = "pubkey_schemathesis_0001"
EXAMPLES = 100
# What each credential is for, by the paths of the document.
PUBLIC = "^/public/"
MANAGEMENT = "^/(assistants|settings|health)"
CONFIG = pathlib.Path(__file__).with_name("schemathesis.toml")
SCHEMATHESIS = pathlib.Path(sys.executable).with_name("schemathesis")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="requests an operation gets at most in a phase")
    parser.add_argument("--seed", type=int, help="of the requests; random unless given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider) as provider:
        threading.Thread(target=provider.serve_forever, daemon=True).start()
        try:
            return run(options, pathlib.Path(folder), f"http://127.0.0.1:{provider.server_port}/v1")
        finally:
            provider.shutdown()


def run(options, folder, provider_url):
    data, port = folder / "assistants.db", free_port()
    serve = [PROGRAMS / "assistants", "serve", "--port", port, "--store-port", 0, "--data", data]
    demo = ["--demo-model", "gpt-4o-mini", "--demo-token", TOKEN]
    # Nothing of the caller's own: an empty variable counts as unset.
    unset = dict.fromkeys(("JWT_ISSUER", "JWT_AUDIENCE", "JWKS_URL", "ALLOW_PRIVATE_PROVIDERS"), "")
    environment = {
        **unset,
        "JWT_SECRET": secrets.token_hex(32),
        "OPENAI_BASE_URL": provider_url,
        "OPENAI_API_KEY": "sk-of-a-test",
        "RUST_LOG": "warn",
    }
    with running(*serve, *demo, **environment) as server:
        wait_for(port, server)
        sign = [PROGRAMS / "assistants", "token", "--owner", "schemathesis"]
        jwt = subprocess.check_output(sign, env={**os.environ, **environment}, text=True).strip()
        failed = [paths for paths, key in ((PUBLIC, TOKEN), (MANAGEMENT, jwt)) if check(options, port, paths, key)]
    if failed:
        print(f"schemathesis found something under {' and '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def check(options, port, paths, key):
    """The status of Schemathesis's run over the operations whose path matches."""
    command = [SCHEMATHESIS, "--config-file", CONFIG, "run", f"http://127.0.0.1:{port}/openapi.json", "--include-path-regex", paths]
    command += ["--header", f"Authorization: Bearer {key}", "--max-examples", options.examples]
    command += ["--request-timeout", 30]
    if options.seed is not None:
        command += ["--seed", options.seed]
    return subprocess.run([str(part) for part in command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
