"""The sample events through cargo-lambda's emulator, as a user runs it: what `make verify-cargo-lambda` does.

    python tests/cargo_lambda.py

The emulator (`cargo lambda watch --only-lambda-apis`) sends a deadline in 1970
and a URL as AWS_LAMBDA_RUNTIME_API. Each event is sent with `cargo lambda
invoke`, and where the answer is an error, by HTTP: `invoke` shows no error that
has not the form of a crashed function's.
"""

import contextlib
import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "target" / "debug"
ANSWER = "Ahoy"
START_SECONDS = 20
INVOKE_SECONDS = 30


class Provider(http.server.BaseHTTPRequestHandler):
    """Streams one answer, in the bytes of OpenAI's API."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for choice in ({"delta": {"content": ANSWER}}, {"delta": {}, "finish_reason": "stop"}):
            chunk = {"choices": [{"index": 0, **choice}]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    """Waits until somebody listens on a port."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended at its start with status {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    sys.exit(f"{process.args[0]} does not listen on port {port}")


@contextlib.contextmanager
def running(*command, **environment):
    process = subprocess.Popen([str(part) for part in command], env={**os.environ, **environment}, cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def invoke(port, event):
    command = ["cargo", "lambda", "invoke", "-A", "127.0.0.1", "-P", str(port), "--data-file", f"events/{event}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=INVOKE_SECONDS, check=True)
    return done.stdout


def post(port, event):
    body = (ROOT / "events" / event).read_bytes()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/2015-03-31/functions/_/invocations", body)
    try:
        with urllib.request.urlopen(request, timeout=INVOKE_SECONDS) as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def check(event, answer, *expected):
    missing = [text for text in expected if text not in answer]
    if missing:
        sys.exit(f"{event}: {missing[0]} is not in the answer: {answer}")
    print(f"{event}: as expected")


def main():
    provider = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    emulator_port, port, store_port = free_port(), free_port(), free_port()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        serve = (PROGRAMS / "assistants", "serve", "--port", port, "--store-port", store_port)
        demo = ("--demo-model", "demo", "--demo-base-url", f"http://127.0.0.1:{provider.server_port}/v1")
        data = ("--data", f"{folder}/assistants.db")
        server = stack.enter_context(running(*serve, *demo, *data, ALLOW_PRIVATE_PROVIDERS="true"))
        wait_for(store_port, server)
        watch = ("cargo", "lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", emulator_port)
        wait_for(emulator_port, stack.enter_context(running(*watch)))
        function = stack.enter_context(running(
            PROGRAMS / "endpoint",
            AWS_LAMBDA_RUNTIME_API=f"http://127.0.0.1:{emulator_port}/.rt",
            AWS_LAMBDA_FUNCTION_NAME="_",
            AWS_LAMBDA_FUNCTION_VERSION="1",
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE="4096",
            AWS_ACCESS_KEY_ID="local",
            AWS_SECRET_ACCESS_KEY="local",
            AWS_REGION="us-east-1",
            AWS_ENDPOINT_URL_DYNAMODB=f"http://127.0.0.1:{store_port}",
            ASSISTANTS_TABLE="Assistants",
            TOKEN_CLAIMS_TABLE="TokenClaims",
            ALLOW_PRIVATE_PROVIDERS="true",
        ))
        time.sleep(1)
        if function.poll() is not None:
            sys.exit("the function ended at its start")
        for event in ("chat.json", "chat-multi-turn.json", "chat-base64-body.json"):
            check(event, invoke(emulator_port, event), '"object":"chat.completion"', ANSWER, '"finish_reason":"stop"')
        check("chat-stream.json", invoke(emulator_port, "chat-stream.json"), ANSWER, "data: [DONE]")
        check("models.json", invoke(emulator_port, "models.json"), '"id":"demo"')
        check("preflight.json", invoke(emulator_port, "preflight.json"))
        check("missing-token.json", post(emulator_port, "missing-token.json"), "missing_authentication_token")
        check("invalid-token.json", post(emulator_port, "invalid-token.json"), "invalid_api_key")


if __name__ == "__main__":
    main()
