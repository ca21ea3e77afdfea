"""Reads the streams of tests/fixtures/streams with the providers' own SDKs: what these understand, the providers send.

ORIGIN serves them: the model's name is the stream's. Prints {name: {"text", "reasoning", "reason", "error"}}.
"""

import json
import os
import pathlib
import sys

import anthropic
import boto3
import botocore.config
from botocore.exceptions import EventStreamError
from google import genai

ORIGIN = os.environ["ORIGIN"]
STREAMS = pathlib.Path(__file__).parent.parent / "fixtures" / "streams"


def read_anthropic(name, seen):
    # The version that the endpoint pins; the SDK's own default is a newer one.
    client = anthropic.Anthropic(
        base_url=ORIGIN, api_key="a", max_retries=0, default_headers={"anthropic-version": "2023-06-01"}
    )
    messages = [{"role": "user", "content": "Hello"}]
    for event in client.messages.create(model=name, max_tokens=9, messages=messages, stream=True):
        if event.type == "content_block_delta":
            seen["text"] += getattr(event.delta, "text", "")
            seen["reasoning"] += getattr(event.delta, "thinking", "")
        elif event.type == "message_delta":
            seen["reason"] = event.delta.stop_reason


def read_bedrock(name, seen):
    config = botocore.config.Config(retries={"max_attempts": 0, "mode": "standard"})
    client = boto3.client(
        "bedrock-runtime", endpoint_url=ORIGIN, region_name="us-east-1", config=config,
        aws_access_key_id="a", aws_secret_access_key="b",
    )  # fmt: skip
    messages = [{"role": "user", "content": [{"text": "Hello"}]}]
    for event in client.converse_stream(modelId=name, messages=messages)["stream"]:
        delta = event.get("contentBlockDelta", {}).get("delta", {})
        seen["text"] += delta.get("text", "")
        seen["reasoning"] += delta.get("reasoningContent", {}).get("text", "")
        seen["reason"] = event.get("messageStop", {}).get("stopReason", seen["reason"])


def read_gemini(name, seen):
    client = genai.Client(api_key="g", http_options={"base_url": ORIGIN})
    for chunk in client.models.generate_content_stream(model=name, contents="Hello"):
        for candidate in chunk.candidates or []:
            for part in (candidate.content and candidate.content.parts) or []:
                seen["reasoning" if part.thought else "text"] += part.text or ""
            if candidate.finish_reason:
                seen["reason"] = candidate.finish_reason.value
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            seen["reason"] = chunk.prompt_feedback.block_reason.value


def main():
    found = {}
    readers = {"anthropic": read_anthropic, "bedrock": read_bedrock, "gemini": read_gemini}
    errors = (anthropic.APIError, EventStreamError, genai.errors.APIError)
    for folder, read in readers.items():
        for path in sorted((STREAMS / folder).iterdir()):
            seen = {"text": "", "reasoning": "", "reason": None, "error": False}
            try:
                read(path.stem, seen)
            except errors as error:
                seen["error"] = True
                print(path.stem, type(error).__name__, error, file=sys.stderr)
            found[path.stem] = seen
    print(json.dumps(found))


main()
