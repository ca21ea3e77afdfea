import assert from "node:assert/strict";
import { test } from "node:test";
import { complete } from "../../src/manage/page/stream.js";

/** What the page knows of a reply with these headers and this body. */
async function read(headers, body) {
  globalThis.fetch = async () => new Response(body, { headers: { "content-type": "text/event-stream", ...headers } });
  return complete({ url: "https://a.example", token: "t", messages: [], onText: () => {}, onThought: () => {} });
}

test("what was left out of a request is told, by a header or in a late stream", async () => {
  assert.equal((await read({ "x-omitted-parameters": "seed, top_p" }, "data: [DONE]\n\n")).omitted, "seed, top_p");
  assert.equal((await read({}, ': keep-alive\n\n: omitted ["seed"]\n\ndata: [DONE]\n\n')).omitted, "seed");
  assert.equal((await read({}, ": keep-alive\n\ndata: [DONE]\n\n")).omitted, null);
});
