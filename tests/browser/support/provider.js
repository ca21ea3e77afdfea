/** A model provider that speaks OpenAI's streaming API. What the last message says decides what it does. */
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Every kind of Markdown that the page shows, and what it must not show. */
export const ANSWER = [
  "## Paris", "", "The capital of France is **Paris**. It has:", "", "1. the *Louvre*", "2. the [Eiffel tower](https://www.toureiffel.paris)", "3. `bread`", "",
  "```python", 'print("Bonjour")', "```", "", '<img src="x" onerror="document.title = 1">', "![map](https://tracker.example/map.png) [bad](javascript:alert(1))", "",
].join("\n");

function chunk(model, choices, more = {}) {
  return `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model, choices, ...more })}\n\n`;
}

async function stream(response, { model }, asked) {
  const delta = (content) => response.write(chunk(model, [{ index: 0, delta: { content }, finish_reason: null }]));
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const [index, word] of ANSWER.match(/\S+\s*/g).entries()) {
    if (response.destroyed) return;
    delta(word);
    // Long enough for a test to press a button, while it waits for nothing else.
    await sleep(asked.includes("SLOWLY") ? 300 : 5);
    if (asked.includes("BREAK OFF") && index === 8) {
      response.destroy();
      return;
    }
  }
  response.write(chunk(model, [{ index: 0, delta: {}, finish_reason: asked.includes("TOO LONG") ? "length" : "stop" }]));
  response.write(chunk(model, [], { usage: { prompt_tokens: 20, completion_tokens: 60, total_tokens: 80 } }));
  response.end("data: [DONE]\n\n");
}

async function answer(request, response) {
  const body = JSON.parse((await request.toArray()).join("") || "{}");
  const asked = JSON.stringify(body.messages?.at(-1) ?? "");
  if (!asked.includes("NO MODEL")) return stream(response, body, asked);
  response.writeHead(404, { "content-type": "application/json" });
  return response.end(JSON.stringify({ error: { message: "There is no such model.", type: "invalid_request_error", param: null, code: "model_not_found" } }));
}

/** Gives `{url, close}`. */
export async function startProvider(port = 0) {
  const server = http.createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/v1`, close };
}
