"""The two steps of the endpoint's document: an owner configures an assistant, and the OpenAI SDK calls it."""

import json
import os
import subprocess

import openai
from openai import OpenAI

BASE_URL = os.environ["BASE_URL"]
MANAGE_URL = os.environ["MANAGE_URL"]
JWT = os.environ["JWT"]


def manage(method, path, body):
    """With curl, as the document has it."""
    command = ["curl", "-sS", "--fail-with-body", "-X", method, f"{MANAGE_URL}{path}"]
    headers = [f"Authorization: Bearer {JWT}", "Content-Type: application/json"]
    command += [part for header in headers for part in ("-H", header)]
    result = subprocess.run(command + ["-d", json.dumps(body)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


def ask(token, stream=False):
    client = OpenAI(api_key=token, base_url=BASE_URL, max_retries=0)
    reply = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hello! What can you do?"}], stream=stream
    )
    if stream:
        return "".join(chunk.choices[0].delta.content or "" for chunk in reply)
    return reply.choices[0].message.content


def refused(token):
    for stream in (False, True):
        try:
            ask(token, stream)
        except openai.AuthenticationError as error:
            assert error.code == "invalid_api_key", error
        else:
            raise AssertionError(f"{token} still works")


def settings(**values):
    return {"config": {"configurable": {f"type==agent/{name}": value for name, value in values.items()}}}


# Step 1
assistant = manage("POST", "/assistants", {"name": "My bot", **settings(model="openai/scenario-story")})
path = f"/assistants/{assistant['assistant_id']}"
manage("PATCH", path, settings(access_mode="public_token", public_token="pubkey_mybot_abc123"))

# Step 2
assert ask("pubkey_mybot_abc123") == ask("pubkey_mybot_abc123", stream=True) == os.environ["TEXT"]

# Rotated: the old token is out with the next call, the new one in at once.
manage("PATCH", path, settings(public_token="pubkey_mybot_def456"))
refused("pubkey_mybot_abc123")
assert ask("pubkey_mybot_def456") == os.environ["TEXT"]

print("3 passed, 0 failed")
