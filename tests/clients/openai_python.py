"""The official OpenAI Python SDK: sync, async, buffered, streamed, and every error."""

import asyncio
import json
import os

import openai
from openai import AsyncOpenAI, OpenAI

BASE_URL = os.environ["BASE_URL"]
TOKENS = json.loads(os.environ["TOKENS"])
TEXT = os.environ["TEXT"]
HELLO = [{"role": "user", "content": "Hello! What can you do?"}]
CUT_OFF = ["cut", "ends", "error_event", "stall"]

# Status errors before the first byte: token -> exception, code.
ERRORS = {
    "invalid": (openai.AuthenticationError, "invalid_api_key"),
    "not_public": (openai.PermissionDeniedError, "public_access_disabled"),
    "deleted": (openai.NotFoundError, "assistant_not_found"),
    "rejected": (openai.BadRequestError, "context_length_exceeded"),
    "bad_key": (openai.InternalServerError, "provider_authentication_failed"),
    "unknown_model": (openai.InternalServerError, "provider_model_not_found"),
    "rate_limited": (openai.RateLimitError, "rate_limit_exceeded"),
    "quota": (openai.RateLimitError, "insufficient_quota"),
    "outage": (openai.InternalServerError, "provider_error"),
    "overloaded": (openai.InternalServerError, "provider_overloaded"),
    "silent": (openai.InternalServerError, "provider_timeout"),
    "misconfigured": (openai.InternalServerError, "assistant_misconfigured"),
}


def client(name, kind=OpenAI, **options):
    return kind(api_key=TOKENS[name], base_url=BASE_URL, max_retries=0, **options)


def raises(expected, call):
    try:
        call()
    except expected as error:
        return error
    raise AssertionError(f"no {expected.__name__}")


def buffered():
    response = client("story").chat.completions.create(model="gpt-4o", messages=HELLO)
    assert response.choices[0].message.content == TEXT, response
    assert response.choices[0].finish_reason == "stop"
    assert response.usage.total_tokens == 21
    for reason in ["length", "content_filter"]:
        response = client(reason).chat.completions.create(model="gpt-4o", messages=HELLO)
        assert response.choices[0].finish_reason == reason, response


def streamed():
    # As in the document: no chunk is without a choice unless usage was asked for.
    stream = client("story").chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
    text = ""
    for chunk in stream:
        if chunk.choices[0].delta.content:
            text += chunk.choices[0].delta.content
    assert text == TEXT, text

    stream = client("story").chat.completions.create(
        model="gpt-4o", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert chunks[-1].usage.total_tokens == 21 and chunks[-1].choices == []
    assert all(chunk.usage is None for chunk in chunks[:-1])


def stream_helper():
    with client("story").chat.completions.stream(model="gpt-4o", messages=HELLO) as stream:
        events = [event.type for event in stream]
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content == TEXT
    assert events.count("content.delta") == 3 and events[-1] == "content.done", events


def multi_turn():
    echo = client("echo")
    messages = [{"role": "user", "content": "My name is Alice"}]
    response = echo.chat.completions.create(model="gpt-4o", messages=messages)
    messages.append({"role": "assistant", "content": response.choices[0].message.content})
    messages.append({"role": "user", "content": "What's my name?"})
    response = echo.chat.completions.create(model="gpt-4o", messages=messages)
    assert response.choices[0].message.content == "4|You are Ada.|What's my name?", response


def models():
    listed = client("story").models.list().data
    assert len(listed) == 1 and client("story").models.retrieve("gpt-4o").id == listed[0].id


def errors():
    for name, (kind, code) in ERRORS.items():
        for stream in [False, True]:
            call = lambda: client(name).chat.completions.create(model="gpt-4o", messages=HELLO, stream=stream)
            error = raises(kind, call)
            assert error.code == code and error.body["message"] and "param" in error.body, (name, error.body)
    # No token at all.
    anonymous = OpenAI(api_key="-", base_url=BASE_URL, max_retries=0, default_headers={"Authorization": "Bearer"})
    error = raises(openai.AuthenticationError, lambda: anonymous.chat.completions.create(model="m", messages=HELLO))
    assert error.code == "missing_authentication_token", error


def cut_off():
    for name in CUT_OFF:
        seen = []

        def read():
            stream = client(name).chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
            seen.extend(chunk.choices[0] for chunk in stream)

        error = raises(openai.APIError, read)
        assert error.code in ("provider_error", "provider_timeout"), (name, error.code)
        assert "".join(choice.delta.content or "" for choice in seen) == "Once upon", name
        assert all(choice.finish_reason is None for choice in seen), name
        raises(
            openai.InternalServerError,
            lambda: client(name).chat.completions.create(model="gpt-4o", messages=HELLO),
        )


async def asynchronous():
    story = client("story", AsyncOpenAI)
    response = await story.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert response.choices[0].message.content == TEXT
    stream = await story.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
    assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == TEXT
    for name in CUT_OFF:
        stream = await client(name, AsyncOpenAI).chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        try:
            async for _ in stream:
                pass
        except openai.APIError:
            continue
        raise AssertionError(name)


CHECKS = [buffered, streamed, stream_helper, multi_turn, models, errors, cut_off]
for check in CHECKS:
    check()
asyncio.run(asynchronous())
print(f"{len(CHECKS) + 1} passed, 0 failed")
