"""OpenAI's Agents SDK, which speaks the Responses API: run, streamed, its three ways to hold a conversation, and errors."""

import asyncio
import json
import os

import openai
from agents import Agent, OpenAIResponsesModel, Runner, SQLiteSession, set_tracing_disabled
from openai import AsyncOpenAI
from openai.types.responses import ResponseTextDeltaEvent
from pydantic import BaseModel

BASE_URL = os.environ["BASE_URL"]
TOKENS = json.loads(os.environ["TOKENS"])
TEXT = os.environ["TEXT"]
HELLO = "Hello! What can you do?"
ALICE, NAME = "My name is Alice", "What's my name?"
CUT_OFF = ["cut", "ends", "error_event", "stall"]

# Status errors before the first byte: token -> exception, code.
ERRORS = {
    "invalid": (openai.AuthenticationError, "invalid_api_key"),
    "not_public": (openai.PermissionDeniedError, "public_access_disabled"),
    "deleted": (openai.NotFoundError, "assistant_not_found"),
    "rejected": (openai.BadRequestError, "context_length_exceeded"),
    "rate_limited": (openai.RateLimitError, "rate_limit_exceeded"),
    "overloaded": (openai.InternalServerError, "provider_overloaded"),
    "silent": (openai.InternalServerError, "provider_timeout"),
    "misconfigured": (openai.InternalServerError, "assistant_misconfigured"),
}


class City(BaseModel):
    city: str


def agent(name, **options):
    client = AsyncOpenAI(api_key=TOKENS[name], base_url=BASE_URL, max_retries=0)
    return Agent(name="Assistant", model=OpenAIResponsesModel(model="gpt-4o", openai_client=client), **options)


async def stream(name, seen):
    result = Runner.run_streamed(agent(name), HELLO)
    async for event in result.stream_events():
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent):
            seen.append(event.data.delta)
    return result


async def raises(expected, awaitable):
    try:
        await awaitable
    except expected as error:
        return error
    raise AssertionError(f"no {expected.__name__}")


async def run():
    result = await Runner.run(agent("story"), HELLO)
    assert result.final_output == TEXT, result
    assert result.context_wrapper.usage.total_tokens == 21, result.context_wrapper.usage
    assert (await Runner.run(agent("json", output_type=City), HELLO)).final_output == City(city="Oslo")
    briefly = await Runner.run(agent("echo", instructions="Be brief."), HELLO)
    assert briefly.final_output == f"3|You are Ada.|{HELLO}", briefly.final_output


async def streamed():
    seen = []
    result = await stream("story", seen)
    assert "".join(seen) == TEXT and len(seen) == 3 and result.final_output == TEXT, seen


async def multi_turn():
    echo = agent("echo")
    first = await Runner.run(echo, ALICE)
    by_list = await Runner.run(echo, [*first.to_input_list(), {"role": "user", "content": NAME}])
    by_id = await Runner.run(echo, NAME, previous_response_id=first.last_response_id)
    session = SQLiteSession("alice")
    await Runner.run(echo, ALICE, session=session)
    by_session = await Runner.run(echo, NAME, session=session)
    for result in by_list, by_id, by_session:
        assert result.final_output == f"4|You are Ada.|{NAME}", result.final_output


async def errors():
    for name, (kind, code) in ERRORS.items():
        for call in Runner.run(agent(name), HELLO), stream(name, []):
            error = await raises(kind, call)
            assert error.code == code, (name, error)


async def cut_off():
    for name in CUT_OFF:
        seen = []
        await raises(Exception, stream(name, seen))
        assert "".join(seen) == "Once upon", (name, seen)
        await raises(openai.InternalServerError, Runner.run(agent(name), HELLO))


set_tracing_disabled(True)
CHECKS = [run, streamed, multi_turn, errors, cut_off]
for check in CHECKS:
    asyncio.run(check())
print(f"{len(CHECKS)} passed, 0 failed")
