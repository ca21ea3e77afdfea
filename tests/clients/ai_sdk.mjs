// The current Vercel AI SDK with @ai-sdk/openai-compatible, its provider for servers like this one.

import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, streamText } from "ai";

const { BASE_URL, TEXT } = process.env;
const TOKENS = JSON.parse(process.env.TOKENS);
const HELLO = [{ role: "user", content: "Hello! What can you do?" }];
const CUT_OFF = { cut: "provider_error", ends: "provider_error", error_event: "provider_error", stall: "provider_timeout" };

// Status errors before the first byte: token -> status, code.
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

function call(name, options, settings) {
  const server = createOpenAICompatible({ name: "assistant", baseURL: BASE_URL, apiKey: TOKENS[name], ...settings });
  return { model: server.chatModel("gpt-4o"), messages: HELLO, maxRetries: 0, ...options };
}

const generate = (name, options) => generateText(call(name, options));

async function stream(name, settings) {
  const parts = [];
  for await (const part of streamText({ ...call(name, {}, settings), onError() {} }).stream) parts.push(part);
  return parts;
}

const only = (parts, type) => parts.filter((part) => part.type === type);
const text = (parts) => only(parts, "text-delta").map((part) => part.text).join("");
const finishReasons = (parts) => only(parts, "finish").map((part) => part.finishReason);
const totalTokens = (parts) => only(parts, "finish")[0].totalUsage.totalTokens;

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
  assert.deepEqual(only(parts, "error"), []);
  assert.deepEqual(finishReasons(await stream("length")), ["length"]);
  assert.deepEqual(finishReasons(await stream("content_filter")), ["content-filter"]);
}

async function usage() {
  assert.equal(totalTokens(await stream("story", { includeUsage: true })), 21);
  assert.equal(totalTokens(await stream("story", { includeUsage: false })), undefined);
}

async function multiTurn() {
  const messages = [{ role: "user", content: "My name is Alice" }];
  messages.push(...(await generate("echo", { messages })).response.messages);
  messages.push({ role: "user", content: "What's my name?" });
  assert.equal((await generate("echo", { messages })).text, "4|You are Ada.|What's my name?");
}

async function errors() {
  for (const [name, [status, code]] of Object.entries(ERRORS)) {
    const parts = await stream(name);
    assert.deepEqual(finishReasons(parts), [], name);
    const buffered = await generate(name).catch((error) => error);
    for (const error of [buffered, ...only(parts, "error").map((part) => part.error)]) {
      assert(APICallError.isInstance(error), `${name}: ${error}`);
      assert.deepEqual([error.statusCode, error.data.error.code], [status, code], name);
      assert.equal(error.message, error.data.error.message);
    }
    assert.equal(only(parts, "error").length, 1, name);
  }
}

async function cutOff() {
  for (const [name, code] of Object.entries(CUT_OFF)) {
    const parts = await stream(name);
    assert.deepEqual(only(parts, "error").map((part) => part.error.data.code), [code], name);
    assert.equal(text(parts), "Once upon", name);
    assert.deepEqual(finishReasons(parts), ["error"], name);
    const error = await generate(name).catch((error) => error);
    assert.equal(error.data?.error.code, code, `${name}: ${error}`);
  }
}

const CHECKS = [buffered, streamed, usage, multiTurn, errors, cutOff];
for (const check of CHECKS) await check();
console.log(`${CHECKS.length} passed, 0 failed`);
