// Typebot: its OpenAI block calls the Vercel AI SDK 5 with @ai-sdk/openai 2, streamed in chats that show text as it
// comes, and buffered otherwise.

import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, generateText, streamText } from "ai5";

const { BASE_URL, TEXT } = process.env;
const TOKENS = JSON.parse(process.env.TOKENS);
const HELLO = [{ role: "user", content: "Hello! What can you do?" }];
const CUT_OFF = { cut: "provider_error", ends: "provider_error", error_event: "provider_error", stall: "provider_timeout" };

// Status errors before the first byte: token -> status, code, whether the SDK would try again.
const ERRORS = {
  invalid: [401, "invalid_api_key", false],
  not_public: [403, "public_access_disabled", false],
  deleted: [404, "assistant_not_found", false],
  rejected: [400, "context_length_exceeded", false],
  bad_key: [502, "provider_authentication_failed", true],
  unknown_model: [502, "provider_model_not_found", true],
  rate_limited: [429, "rate_limit_exceeded", true],
  quota: [429, "insufficient_quota", true],
  outage: [502, "provider_error", true],
  overloaded: [503, "provider_overloaded", true],
  silent: [504, "provider_timeout", true],
  misconfigured: [500, "assistant_misconfigured", true],
};

function call(name, options) {
  const model = createOpenAI({ baseURL: BASE_URL, apiKey: TOKENS[name] }).chat(options?.model ?? "gpt-4o");
  return { messages: HELLO, maxRetries: 0, ...options, model };
}

const generate = (name, options) => generateText(call(name, options));

async function stream(name) {
  const parts = [];
  for await (const part of streamText({ ...call(name), onError() {} }).fullStream) parts.push(part);
  return parts;
}

const only = (parts, type) => parts.filter((part) => part.type === type);
const text = (parts) => only(parts, "text-delta").map((part) => part.text).join("");
const finishReasons = (parts) => only(parts, "finish").map((part) => part.finishReason);

async function buffered() {
  const result = await generate("story", { temperature: 0.7, maxOutputTokens: 100 });
  assert.equal(result.text, TEXT);
  assert.equal(result.finishReason, "stop");
  assert.equal(result.usage.totalTokens, 21);
  assert.equal((await generate("length")).finishReason, "length");
  assert.equal((await generate("content_filter")).finishReason, "content-filter");
}

async function streamed() {
  const parts = await stream("story");
  assert.equal(text(parts), TEXT);
  assert.deepEqual(finishReasons(parts), ["stop"]);
  // @ai-sdk/openai always asks for usage.
  assert.equal(only(parts, "finish")[0].totalUsage.totalTokens, 21);
  assert.deepEqual(only(parts, "error"), []);
  assert.deepEqual(finishReasons(await stream("length")), ["length"]);
  assert.deepEqual(finishReasons(await stream("content_filter")), ["content-filter"]);
}

async function multiTurn() {
  const messages = [{ role: "user", content: "My name is Alice" }];
  messages.push(...(await generate("echo", { messages })).response.messages);
  messages.push({ role: "user", content: "What's my name?" });
  assert.equal((await generate("echo", { messages })).text, "4|You are Ada.|What's my name?");
  // For gpt-5 the SDK sends the role `developer` and `max_completion_tokens`.
  const reasoning = await generate("echo", { model: "gpt-5", system: "Be brief.", maxOutputTokens: 100 });
  assert.equal(reasoning.text, `3|You are Ada.|${HELLO[0].content}`);
}

async function errors() {
  for (const [name, [status, code, isRetryable]] of Object.entries(ERRORS)) {
    const parts = await stream(name);
    assert.deepEqual(finishReasons(parts), [], name);
    const buffered = await generate(name).catch((error) => error);
    for (const error of [buffered, ...only(parts, "error").map((part) => part.error)]) {
      assert(APICallError.isInstance(error), `${name}: ${error}`);
      assert.deepEqual([error.statusCode, error.data.error.code, error.isRetryable], [status, code, isRetryable], name);
      assert.equal(error.message, error.data.error.message);
    }
    assert.equal(only(parts, "error").length, 1, name);
  }
}

async function cutOff() {
  for (const [name, code] of Object.entries(CUT_OFF)) {
    const parts = await stream(name);
    assert.deepEqual(only(parts, "error").map((part) => part.error.code), [code], name);
    assert.equal(text(parts), "Once upon", name);
    assert.deepEqual(finishReasons(parts), ["error"], name);
    const error = await generate(name).catch((error) => error);
    assert.equal(error.data?.error.code, code, `${name}: ${error}`);
  }
}

const CHECKS = [buffered, streamed, multiTurn, errors, cutOff];
for (const check of CHECKS) await check();
console.log(`${CHECKS.length} passed, 0 failed`);
