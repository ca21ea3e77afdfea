"""LiteLLM, as an app or LiteLLM's proxy calls an OpenAI-compatible server: buffered, streamed, and every error."""

import asyncio
import json
import os

# Read at import: LiteLLM would fetch a price list from GitHub otherwise.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm

litellm.suppress_debug_info = True

BASE_URL = os.environ["BASE_URL"]
TOKENS = json.loads(os.environ["TOKENS"])
TEXT = os.environ["TEXT"]
HELLO = [{"role": "user", "content": "Hello! What can you do?"}]
FAILED = "The model's provider failed to answer completely"
TIMED_OUT = "The model's provider did not answer in time"
CUT_OFF = {"cut": FAILED, "ends": FAILED, "error_event": FAILED, "stall": TIMED_OUT}

# Status errors before the first byte: token -> exception, status, words of the message, code. LiteLLM's exceptions for
# some statuses have no body, so no code can be seen in them; it has no exception of its own for 403.
ERRORS = {
    "invalid": (litellm.AuthenticationError, 401, "Invalid token", None),
    "not_public": (litellm.APIError, 403, "Not configured for public access", None),
    "deleted": (litellm.NotFoundError, 404, "Assistant not found", None),
    "rejected": (litellm.ContextWindowExceededError, 400, "maximum context length", None),
    "bad_key": (litellm.BadGatewayError, 502, "did not accept this service's API key", None),
    "unknown_model": (litellm.BadGatewayError, 502, "does not know the configured model", None),
    "rate_limited": (litellm.RateLimitError, 429, "limiting the rate", "rate_limit_exceeded"),
    "quota": (litellm.RateLimitError, 429, "quota", "insufficient_quota"),
    "outage": (litellm.BadGatewayError, 502, FAILED, None),
    "overloaded": (litellm.ServiceUnavailableError, 503, "overloaded", None),
    "silent": (litellm.Timeout, 504, TIMED_OUT, None),
    "misconfigured": (litellm.InternalServerError, 500, "misconfigured", "assistant_misconfigured"),
}


def arguments(name, **options):
    server = {"model": "openai/gpt-4o", "api_base": BASE_URL, "api_key": TOKENS[name], "max_retries": 0}
    return {**server, "messages": HELLO, **options}


def complete(name, **options):
    return litellm.completion(**arguments(name, **options))


def raises(expected, call):
    try:
        call()
    except expected as error:
        return error
    raise AssertionError(f"no {expected.__name__}")


def text(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def finish_reasons(chunks):
    return [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason]


def buffered():
    response = complete("story", temperature=0.7, max_tokens=100)
    assert response.choices[0].message.content == TEXT, response
    assert response.choices[0].finish_reason == "stop"
    assert response.usage.total_tokens == 21
    for reason in ["length", "content_filter"]:
        assert complete(reason).choices[0].finish_reason == reason


def streamed():
    chunks = list(complete("story", stream=True))
    assert text(chunks) == TEXT and finish_reasons(chunks) == ["stop"], chunks
    for reason in ["length", "content_filter"]:
        assert finish_reasons(complete(reason, stream=True)) == [reason]
    chunks = list(complete("story", stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage.total_tokens == 21 and text(chunks) == TEXT, chunks


def multi_turn():
    messages = [{"role": "user", "content": "My name is Alice"}]
    reply = complete("echo", messages=messages).choices[0].message
    messages += [{"role": "assistant", "content": reply.content}, {"role": "user", "content": "What's my name?"}]
    reply = complete("echo", messages=messages).choices[0].message
    assert reply.content == "4|You are Ada.|What's my name?", reply
    # As apps do it that keep LiteLLM's message objects.
    messages = [HELLO[0], complete("echo").choices[0].message, HELLO[0]]
    assert complete("echo", messages=messages).choices[0].message.content.startswith("4|You are Ada.|")


def errors():
    for name, (kind, status, words, code) in ERRORS.items():
        for call in [lambda: complete(name), lambda: list(complete(name, stream=True))]:
            error = raises(kind, call)
            assert type(error) is kind and error.status_code == status, (name, error)
            assert words in str(error), (name, error)
            assert code is None or error.body["code"] == code, (name, error.body)


def cut_off():
    for name, words in CUT_OFF.items():
        seen = []

        def read():
            for chunk in complete(name, stream=True):
                seen.append(chunk)

        error = raises(litellm.ServiceUnavailableError, read)
        assert words in str(error), (name, error)
        assert text(seen) == "Once upon" and finish_reasons(seen) == [], (name, seen)
        error = raises(litellm.Timeout if words == TIMED_OUT else litellm.BadGatewayError, lambda: complete(name))
        assert words in str(error), (name, error)


async def asynchronous():
    response = await litellm.acompletion(**arguments("story"))
    assert response.choices[0].message.content == TEXT
    chunks = [chunk async for chunk in await litellm.acompletion(**arguments("story", stream=True))]
    assert text(chunks) == TEXT and finish_reasons(chunks) == ["stop"]
    for name, words in CUT_OFF.items():
        seen = []
        try:
            async for chunk in await litellm.acompletion(**arguments(name, stream=True)):
                seen.append(chunk)
        except litellm.ServiceUnavailableError as error:
            assert words in str(error), (name, error)
        else:
            raise AssertionError(name)
        assert text(seen) == "Once upon" and finish_reasons(seen) == [], (name, seen)


CHECKS = [buffered, streamed, multi_turn, errors, cut_off]
for check in CHECKS:
    check()
asyncio.run(asynchronous())
print(f"{len(CHECKS) + 1} passed, 0 failed")
