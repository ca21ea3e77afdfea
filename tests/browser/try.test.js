/** The chat panel: what an answer looks like, whole or not. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { create, launch, open, say, signIn } from "./support/browser.js";
import { startServer } from "./support/server.js";

let server;
let browser;
let page;

before(async () => {
  server = await startServer();
  browser = await launch();
  page = await open(browser, server.url);
  await signIn(page, await server.jwt("trying"));
  await create(page, "Private one");
  await page.getByRole("link", { name: "Try it" }).click();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

const last = () => page.locator(".turn.assistant").last();

test("Markdown is shown as nodes; markup, images and scripts are not", async () => {
  await say(page, "Hello");
  await last().locator(".facts").waitFor();
  const body = last().locator(".bubble");
  assert.equal(await body.locator("li").count(), 3);
  assert.equal(await body.locator("strong").innerText(), "Paris");
  const links = await body.locator("a").evaluateAll((all) => all.map((link) => [link.href, link.rel, link.target]));
  assert.deepEqual(links, [["https://www.toureiffel.paris/", "noopener noreferrer", "_blank"]]);
  assert.equal(await body.locator("img, script, iframe").count(), 0);
  assert.ok((await body.innerText()).includes("<img src="));
  assert.deepEqual(page.failures, []);
});

test("an answer that breaks off says so, has no figures, and is no part of what follows", async () => {
  await say(page, "BREAK OFF, please");
  await last().getByText("The answer was cut off. It is not complete.").waitFor();
  await last().getByText("provider_error").waitFor();
  assert.equal(await last().locator(".facts").count(), 0);
  const request = page.waitForRequest((each) => each.url().endsWith("/chat/completions"));
  await say(page, "Again");
  const { messages } = (await request).postDataJSON();
  assert.deepEqual(messages.map(({ role }) => role), ["user", "assistant", "user"]);
  await last().locator(".facts").waitFor();
});

test("a stream that ends without its end is told as cut off", async () => {
  const chunk = JSON.stringify({ choices: [{ index: 0, delta: { content: "Half an" }, finish_reason: "stop" }] });
  await page.route("**/chat/completions", (route) => route.fulfill({ contentType: "text/event-stream", body: `data: ${chunk}\n\n` }));
  await say(page, "Hello");
  await last().getByText("The answer was cut off. It is not complete.").waitFor();
  await last().getByText("stream_ended_early").waitFor();
  await page.unroute("**/chat/completions");
});

test("an answer that is not the endpoint's is told as such", async () => {
  for (const reply of [{ contentType: "text/html", body: "<!doctype html><p>Sign in to the network" }, { json: { choices: [] } }, { status: 204 }]) {
    await page.route("**/chat/completions", (route) => route.fulfill({ status: 200, ...reply }), { times: 1 });
    await page.getByRole("button", { name: "New conversation" }).click();
    await say(page, "Hello");
    await last().getByText("The answer did not come from the endpoint").waitFor();
  }
});

test("an error is shown as it is, with what to do", async () => {
  await say(page, "NO MODEL");
  await last().getByText("There is no answer.").waitFor();
  await last().getByText("provider_model_not_found, status 502").waitFor();
  await last().getByText("Open Settings and check the name of the model").waitFor();
});

test("the stop button ends an answer, which then says that it is not complete", async () => {
  await say(page, "SLOWLY, please");
  await last().getByText("Paris").first().waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await last().getByText("You stopped the answer here. It is not complete.").waitFor();
  await page.getByRole("button", { name: "Send" }).waitFor();
  assert.ok(await page.getByLabel("Message", { exact: true }).evaluate((input) => input === document.activeElement));
});

test("a reply goes on while one looks elsewhere, and a new conversation begins with nothing of the old one", async () => {
  await say(page, "SLOWLY, please");
  await last().getByText("Paris").first().waitFor();
  await page.getByRole("link", { name: "Connect" }).click();
  await page.getByRole("link", { name: "Try it" }).click();
  await page.getByRole("button", { name: "New conversation" }).click();
  await page.getByRole("button", { name: "Send" }).waitFor();
  const request = page.waitForRequest((each) => each.url().endsWith("/chat/completions"));
  await say(page, "Hello");
  assert.equal((await request).postDataJSON().messages.length, 1);
  await last().locator(".facts").waitFor();
});

test("a trial that was ended is begun again, unseen", async () => {
  let refused = 0;
  await page.route("**/chat/completions", (route) => {
    refused += 1;
    return refused > 1 ? route.fallback() : route.fulfill({ status: 401, json: { error: { message: "Invalid token", type: "authentication_error", param: null, code: "invalid_api_key" } } });
  });
  await say(page, "Hello");
  await last().locator(".facts").waitFor();
  assert.equal(refused, 2);
  await page.unroute("**/chat/completions");
});

test("an answer that is cut by its longest length says so", async () => {
  await say(page, "TOO LONG");
  await last().getByText("reached the longest length").waitFor();
});
