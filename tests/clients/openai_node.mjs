// The official OpenAI Node SDK: buffered, streamed, the stream helper, models, and every error.

import assert from "node:assert/strict";
import OpenAI from "openai";

const { BASE_URL, TEXT } = process.env;
const TOKENS = JSON.parse(process.env.TOKENS);
const HELLO = [{ role: "user", content: "Hello! What can you do?" }];
const CUT_OFF = { cut: "provider_error", ends: "provider_error", error_event: "provider_error", stall: "provider_timeout" };

// Status errors before the first byte: token -> exception, status, code.
const ERRORS = {
  invalid: [OpenAI.AuthenticationError, 401, "invalid_api_key"],
  not_public: [OpenAI.PermissionDeniedError, 403, "public_access_disabled"],
  deleted: [OpenAI.NotFoundError, 404, "assistant_not_found"],
  rejected: [OpenAI.BadRequestError, 400, "context_length_exceeded"],
  bad_key: [OpenAI.InternalServerError, 502, "provider_authentication_failed"],
  unknown_model: [OpenAI.InternalServerError, 502, "provider_model_not_found"],
  rate_limited: [OpenAI.RateLimitError, 429, "rate_limit_exceeded"],
  quota: [OpenAI.RateLimitError, 429, "insufficient_quota"],
  outage: [OpenAI.InternalServerError, 502, "provider_error"],
  overloaded: [OpenAI.InternalServerError, 503, "provider_overloaded"],
  silent: [OpenAI.InternalServerError, 504, "provider_timeout"],
  misconfigured: [OpenAI.InternalServerError, 500, "assistant_misconfigured"],
};

const client = (name) => new OpenAI({ apiKey: TOKENS[name], baseURL: BASE_URL, maxRetries: 0 });
const create = (name, options) =>
  client(name).chat.completions.create({ model: "gpt-4o", messages: HELLO, ...options });

async function raised(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  assert.fail("no error");
}

async function all(stream) {
  const chunks = [];
  for await (const chunk of await stream) chunks.push(chunk);
  return chunks;
}

const text = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");

async function buffered() {
  const response = await create("story");
  assert.equal(response.choices[0].message.content, TEXT);
  assert.equal(response.choices[0].finish_reason, "stop");
  assert.equal(response.usage.total_tokens, 21);
  for (const reason of ["length", "content_filter"]) {
    assert.equal((await create(reason)).choices[0].finish_reason, reason);
  }
}

async function streamed() {
  const chunks = await all(create("story", { stream: true }));
  assert.equal(text(chunks), TEXT);
  assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
  assert(chunks.every((chunk) => chunk.choices.length === 1 && !("usage" in chunk)));
}

async function usage() {
  const chunks = await all(create("story", { stream: true, stream_options: { include_usage: true } }));
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.equal(chunks.at(-1).usage.total_tokens, 21);
  assert(chunks.slice(0, -1).every((chunk) => chunk.usage === null));
}

async function streamHelper() {
  const stream = client("story").chat.completions.stream({ model: "gpt-4o", messages: HELLO });
  const deltas = [];
  stream.on("content", (delta) => deltas.push(delta));
  const completion = await stream.finalChatCompletion();
  assert.equal(completion.choices[0].message.content, TEXT);
  assert.equal(completion.choices[0].finish_reason, "stop");
  assert.deepEqual(deltas, ["Once", " upon", " a time 👋"]);
}

async function multiTurn() {
  const messages = [{ role: "user", content: "My name is Alice" }];
  messages.push((await create("echo", { messages })).choices[0].message);
  messages.push({ role: "user", content: "What's my name?" });
  const response = await create("echo", { messages });
  assert.equal(response.choices[0].message.content, "4|You are Ada.|What's my name?");
}

async function models() {
  const listed = await all(client("story").models.list());
  assert.equal(listed.length, 1);
  assert.equal((await client("story").models.retrieve("gpt-4o")).id, listed[0].id);
}

async function errors() {
  for (const [name, [kind, status, code]] of Object.entries(ERRORS)) {
    for (const stream of [false, true]) {
      const error = await raised(() => create(name, { stream }));
      assert(error instanceof kind, `${name}: ${error}`);
      assert.deepEqual([error.status, error.code], [status, code], name);
      assert(error.error.message && "param" in error.error && error.type, name);
    }
  }
}

async function cutOff() {
  for (const [name, code] of Object.entries(CUT_OFF)) {
    const seen = [];
    const error = await raised(async () => {
      for await (const chunk of await create(name, { stream: true })) seen.push(chunk);
    });
    assert(error instanceof OpenAI.APIError, `${name}: ${error}`);
    assert.equal(error.code, code, name);
    assert.equal(text(seen), "Once upon", name);
    assert(seen.every((chunk) => chunk.choices[0].finish_reason === null), name);

    const stream = client(name).chat.completions.stream({ model: "gpt-4o", messages: HELLO });
    assert.equal((await raised(() => stream.finalChatCompletion())).code, code, name);

    const whole = await raised(() => create(name));
    assert(whole instanceof OpenAI.InternalServerError, `${name}: ${whole}`);
    assert.equal(whole.code, code, name);
  }
}

const CHECKS = [buffered, streamed, usage, streamHelper, multiTurn, models, errors, cutOff];
for (const check of CHECKS) await check();
console.log(`${CHECKS.length} passed, 0 failed`);
