"""The official OpenAI Python SDK's Responses API: buffered, streamed, its helpers, and every error."""

import asyncio
import json
import os

import openai
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

BASE_URL = os.environ["BASE_URL"]
TOKENS = json.loads(os.environ["TOKENS"])
TEXT = os.environ["TEXT"]
HELLO = "Hello! What can you do?"
CUT_OFF = {"cut": "provider_error", "ends": "provider_error", "error_event": "provider_error", "stall": "provider_timeout"}

# Status errors before the first byte: token -> exception, code.
ERRORS = {
    "invalid": (openai.AuthenticationError, "invalid_api_key"),
    "not_public": (openai.PermissionDeniedError, "public_access_disabled"),
    "deleted": (openai.NotFoundError, "assistant_not_found"),
    "rejected": (openai.BadRequestError, "context_length_exceeded"),
    "bad_key": (openai.InternalServerError, "provider_authentication_failed"),
    "rate_limited": (openai.RateLimitError, "rate_limit_exceeded"),
    "quota": (openai.RateLimitError, "insufficient_quota"),
    "overloaded": (openai.InternalServerError, "provider_overloaded"),
    "silent": (openai.InternalServerError, "provider_timeout"),
    "misconfigured": (openai.InternalServerError, "assistant_misconfigured"),
}
INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class City(BaseModel):
    city: str


def responses(name, kind=OpenAI):
    return kind(api_key=TOKENS[name], base_url=BASE_URL, max_retries=0).responses


def raises(expected, call):
    try:
        call()
    except expected as error:
        return error
    raise AssertionError(f"no {expected.__name__}")


def buffered():
    response = responses("story").create(model="gpt-4o", input=HELLO)
    assert response.output_text == TEXT and response.status == "completed", response
    assert response.usage.total_tokens == 21 and response.error is None
    for name, reason in INCOMPLETE.items():
        response = responses(name).create(model="gpt-4o", input=HELLO)
        assert response.status == "incomplete" and response.incomplete_details.reason == reason, response


def streamed():
    events = list(responses("story").create(model="gpt-4o", input=HELLO, stream=True))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == TEXT and len(deltas) == 3, deltas
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed" and events[-1].response.output_text == TEXT
    for name, reason in INCOMPLETE.items():
        events = list(responses(name).create(model="gpt-4o", input=HELLO, stream=True))
        assert events[-1].type == "response.incomplete", events[-1]
        assert events[-1].response.incomplete_details.reason == reason


def stream_helper():
    with responses("story").stream(model="gpt-4o", input=HELLO) as stream:
        events = [event.type for event in stream]
        response = stream.get_final_response()
    assert response.output_text == TEXT
    assert events.count("response.output_text.delta") == 3 and events[-1] == "response.completed", events


def parsed():
    response = responses("json").parse(model="gpt-4o", input=HELLO, text_format=City)
    assert response.output_parsed == City(city="Oslo"), response
    with responses("json").stream(model="gpt-4o", input=HELLO, text_format=City) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_parsed == City(city="Oslo")


def multi_turn():
    echo = responses("echo")
    items = [{"role": "user", "content": "My name is Alice"}]
    response = echo.create(model="gpt-4o", input=items)
    # As in OpenAI's guide: the output of a turn is input of the next.
    items += response.output
    items.append({"role": "user", "content": "What's my name?"})
    response = echo.create(model="gpt-4o", input=items)
    assert response.output_text == "4|You are Ada.|What's my name?", response


def by_id():
    echo = responses("echo")
    first = echo.create(model="gpt-4o", input="My name is Alice", metadata={"topic": "names"})
    assert first.store is True, first
    following = {"model": "gpt-4o", "input": "What's my name?", "previous_response_id": first.id}
    second = echo.create(**following)
    assert second.output_text == "4|You are Ada.|What's my name?" and second.previous_response_id == first.id, second
    with echo.stream(**following) as stream:
        assert [event.type for event in stream][-1] == "response.completed"
        assert stream.get_final_response().store is True
    assert echo.retrieve(first.id) == first
    items = list(echo.input_items.list(second.id, limit=1))
    assert [item.content[0].text for item in items] == ["What's my name?"], items
    echo.delete(first.id)
    raises(openai.NotFoundError, lambda: echo.retrieve(first.id))
    raises(openai.NotFoundError, lambda: responses("story").retrieve(second.id))
    assert raises(openai.BadRequestError, lambda: echo.create(**following)).code == "previous_response_not_found"


def errors():
    for name, (kind, code) in ERRORS.items():
        for stream in [False, True]:
            call = lambda: responses(name).create(model="gpt-4o", input=HELLO, stream=stream)
            error = raises(kind, call)
            assert error.code == code and error.body["message"] and "param" in error.body, (name, error.body)


def check_cut_off(name, seen, error):
    assert error.code == CUT_OFF[name], (name, error.code)
    types = [event.type for event in seen]
    assert "".join(event.delta for event in seen if event.type == "response.output_text.delta") == "Once upon", name
    # The SDK raises at the error event, which comes first.
    assert not {"response.failed", "response.completed", "response.incomplete", "response.output_item.done"} & set(types), types


def cut_off():
    for name in CUT_OFF:
        seen = []

        def read():
            for event in responses(name).create(model="gpt-4o", input=HELLO, stream=True):
                seen.append(event)

        check_cut_off(name, seen, raises(openai.APIError, read))
        raises(openai.InternalServerError, lambda: responses(name).create(model="gpt-4o", input=HELLO))


async def asynchronous():
    story = responses("story", AsyncOpenAI)
    response = await story.create(model="gpt-4o", input=HELLO)
    assert response.output_text == TEXT
    async with story.stream(model="gpt-4o", input=HELLO) as stream:
        assert (await stream.get_final_response()).output_text == TEXT
    for name in CUT_OFF:
        seen = []
        try:
            async for event in await responses(name, AsyncOpenAI).create(model="gpt-4o", input=HELLO, stream=True):
                seen.append(event)
        except openai.APIError as error:
            check_cut_off(name, seen, error)
            continue
        raise AssertionError(name)


CHECKS = [buffered, streamed, stream_helper, parsed, multi_turn, by_id, errors, cut_off]
for check in CHECKS:
    check()
asyncio.run(asynchronous())
print(f"{len(CHECKS) + 1} passed, 0 failed")
