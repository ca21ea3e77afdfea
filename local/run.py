"""Run the whole endpoint on this machine: what `make run` and `make invoke` do.

    python local/run.py --assistants PROGRAM [--port N] [--data FILE] [--model FILE.gguf]
    python local/run.py --assistants PROGRAM --invoke EVENT.json --endpoint PROGRAM [--model FILE.gguf]

The demo assistant's model is that of the first provider whose key is set in
the environment, else a small one served here by local/model_server.py.
Ctrl-C or SIGTERM stops everything.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

from model_server import why_not_free

# The first key that is set decides. local/model.mk reads the names too.
MODELS_BY_KEY = (
    ("OPENAI_API_KEY", "gpt-4o-mini"),
    ("ANTHROPIC_API_KEY", "claude-haiku-4-5"),
    ("GEMINI_API_KEY", "gemini-flash-latest"),
    ("MISTRAL_API_KEY", "mistral/mistral-small-latest"),
    ("GROQ_API_KEY", "groq/llama-3.1-8b-instant"),
    ("OPENROUTER_API_KEY", "openrouter/openai/gpt-4o-mini"),
    ("TOGETHER_API_KEY", "together/meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    ("FIREWORKS_API_KEY", "fireworks/accounts/fireworks/models/llama-v3p1-8b-instruct"),
    ("DEEPSEEK_API_KEY", "deepseek/deepseek-chat"),
    ("XAI_API_KEY", "xai/grok-3-mini"),
)
LOCAL_MODEL = "smollm2-135m-instruct"
OWN_MODEL = "local-model"  # what a --model file is called
MODEL_SERVER = pathlib.Path(__file__).with_name("model_server.py")
DEFAULT_PORT = 8787
OTHER_PORT = 8790
POLL_SECONDS = 0.1
STOP_SECONDS = 5


def main():
    options = parse_options()
    if not options.invoke:
        # The embedded store listens beside the endpoint.
        for port in (options.port, options.port + 1):
            trouble = why_not_free(port)
            if trouble:
                other = OTHER_PORT if options.port != OTHER_PORT else DEFAULT_PORT
                say(f"cannot listen on port {port}: {trouble}; choose another: make run PORT={other}")
                return 1
        options.data.parent.mkdir(parents=True, exist_ok=True)

    children = Children()
    children.stop_on_signals()
    try:
        return run(options, children)
    finally:
        children.stop()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--assistants", required=True, metavar="PROGRAM", help="the assistants binary")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="of the endpoint; its store's is one more")
    parser.add_argument("--data", type=pathlib.Path, help="its store's file; one of its own for each port unless given")
    parser.add_argument("--model", metavar="FILE", help="a GGUF file to serve here, whatever keys are set")
    parser.add_argument("--invoke", metavar="EVENT", help="send this one event through the Lambda binary instead")
    parser.add_argument("--endpoint", metavar="PROGRAM", help="the Lambda binary for --invoke")
    options = parser.parse_args()
    if not options.data:
        # Two runs beside each other must not share a store: each would repoint the demo assistant to its own model.
        name = "assistants" if options.port == DEFAULT_PORT else f"assistants-{options.port}"
        options.data = pathlib.Path(f".local/{name}.db")
    return options


def run(options, children):
    command = [options.assistants, *assistants_arguments(options)]
    environment = dict(os.environ)

    key, model = (None, None) if options.model else keyed_model()
    if key:
        say(f"the model is {model}, since {key} is set")
        command += ["--demo-model", model]
    else:
        base_url, model = start_local_model(options.model, children)
        if not base_url:
            return children.exit_code()
        command += ["--demo-model", model, "--demo-base-url", base_url]
        environment["ALLOW_PRIVATE_PROVIDERS"] = "true"

    program = children.start("the endpoint", command, stdin=subprocess.DEVNULL, env=environment)
    while children.running():
        time.sleep(POLL_SECONDS)
    code = program.poll()
    if options.invoke and code is not None and code >= 0:
        return code  # it is meant to end, and has said what went wrong
    return children.exit_code()


def assistants_arguments(options):
    if options.invoke:
        return ["invoke", options.invoke] + (["--binary", options.endpoint] if options.endpoint else [])
    return ["serve", "--port", str(options.port), "--store-port", str(options.port + 1), "--data", str(options.data)]


def keyed_model():
    return next(((key, model) for key, model in MODELS_BY_KEY if os.environ.get(key)), (None, None))


def start_local_model(file, children):
    """Its base URL, None if it was stopped or failed, and its name."""
    model = OWN_MODEL if file else LOCAL_MODEL
    say(f"starting {file or model} on this machine" + ("" if file else ", since no provider key is set"))
    # With its standard input held here it ends even if this process is killed.
    command = [sys.executable, str(MODEL_SERVER), "--exit-with-stdin", "--alias", model]
    if file:
        command += ["--model", file]
    server = children.start("the model server", command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    lines = []
    threading.Thread(target=lambda: lines.append(server.stdout.readline()), daemon=True).start()
    started = time.monotonic()
    dots = 0
    while not any(lines) and children.running():
        time.sleep(POLL_SECONDS)
        if time.monotonic() - started > dots + 1:
            dots += 1
            print(".", end="", file=sys.stderr, flush=True)
    if dots:
        print(file=sys.stderr, flush=True)
    ready, _, base_url = "".join(lines).strip().partition(" ")
    return (base_url if ready == "ready" else None), model


class Children:
    """The programs started here, which live and end together."""

    def __init__(self):
        self.started = []
        self.asked_to_stop = False

    def stop_on_signals(self):
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # nohup has the hang-up ignored, and it should stay so.
            if number and not (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):
                signal.signal(number, self.note_signal)

    def note_signal(self, *_):
        # No exception: it could come between a start and its being noted.
        self.asked_to_stop = True

    def start(self, name, command, **options):
        try:
            child = subprocess.Popen(command, **options)
        except OSError as error:
            say(f"cannot start {name}: {command[0]}: {error.strerror}")
            sys.exit(1)
        self.started.append((name, child))
        return child

    def running(self):
        return not self.asked_to_stop and all(child.poll() is None for _, child in self.started)

    def exit_code(self):
        """0 when asked to stop, else that of the one that ended by itself."""
        # Ctrl-C reaches the children too: give our own signal time to arrive.
        time.sleep(POLL_SECONDS)
        if self.asked_to_stop:
            return 0
        for name, child in self.started:
            code = child.poll()
            if code is not None:
                say(f"{name} ended by itself, " + (f"code {code}" if code >= 0 else f"signal {-code}"))
                return code if code >= 0 else 128 - code
        return 0

    def stop(self):
        # The latest first, so that the endpoint can end its replies.
        for name, child in reversed(self.started):
            child.terminate()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                say(f"{name} did not stop within {STOP_SECONDS} s: killing it")
                child.kill()
                child.wait()


def say(message):
    print(f"run: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
