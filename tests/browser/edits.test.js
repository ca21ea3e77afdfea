/** No edit is lost: while a save is under way, on the way back, over a new sign-in, and beside what others change. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { create, launch, open, setting, signIn } from "./support/browser.js";
import { manage, startServer } from "./support/server.js";

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

async function begin(owner) {
  const jwt = await server.jwt(owner);
  const page = await open(browser, server.url);
  await signIn(page, jwt);
  return { page, jwt };
}

const heading = (page, name) => page.getByRole("heading", { name, level: 1 }).waitFor();
const save = (page) => page.getByRole("button", { name: "Save changes" });
const configOf = async (jwt, id) => (await manage(server, jwt, "GET", `/assistants/${id}`)).config.configurable;
const hash = (page) => page.evaluate(() => location.hash);

/** Holds the next write back until `release` is called; with `lost`, its reply never arrives. */
async function hold(page, method, { lost = false } = {}) {
  let release;
  let arrived;
  const released = new Promise((resolve) => (release = resolve));
  const asked = new Promise((resolve) => (arrived = resolve));
  await page.route(/\/assistants(\/[^/]+)?$/, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    const response = await route.fetch();
    arrived();
    await released;
    return lost ? route.abort() : route.fulfill({ response });
  }, { times: 1 });
  return { release, asked };
}

test("what is typed while a save is under way is an unsaved edit on top of it", async () => {
  const { page, jwt } = await begin("slow-save");
  const id = await create(page, "Slow");
  const { release, asked } = await hold(page, "PATCH");
  await setting(page, "system_message").fill("You are");
  await save(page).click();
  await asked;
  await setting(page, "temperature").fill("0.");
  await page.locator("summary", { hasText: "Base URL" }).click();
  await setting(page, "capabilities").fill('{"sampling": ');
  await setting(page, "system_message").pressSequentially(" Ada.");
  release();
  await page.getByText("Not saved: System prompt, Temperature, Capabilities").waitFor();
  assert.equal(await setting(page, "system_message").inputValue(), "You are Ada.");
  assert.equal(await setting(page, "temperature").inputValue(), "0.");
  await setting(page, "capabilities").fill("");
  await save(page).click();
  await page.getByText("All changes are saved.").waitFor();
  const expected = { model: "gpt-4o-mini", system_message: "You are Ada.", temperature: 0 };
  assert.deepEqual(await configOf(jwt, id), Object.fromEntries(Object.entries(expected).map(([name, value]) => [`type==agent/${name}`, value])));
});

test("what is typed while an assistant is created is an unsaved edit of it", async () => {
  const { page } = await begin("slow-create");
  await page.getByRole("link", { name: "New assistant" }).click();
  await setting(page, "name").fill("Slowly made");
  const { release, asked } = await hold(page, "POST");
  await page.getByRole("button", { name: "Create assistant" }).click();
  await asked;
  await setting(page, "system_message").pressSequentially("You are");
  release();
  await heading(page, "Slowly made");
  await page.keyboard.type(" Ada.");
  assert.equal(await setting(page, "system_message").inputValue(), "You are Ada.");
  await page.getByText("Not saved: System prompt").waitFor();
});

test("who leaves while an assistant is created stays where they went", async () => {
  const { page } = await begin("leaver");
  await page.getByRole("link", { name: "New assistant" }).click();
  await setting(page, "name").fill("Made meanwhile");
  const { release, asked } = await hold(page, "POST");
  await page.getByRole("button", { name: "Create assistant" }).click();
  await asked;
  await page.getByRole("link", { name: "All assistants" }).click();
  await page.getByRole("button", { name: "Discard the changes" }).click();
  await heading(page, "Assistants");
  release();
  await page.getByText("The assistant is created.").waitFor();
  assert.equal(await hash(page), "#/");
});

test("a way back with unsaved changes is asked about, and no entry of the history is lost", async () => {
  const { page } = await begin("walker");
  const id = await create(page, "First");
  await page.getByRole("link", { name: "All assistants" }).click();
  await page.getByRole("link", { name: /First/ }).click();
  await heading(page, "First");
  await setting(page, "temperature").fill("0.5");
  await page.goBack();
  await page.getByRole("button", { name: "Stay here" }).click();
  assert.equal(await hash(page), `#/assistants/${id}/settings`);
  assert.equal(await setting(page, "temperature").inputValue(), "0.5");
  await page.goBack();
  await page.getByRole("button", { name: "Discard the changes" }).click();
  await heading(page, "Assistants");
  assert.equal(await hash(page), "#/");
  await page.goForward();
  await heading(page, "First");
  await page.goBack();
  await page.goBack();
  await heading(page, "First");
  assert.equal(await hash(page), `#/assistants/${id}/settings`);
});

test("an edit outlives a session that ends and a reload, also what is no value yet", async () => {
  const { page, jwt } = await begin("interrupted");
  const id = await create(page, "Interrupted", { isPublic: true });
  const token = await page.locator("[data-token]").innerText();
  await page.locator("summary", { hasText: "Base URL" }).click();
  await setting(page, "capabilities").fill('{"half": ');
  await setting(page, "temperature").fill("0.4");
  const isThere = async () => {
    await page.getByText("Not saved: Temperature, Capabilities").waitFor();
    assert.equal(await setting(page, "capabilities").inputValue(), '{"half": ');
    assert.equal(await setting(page, "temperature").inputValue(), "0.4");
  };
  await page.getByRole("link", { name: "Connect" }).click();
  await page.locator(".snippet").first().waitFor();
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await isThere();
  await page.route(`**/assistants/${id}/usage*`, (route) => route.fulfill({ status: 401, json: { error: { message: "The JWT has expired." } } }), { times: 1 });
  await page.getByRole("link", { name: "Usage" }).click();
  await page.getByText("What you have not saved is kept.").waitFor();
  await signIn(page, jwt);
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await isThere();
  page.on("dialog", (dialog) => dialog.accept());
  await page.reload();
  const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
  assert.ok(kept.includes("half"));
  for (const secret of [jwt, token]) assert.equal(kept.includes(secret), false);
  await signIn(page, jwt);
  await isThere();
  await page.getByRole("button", { name: "Discard" }).click();
  await page.reload();
  await signIn(page, jwt);
  await page.getByText("All changes are saved.").waitFor();
});

test("a save whose reply was lost is not asked about when it is repeated", async () => {
  const { page } = await begin("lost-reply");
  await create(page, "Lost reply");
  const { release } = await hold(page, "PATCH", { lost: true });
  await setting(page, "temperature").fill("0.4");
  await save(page).click();
  release();
  await page.getByText("The server could not be reached.").waitFor();
  await save(page).click();
  await page.getByText("All changes are saved.").waitFor();
  assert.equal(await page.locator("dialog").count(), 0);
});

test("a token that was replaced elsewhere is not shown as the assistant's, and a save says that it was", async () => {
  const { page, jwt } = await begin("rotated");
  const id = await create(page, "Rotated", { isPublic: true });
  await setting(page, "temperature").fill("0.4");
  await manage(server, jwt, "PATCH", `/assistants/${id}`, { config: { configurable: { public_token: `pubkey_of_another_tab_${Date.now()}WXYZ` } } });
  await save(page).click();
  await page.getByText("The Public Token was replaced: it ends in …WXYZ.").waitFor();
  await page.getByRole("button", { name: "Save on top of theirs" }).click();
  await page.getByText("All changes are saved.").waitFor();
  assert.equal(await page.locator("[data-token]").count(), 0);
  await page.getByText("A token is set. It ends in …WXYZ").waitFor();
  await page.getByRole("link", { name: "Connect" }).click();
  await page.getByText("The one that ends in …WXYZ.").waitFor();
});

test("the list is as it was left: rows, search and place", async () => {
  const { page, jwt } = await begin("returning");
  for (let index = 0; index < 55; index += 1) await manage(server, jwt, "POST", "/assistants", { name: `Number ${index}` });
  await page.reload();
  await signIn(page, jwt);
  await page.getByRole("button", { name: "Load more" }).click();
  const last = page.locator(".rows li").nth(54);
  await last.click();
  await heading(page, /Number/);
  await page.goBack();
  await heading(page, "Assistants");
  await last.waitFor();
  assert.ok(await page.evaluate(() => scrollY > 500));
});

test("what looks like a number only to JavaScript is none", async () => {
  const { page } = await begin("hexadecimal");
  await create(page, "Hexadecimal");
  await setting(page, "max_tokens").fill("0x10");
  await save(page).click();
  await page.locator(".field.wrong[data-setting=max_tokens]").waitFor();
});
