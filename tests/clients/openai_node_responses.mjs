// The official OpenAI Node SDK's Responses API: buffered, streamed, its helpers, and every error.

import assert from "node:assert/strict";
import OpenAI from "openai";

const { BASE_URL, TEXT } = process.env;
const TOKENS = JSON.parse(process.env.TOKENS);
const HELLO = "Hello! What can you do?";
const CUT_OFF = { cut: "provider_error", ends: "provider_error", error_event: "provider_error", stall: "provider_timeout" };

// Status errors before the first byte: token -> exception, status, code.
const ERRORS = {
  invalid: [OpenAI.AuthenticationError, 401, "invalid_api_key"],
  not_public: [OpenAI.PermissionDeniedError, 403, "public_access_disabled"],
  deleted: [OpenAI.NotFoundError, 404, "assistant_not_found"],
  rejected: [OpenAI.BadRequestError, 400, "context_length_exceeded"],
  rate_limited: [OpenAI.RateLimitError, 429, "rate_limit_exceeded"],
  overloaded: [OpenAI.InternalServerError, 503, "provider_overloaded"],
  silent: [OpenAI.InternalServerError, 504, "provider_timeout"],
  misconfigured: [OpenAI.InternalServerError, 500, "assistant_misconfigured"],
};
const INCOMPLETE = { length: "max_output_tokens", content_filter: "content_filter" };

const responses = (name) => new OpenAI({ apiKey: TOKENS[name], baseURL: BASE_URL, maxRetries: 0 }).responses;
const create = (name, options) => responses(name).create({ model: "gpt-4o", input: HELLO, ...options });

async function raised(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  assert.fail("no error");
}

const text = (events) =>
  events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");

async function buffered() {
  const response = await create("story");
  assert.equal(response.output_text, TEXT);
  assert.equal(response.status, "completed");
  assert.equal(response.usage.total_tokens, 21);
  for (const [name, reason] of Object.entries(INCOMPLETE)) {
    assert.equal((await create(name)).incomplete_details.reason, reason);
  }
}

async function streamed() {
  const events = [];
  for await (const event of await create("story", { stream: true })) events.push(event);
  assert.equal(text(events), TEXT);
  assert.equal(events.at(-1).type, "response.completed");
}

async function streamHelper() {
  const stream = responses("story").stream({ model: "gpt-4o", input: HELLO });
  const response = await stream.finalResponse();
  assert.equal(response.output_text, TEXT);
}

async function parsed() {
  const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
  const format = { type: "json_schema", name: "city", strict: true, schema };
  const response = await responses("json").parse({ model: "gpt-4o", input: HELLO, text: { format } });
  assert.deepEqual(JSON.parse(response.output_text), { city: "Oslo" });
}

async function multiTurn() {
  const input = [{ role: "user", content: "My name is Alice" }];
  const first = await create("echo", { input });
  input.push(...first.output, { role: "user", content: "What's my name?" });
  assert.equal((await create("echo", { input })).output_text, "4|You are Ada.|What's my name?");
}

async function byId() {
  const first = await create("echo", { input: "My name is Alice" });
  const following = { input: "What's my name?", previous_response_id: first.id };
  assert.equal((await create("echo", following)).output_text, "4|You are Ada.|What's my name?");
  const echo = responses("echo");
  assert.equal((await echo.retrieve(first.id)).output_text, first.output_text);
  for await (const item of echo.inputItems.list(first.id)) assert.equal(item.content[0].text, "My name is Alice");
  await echo.delete(first.id);
  assert.equal((await raised(() => create("echo", following))).code, "previous_response_not_found");
}

async function errors() {
  for (const [name, [kind, status, code]] of Object.entries(ERRORS)) {
    for (const stream of [false, true]) {
      const error = await raised(() => create(name, { stream }));
      assert.ok(error instanceof kind, `${name}: ${error}`);
      assert.deepEqual([error.status, error.code], [status, code], name);
    }
  }
}

async function cutOff() {
  for (const [name, code] of Object.entries(CUT_OFF)) {
    const seen = [];
    const error = await raised(async () => {
      for await (const event of await create(name, { stream: true })) seen.push(event);
    });
    assert.ok(error instanceof OpenAI.APIError, `${name}: ${error}`);
    assert.equal(error.code, code, name);
    assert.equal(text(seen), "Once upon", name);
    // The SDK raises at the error event, which comes first.
    assert.equal(seen.at(-1).type, "response.output_text.delta", name);
    const helper = responses(name).stream({ model: "gpt-4o", input: HELLO });
    await raised(() => helper.finalResponse());
    await raised(() => create(name));
  }
}

const checks = [buffered, streamed, streamHelper, parsed, multiTurn, byId, errors, cutOff];
for (const check of checks) await check();
console.log(`${checks.length} passed, 0 failed`);
