/** The page where the public endpoint has another origin than the page itself. */
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { create, launch, open, say, signIn } from "./support/browser.js";
import { startServer } from "./support/server.js";

let server;
let browser;
let elsewhere;

/** Another origin that leads to the public endpoint, as a function URL of its own does. */
async function startElsewhere() {
  const proxy = http.createServer((request, response) => {
    const target = http.request(server.url + request.url, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    target.once("error", () => response.destroy());
    request.pipe(target);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return proxy;
}

before(async () => {
  elsewhere = await startElsewhere();
  server = await startServer({ PUBLIC_URL: `http://127.0.0.1:${elsewhere.address().port}/` });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
  elsewhere?.close();
  elsewhere?.closeAllConnections();
});

test("it tries assistants there, and connects clients there", async () => {
  const origin = `http://127.0.0.1:${elsewhere.address().port}`;
  const page = await open(browser, server.url, { allowed: [origin] });
  await signIn(page, await server.jwt("owner"));
  await create(page, "Book shop");
  await page.getByRole("link", { name: "Try it" }).click();
  const [request] = await Promise.all([page.waitForRequest(/chat\/completions/), say(page, "What is the capital of France?")]);
  assert.equal(new URL(request.url()).origin, origin);
  await page.locator(".facts").waitFor();
  // Told across origins too, by Access-Control-Expose-Headers.
  assert.match(await page.locator(".facts").innerText(), /Request\s+[0-9a-f-]{36}/);
  await page.getByRole("link", { name: "Connect" }).click();
  assert.ok((await page.locator("[data-snippet=python] pre").innerText()).includes(`base_url="${origin}/public/openai/v1"`));
  assert.deepEqual(page.failures, []);
});
