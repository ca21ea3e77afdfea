// LangChain JS with ChatOpenAI, which is also what n8n's "OpenAI Chat Model" node runs (its Base URL is
// `configuration.baseURL`; its agents need tools, which this endpoint does not offer, its chains do not).

import assert from "node:assert/strict";
import { AIMessage, HumanMessage, SystemMessage } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";

const { BASE_URL, TEXT } = process.env;
const TOKENS = JSON.parse(process.env.TOKENS);
const HELLO = "Hello! What can you do?";
const CUT_OFF = { cut: "provider_error", ends: "provider_error", error_event: "provider_error", stall: "provider_timeout" };

// Status errors before the first byte: token -> status, code. `rejected` is its own class, with the SDK's as `cause`.
const ERRORS = {
  invalid: [401, "invalid_api_key"],
  not_public: [403, "public_access_disabled"],
  deleted: [404, "assistant_not_found"],
  rejected: [400, "context_length_exceeded"],
  bad_key: [502, "provider_authentication_failed"],
  unknown_model: [502, "provider_model_not_found"],
  rate_limited: [429, "rate_limit_exceeded"],
  quota: [429, "insufficient_quota"],
  outage: [502, "provider_error"],
  overloaded: [503, "provider_overloaded"],
  silent: [504, "provider_timeout"],
  misconfigured: [500, "assistant_misconfigured"],
};

const NAMES = { rejected: "ContextOverflowError", quota: "InsufficientQuotaError" };

function chat(name, options) {
  const configuration = { baseURL: BASE_URL };
  return new ChatOpenAI({ model: "gpt-4o", apiKey: TOKENS[name], maxRetries: 0, configuration, ...options });
}

/** All chunks of a stream, and the error that ended it. */
async function stream(name, options) {
  const chunks = [];
  try {
    for await (const chunk of await chat(name, options).stream(HELLO)) chunks.push(chunk);
  } catch (error) {
    return { chunks, error };
  }
  return { chunks };
}

const text = (chunks) => chunks.map((chunk) => chunk.content).join("");
const finishReasons = (chunks) => chunks.flatMap((chunk) => chunk.response_metadata.finish_reason ?? []);
const totals = (chunks) => chunks.flatMap((chunk) => chunk.usage_metadata?.total_tokens ?? []);

async function invoke() {
  const reply = await chat("story", { temperature: 0.7, maxTokens: 100 }).invoke(HELLO);
  assert.equal(reply.content, TEXT);
  assert.equal(reply.response_metadata.finish_reason, "stop");
  assert.equal(reply.usage_metadata.total_tokens, 21);
  for (const reason of ["length", "content_filter"]) {
    assert.equal((await chat(reason).invoke(HELLO)).response_metadata.finish_reason, reason);
  }
}

async function streamed() {
  const { chunks } = await stream("story");
  assert.equal(text(chunks), TEXT);
  assert.deepEqual(finishReasons(chunks), ["stop"]);
  for (const reason of ["length", "content_filter"]) {
    assert.deepEqual(finishReasons((await stream(reason)).chunks), [reason]);
  }
}

async function usage() {
  assert.deepEqual(totals((await stream("story", { streamUsage: true })).chunks), [21]);
  assert.deepEqual(totals((await stream("story", { streamUsage: false })).chunks), []);
}

async function multiTurn() {
  const messages = [new HumanMessage("My name is Alice")];
  messages.push(await chat("echo").invoke(messages), new HumanMessage("What's my name?"));
  assert.equal((await chat("echo").invoke(messages)).content, "4|You are Ada.|What's my name?");
  const told = [new SystemMessage("Be brief."), new HumanMessage("Hi"), new AIMessage("Hello"), new HumanMessage("Bye")];
  assert.equal((await chat("echo").invoke(told)).content, "5|You are Ada.|Bye");
}

async function byResponses() {
  const options = { useResponsesApi: true };
  assert.equal((await chat("story", options).invoke(HELLO)).text, TEXT);
  const { chunks } = await stream("story", options);
  assert.equal(chunks.map((chunk) => chunk.text).join(""), TEXT);
  const messages = [new HumanMessage("My name is Alice")];
  messages.push(await chat("echo", options).invoke(messages), new HumanMessage("What's my name?"));
  assert.equal((await chat("echo", options).invoke(messages)).text, "4|You are Ada.|What's my name?");
  for (const name of Object.keys(CUT_OFF)) {
    const { chunks, error } = await stream(name, options);
    assert.ok(error, name);
    assert.equal(chunks.map((chunk) => chunk.text).join(""), "Once upon", name);
  }
}

async function errors() {
  for (const [name, [status, code]] of Object.entries(ERRORS)) {
    const { chunks, error: streamed } = await stream(name);
    assert.deepEqual(chunks, [], name);
    const buffered = await chat(name).invoke(HELLO).catch((error) => error);
    for (const error of [buffered, streamed]) {
      const sdk = name === "rejected" ? error.cause : error;
      assert.deepEqual([sdk?.status, sdk?.code], [status, code], `${name}: ${error}`);
      assert(error.message.includes(sdk.error.message), name);
      if (name in NAMES) assert.equal(error.name, NAMES[name]);
    }
  }
}

async function cutOff() {
  for (const [name, code] of Object.entries(CUT_OFF)) {
    const { chunks, error } = await stream(name);
    assert.equal(error?.code, code, `${name}: ${error}`);
    assert.equal(text(chunks), "Once upon", name);
    assert.deepEqual(finishReasons(chunks), [], name);
    const buffered = await chat(name).invoke(HELLO).catch((error) => error);
    assert.equal(buffered.code, code, `${name}: ${buffered}`);
  }
}

const CHECKS = [invoke, streamed, usage, multiTurn, byResponses, errors, cutOff];
for (const check of CHECKS) await check();
console.log(`${CHECKS.length} passed, 0 failed`);
