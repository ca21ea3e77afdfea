/** What an owner does on the page, against `assistants serve`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, open, say, setting, signIn } from "./support/browser.js";
import { run } from "./support/programs.js";
import { callStatus, manage } from "./support/server.js";
import { begin, browser, server } from "./support/stage.js";

const baseUrl = () => `${server.url}/public/openai/v1`;

test("a stranger signs in with a click, makes a public assistant, copies its token and the Python snippet, which answers", async () => {
  const page = await open(browser, server.url);
  await page.getByRole("button", { name: "Sign in on this machine" }).click();
  await create(page, "Book shop", { isPublic: true });
  await page.getByRole("button", { name: "Copy: Token" }).click();
  const token = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(token, /^pubkey_\S{40,}$/);
  assert.equal(await callStatus(baseUrl(), token), 200);

  await page.getByRole("link", { name: "Try it" }).click();
  await say(page, "What is the capital of France?");
  await page.locator(".facts").waitFor();
  assert.match(await page.locator(".facts").innerText(), /Tokens\s+20 in, 60 out[\s\S]*Finish\s+stop/);

  await page.getByRole("link", { name: "Connect" }).click();
  const python = page.locator("[data-snippet=python] pre");
  assert.match(await python.innerText(), /os\.environ\["TOKEN"\]/);
  assert.ok((await python.innerText()).includes(`base_url="${baseUrl()}"`));
  await page.locator("[data-snippet=python]").getByRole("button", { name: /^Copy/ }).click();
  const snippet = await page.evaluate(() => navigator.clipboard.readText());
  const said = await run("python", snippet, token);
  assert.match(said ?? "Paris", /Paris/);
  await page.getByLabel("Show the token in the snippets").check();
  assert.ok((await python.innerText()).includes(`api_key="${token}"`));
  assert.deepEqual(page.failures, []);
});

test("a reload has neither the JWT nor the token, and no storage and no address ever had them", async () => {
  const { page, jwt } = await begin("careful");
  await create(page, "Secret", { isPublic: true });
  const token = await page.locator("[data-token]").innerText();
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.cookie, performance.getEntries().map(({ name }) => name)]));
  for (const secret of [jwt, token]) assert.equal(kept.includes(secret), false);
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await signIn(page, jwt);
  await page.getByText(`…${token.slice(-4)}`).waitFor();
  assert.equal(await page.locator("[data-token]").count(), 0);
});

test("an old token stops at once, or works on for as long as its owner says", async () => {
  const { page } = await begin("rotating");
  await create(page, "Rotating", { isPublic: true });
  const shown = () => page.locator("[data-token]").innerText();
  const replace = async (grace) => {
    const old = await shown();
    await page.getByRole("button", { name: "Replace…" }).click();
    await page.getByLabel("The old token stops working").selectOption({ label: grace });
    await page.getByRole("button", { name: "Replace the token" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    return [old, await shown()];
  };
  const [first, second] = await replace("At once");
  assert.deepEqual([await callStatus(baseUrl(), first), await callStatus(baseUrl(), second)], [401, 200]);
  const [, third] = await replace("In 7 days");
  assert.deepEqual([await callStatus(baseUrl(), second), await callStatus(baseUrl(), third)], [200, 200]);
  await page.getByRole("button", { name: "Revoke…" }).click();
  await page.getByRole("button", { name: "Revoke the token" }).click();
  await page.getByText("Public, no token").waitFor();
  assert.deepEqual([await callStatus(baseUrl(), second), await callStatus(baseUrl(), third)], [401, 401]);
});

test("a token of one's own is set, and one that is too short is refused at its field", async () => {
  const { page } = await begin("own-token");
  await create(page, "Own token");
  await page.getByRole("radio", { name: /^Public, with a token/ }).check();
  await page.getByRole("radio", { name: /^Use my own/ }).check();
  await page.getByLabel("Your own token").fill("short");
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("16 to 512 visible ASCII characters and no blanks.").waitFor();
  const token = `pubkey_of_my_own_${Date.now()}`;
  await page.getByLabel("Your own token").fill(token);
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.locator("[data-token]").waitFor();
  assert.equal(await callStatus(baseUrl(), token), 200);
});

test("all problems are at their fields at once, and the first one has the focus", async () => {
  const { page } = await begin("problems");
  await create(page, "Problems");
  await setting(page, "temperature").fill("9");
  await setting(page, "max_tokens").fill("many");
  await page.locator("summary", { hasText: "Base URL" }).click();
  await setting(page, "base_url").fill("nonsense");
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.locator(".problem:visible").first().waitFor();
  const wrong = await page.locator(".field.wrong").evaluateAll((fields) => fields.map((field) => field.dataset.setting));
  assert.deepEqual(wrong, ["base_url", "temperature", "max_tokens"]);
  assert.equal(await page.evaluate(() => document.activeElement.closest("[data-setting]").dataset.setting), "base_url");
});

test("an edit changes what it says and keeps every key that the page does not know", async () => {
  const { page, jwt } = await begin("keeper");
  const configurable = { model: "gpt-4o-mini", "type==agent/temperature": 0.5, mystery: { deep: [1] }, "type==chatbot/model": "other" };
  const { assistant_id: id } = await manage(server, jwt, "POST", "/assistants", { name: "Keeper", config: { configurable, instructions: "old" } });
  await page.goto(`${server.url}/#/assistants/${id}/settings`);
  await setting(page, "temperature").fill("0.7");
  await setting(page, "fallback_models").fill("gpt-4o\nmistral/mistral-small-latest");
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("All changes are saved.").waitFor();
  const { config } = await manage(server, jwt, "GET", `/assistants/${id}`);
  const expected = { ...configurable, "type==agent/temperature": 0.7, "type==agent/fallback_models": ["gpt-4o", "mistral/mistral-small-latest"] };
  assert.deepEqual(config, { configurable: expected, instructions: "old" });
});

test("two tabs that change one assistant: mine and theirs are chosen field by field", async () => {
  const { page, jwt } = await begin("racing");
  const id = await create(page, "Racing");
  await manage(server, jwt, "PATCH", `/assistants/${id}`, { config: { configurable: { "type==agent/temperature": 0.1, "type==agent/top_p": 0.5, "type==agent/model": "gpt-4.1" } } });
  await setting(page, "temperature").fill("1.1");
  await setting(page, "model").fill("gpt-5-mini");
  await setting(page, "system_message").fill("You are Ada.");
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByRole("group", { name: "Temperature" }).getByLabel(/Theirs/).check();
  await page.getByRole("button", { name: "Save on top of theirs" }).click();
  await page.getByText("All changes are saved.").waitFor();
  const { config } = await manage(server, jwt, "GET", `/assistants/${id}`);
  const prefixed = Object.entries({ model: "gpt-5-mini", temperature: 0.1, top_p: 0.5, system_message: "You are Ada." }).map(([name, value]) => [`type==agent/${name}`, value]);
  assert.deepEqual(config.configurable, Object.fromEntries(prefixed));
});

test("unsaved changes go along to the other tabs, are asked about on leaving, and are not lost by staying", async () => {
  const { page } = await begin("unsaved");
  await create(page, "Unsaved");
  await setting(page, "system_message").fill("Draft");
  await page.getByRole("link", { name: "Try it" }).click();
  await page.getByText("You have not saved: System prompt.").waitFor();
  await page.getByRole("link", { name: "All assistants" }).click();
  await page.getByRole("button", { name: "Stay here" }).click();
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  assert.equal(await setting(page, "system_message").inputValue(), "Draft");
  await page.getByRole("link", { name: "All assistants" }).click();
  await page.getByRole("button", { name: "Discard the changes" }).click();
  await page.getByRole("heading", { name: "Assistants", level: 1 }).waitFor();
});

test("deleting asks for the name", async () => {
  const { page } = await begin("deleting");
  await create(page, "To be deleted");
  await page.getByRole("button", { name: "Delete this assistant…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").fill("Something else");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await dialog.getByText("That is not its name.").waitFor();
  await dialog.getByRole("textbox").fill("To be deleted");
  await page.keyboard.press("Enter");
  await page.getByText("There is no assistant yet.").waitFor();
});

test("the list is searched and loaded page by page", async () => {
  const { page, jwt } = await begin("many");
  for (let index = 0; index < 55; index += 1) await manage(server, jwt, "POST", "/assistants", { name: `Number ${index}` });
  await page.reload();
  await signIn(page, jwt);
  await page.locator(".rows li").nth(49).waitFor();
  await page.getByRole("button", { name: "Load more" }).click();
  await page.locator(".rows li").nth(54).waitFor();
  await page.getByLabel("Search the assistants").fill("number 5");
  assert.equal(await page.locator(".rows li").count(), 6);
});

test("a JWT that has expired is told before it is used", async () => {
  const page = await open(browser, server.url);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  await page.getByText("Sign in with a JWT").click();
  await page.getByLabel("JWT", { exact: true }).fill(`${part({ alg: "HS256" })}.${part({ sub: "me", exp: 1_600_000_000 })}.x`);
  await page.getByText(/This JWT expired on/).waitFor();
  assert.ok(await page.getByRole("button", { name: "Sign in", exact: true }).isDisabled());
});
