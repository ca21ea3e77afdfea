// Vercel's AI SDK as its documentation calls it: `createOpenAI(…)("any")`, which speaks the Responses API. Its later turns name
// earlier answers by their ids.

import assert from "node:assert/strict";
import { createOpenAI as createOpenAI2 } from "@ai-sdk/openai";
import * as ai7 from "ai";
import * as ai5 from "ai5";
import { createOpenAI as createOpenAI4 } from "ai-sdk-openai-4";

// Typebot's version and the current one.
const VERSIONS = [
  { ...ai5, createOpenAI: createOpenAI2 },
  { ...ai7, createOpenAI: createOpenAI4 },
];
// Of the version that is tried.
let APICallError, createOpenAI, generateObject, generateText, jsonSchema, streamText;

const { BASE_URL, TEXT } = process.env;
const TOKENS = JSON.parse(process.env.TOKENS);
const HELLO = [{ role: "user", content: "Hello! What can you do?" }];
const CUT_OFF = ["cut", "ends", "error_event", "stall"];

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

const sent = [];
const noting = (url, init) => {
  sent.push({ url: String(url), body: JSON.parse(init.body) });
  return fetch(url, init);
};

function call(name, options) {
  const model = createOpenAI({ baseURL: BASE_URL, apiKey: TOKENS[name], fetch: noting })("any");
  return { messages: HELLO, maxRetries: 0, ...options, model };
}

const generate = (name, options) => generateText(call(name, options));

async function stream(name, options) {
  const result = streamText({ ...call(name, options), onError() {} });
  const parts = [];
  for await (const part of result.fullStream) parts.push(part);
  return { parts, result };
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
  const { parts } = await stream("story");
  assert.equal(text(parts), TEXT);
  assert.deepEqual(finishReasons(parts), ["stop"]);
  assert.equal(only(parts, "finish")[0].totalUsage.totalTokens, 21);
  assert.deepEqual(only(parts, "error"), []);
  assert.deepEqual(finishReasons((await stream("length")).parts), ["length"]);
  assert.deepEqual(finishReasons((await stream("content_filter")).parts), ["content-filter"]);
}

async function multiTurn() {
  const messages = [{ role: "user", content: "My name is Alice" }];
  messages.push(...(await generate("echo", { messages })).response.messages);
  messages.push({ role: "user", content: "And yours?" });
  const { result } = await stream("echo", { messages });
  messages.push(...(await result.response).messages);
  messages.push({ role: "user", content: "What's my name?" });
  assert.equal((await generate("echo", { messages })).text, "6|You are Ada.|What's my name?");
  const { url, body } = sent.at(-1);
  assert(url.endsWith("/responses"), url);
  const references = body.input.filter((item) => item.type === "item_reference");
  assert.equal(references.length, 2, JSON.stringify(body.input));
}

async function byId() {
  const first = await generate("echo", { messages: [{ role: "user", content: "My name is Alice" }] });
  const openai = { previousResponseId: first.providerMetadata.openai.responseId };
  const second = await generate("echo", { providerOptions: { openai } });
  assert.equal(second.text, `4|You are Ada.|${HELLO[0].content}`);
}

async function structured() {
  const schema = jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false });
  const { object } = await generateObject({ ...call("json"), schema });
  assert.deepEqual(object, { city: "Oslo" });
}

async function errors() {
  for (const [name, [status, code, isRetryable]] of Object.entries(ERRORS)) {
    const { parts } = await stream(name);
    assert.deepEqual(finishReasons(parts), [], name);
    const buffered = await generate(name).catch((error) => error);
    for (const error of [buffered, ...only(parts, "error").map((part) => part.error)]) {
      assert(APICallError.isInstance(error), `${name}: ${error}`);
      assert.deepEqual([error.statusCode, error.data.error.code, error.isRetryable], [status, code, isRetryable], name);
    }
    assert.equal(only(parts, "error").length, 1, name);
  }
}

async function cutOff() {
  for (const name of CUT_OFF) {
    const { parts } = await stream(name);
    assert.equal(only(parts, "error").length, 1, `${name}: ${JSON.stringify(parts)}`);
    assert.equal(text(parts), "Once upon", name);
    assert(!finishReasons(parts).some((reason) => ["stop", "length", "content-filter"].includes(reason)), name);
    assert(APICallError.isInstance(await generate(name).catch((error) => error)), name);
  }
}

const CHECKS = [buffered, streamed, multiTurn, byId, structured, errors, cutOff];
for (const version of VERSIONS) {
  ({ APICallError, createOpenAI, generateObject, generateText, jsonSchema, streamText } = version);
  for (const check of CHECKS) await check();
}
console.log(`${VERSIONS.length * CHECKS.length} passed, 0 failed`);
