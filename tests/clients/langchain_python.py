"""LangChain (langchain-openai) with ChatOpenAI: invoke, stream, astream, batch, multi-turn, and every error."""

import asyncio
import json
import os

import openai
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

BASE_URL = os.environ["BASE_URL"]
TOKENS = json.loads(os.environ["TOKENS"])
TEXT = os.environ["TEXT"]
HELLO = "Hello! What can you do?"
CUT_OFF = {"cut": "provider_error", "ends": "provider_error", "error_event": "provider_error", "stall": "provider_timeout"}

# Status errors before the first byte: token -> exception (LangChain lets the SDK's through), status, code.
ERRORS = {
    "invalid": (openai.AuthenticationError, 401, "invalid_api_key"),
    "not_public": (openai.PermissionDeniedError, 403, "public_access_disabled"),
    "deleted": (openai.NotFoundError, 404, "assistant_not_found"),
    "rejected": (openai.BadRequestError, 400, "context_length_exceeded"),
    "bad_key": (openai.InternalServerError, 502, "provider_authentication_failed"),
    "unknown_model": (openai.InternalServerError, 502, "provider_model_not_found"),
    "rate_limited": (openai.RateLimitError, 429, "rate_limit_exceeded"),
    "quota": (openai.RateLimitError, 429, "insufficient_quota"),
    "outage": (openai.InternalServerError, 502, "provider_error"),
    "overloaded": (openai.InternalServerError, 503, "provider_overloaded"),
    "silent": (openai.InternalServerError, 504, "provider_timeout"),
    "misconfigured": (openai.InternalServerError, 500, "assistant_misconfigured"),
}


def chat(name, **options):
    return ChatOpenAI(model="gpt-4o", api_key=TOKENS[name], base_url=BASE_URL, max_retries=0, **options)


def raises(expected, call):
    try:
        call()
    except expected as error:
        return error
    raise AssertionError(f"no {expected.__name__}")


def finish_reasons(chunks):
    return [chunk.response_metadata["finish_reason"] for chunk in chunks if "finish_reason" in chunk.response_metadata]


def invoke():
    reply = chat("story", temperature=0.7, max_tokens=100).invoke(HELLO)
    assert reply.content == TEXT, reply
    assert reply.response_metadata["finish_reason"] == "stop"
    assert reply.usage_metadata["total_tokens"] == 21
    for reason in ["length", "content_filter"]:
        assert chat(reason).invoke(HELLO).response_metadata["finish_reason"] == reason


def chain():
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])
    answer = (prompt | chat("echo") | StrOutputParser()).invoke({"question": HELLO})
    assert answer == f"3|You are Ada.|{HELLO}", answer


def stream():
    chunks = list(chat("story").stream(HELLO))
    assert "".join(chunk.content for chunk in chunks) == TEXT
    assert finish_reasons(chunks) == ["stop"]
    for reason in ["length", "content_filter"]:
        assert finish_reasons(chat(reason).stream(HELLO)) == [reason]


def stream_usage():
    counted = [chunk for chunk in chat("story", stream_usage=True).stream(HELLO) if chunk.usage_metadata]
    assert [chunk.usage_metadata["total_tokens"] for chunk in counted] == [21]
    assert not any(chunk.usage_metadata for chunk in chat("story", stream_usage=False).stream(HELLO))


def multi_turn():
    echo = chat("echo")
    messages = [HumanMessage("My name is Alice")]
    messages.append(echo.invoke(messages))
    messages.append(HumanMessage("What's my name?"))
    assert echo.invoke(messages).content == "4|You are Ada.|What's my name?"
    messages = [SystemMessage("Be brief."), HumanMessage("Hi"), AIMessage("Hello"), HumanMessage("Bye")]
    assert echo.invoke(messages).content == "5|You are Ada.|Bye"


def by_responses():
    def responses(name, **options):
        return chat(name, use_responses_api=True, **options)

    assert responses("story", temperature=0.7, max_tokens=100).invoke(HELLO).text == TEXT
    assert "".join(chunk.text for chunk in responses("story").stream(HELLO)) == TEXT
    echo = responses("echo")
    messages = [HumanMessage("My name is Alice")]
    messages.append(echo.invoke(messages))
    messages.append(HumanMessage("What's my name?"))
    assert echo.invoke(messages).text == "4|You are Ada.|What's my name?"
    # It sends what comes after the last answer alone, and the answer's id.
    by_id = responses("echo", use_previous_response_id=True).invoke(messages)
    assert by_id.text == "4|You are Ada.|What's my name?", by_id
    for name, code in CUT_OFF.items():
        assert raises(openai.APIError, lambda: list(responses(name).stream(HELLO))).code == code, name
        assert raises(openai.InternalServerError, lambda: responses(name).invoke(HELLO)).code == code, name


def errors():
    for name, (kind, status, code) in ERRORS.items():
        for call in [lambda: chat(name).invoke(HELLO), lambda: list(chat(name).stream(HELLO))]:
            error = raises(kind, call)
            assert (error.status_code, error.code) == (status, code), (name, error)
            assert error.body["message"], (name, error.body)


def cut_off():
    for name, code in CUT_OFF.items():
        seen = []

        def read():
            for chunk in chat(name).stream(HELLO):
                seen.append(chunk)

        error = raises(openai.APIError, read)
        assert error.code == code, (name, error.code)
        assert "".join(chunk.content for chunk in seen) == "Once upon", name
        assert finish_reasons(seen) == [], name
        error = raises(openai.InternalServerError, lambda: chat(name).invoke(HELLO))
        assert error.code == code, (name, error.code)


async def asynchronous():
    assert (await chat("story").ainvoke(HELLO)).content == TEXT
    assert "".join([chunk.content async for chunk in chat("story").astream(HELLO)]) == TEXT
    for name, code in CUT_OFF.items():
        seen = []
        try:
            async for chunk in chat(name).astream(HELLO):
                seen.append(chunk)
        except openai.APIError as error:
            assert error.code == code, (name, error.code)
        else:
            raise AssertionError(name)
        assert "".join(chunk.content for chunk in seen) == "Once upon", name
        assert finish_reasons(seen) == [], name


CHECKS = [invoke, chain, stream, stream_usage, multi_turn, by_responses, errors, cut_off]
for check in CHECKS:
    check()
asyncio.run(asynchronous())
print(f"{len(CHECKS) + 1} passed, 0 failed")
