/** No edit is lost: while a save is under way, on the way back, over a new sign-in, and beside what others change. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, setting, signIn } from "./support/browser.js";
import { manage } from "./support/server.js";
import { begin, server } from "./support/stage.js";

const heading = (page, name) => page.getByRole("heading", { name, level: 1 }).waitFor();
const save = (page) => page.getByRole("button", { name: "Save changes" });
const configOf = async (jwt, id) => (await manage(server, jwt, "GET", `/assistants/${id}`)).config.configurable;
const hash = (page) => page.evaluate(() => location.hash);

/**
 * Holds the next write's reply back until `release` is called; with `lost`, it never arrives, and `reply` comes in its place. With
 * `unsent`, the server gets the write only then.
 */
async function hold(page, method, { lost = false, reply = null, unsent = false } = {}) {
  let release;
  let arrived;
  const released = new Promise((resolve) => (release = resolve));
  const asked = new Promise((resolve) => (arrived = resolve));
  await page.route(/\/assistants(\/[^/]+)?$/, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    const response = reply || unsent ? null : await route.fetch();
    arrived();
    await released;
    if (lost) return route.abort();
    return unsent ? route.fallback() : route.fulfill(reply ?? { response });
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
  const { release, asked } = await hold(page, "POST", { unsent: true });
  await page.getByRole("button", { name: "Create assistant" }).click();
  await asked;
  await page.getByRole("link", { name: "All assistants" }).click();
  await page.getByText("The assistant is being created, and that goes on if you leave.").waitFor();
  await page.getByRole("button", { name: "Discard the changes" }).click();
  await heading(page, "Assistants");
  await page.getByText("There is no assistant yet.").waitFor();
  release();
  await page.getByText("The assistant is created.").waitFor();
  await page.getByRole("link", { name: /Made meanwhile/ }).waitFor();
  assert.equal(await hash(page), "#/");
});

for (const [way, leave] of [["back", (page) => page.goBack()], ["by a link", (page) => page.getByRole("link", { name: "All assistants" }).click()]]) {
  test(`who goes ${way} while an assistant is created comes there, though the creation ends under the question`, async () => {
    const { page } = await begin(`asked-${way.replace(" ", "-")}`);
    await page.getByRole("link", { name: "New assistant" }).click();
    await setting(page, "name").fill("Made under it");
    const { release, asked } = await hold(page, "POST");
    await page.getByRole("button", { name: "Create assistant" }).click();
    await asked;
    await leave(page);
    await page.getByRole("dialog").waitFor();
    release();
    await page.getByText("The assistant is created.").waitFor();
    await page.getByRole("button", { name: "Discard the changes" }).click();
    await heading(page, "Assistants");
    await page.getByRole("link", { name: /Made under it/ }).waitFor();
    assert.match(await hash(page), /^(#\/)?$/);
  });
}

const REFUSED = { message: "1 setting is wrong.", problems: [{ param: "config.configurable.type==agent/temperature", message: "must be at most 2" }] };
const FAILURES = [
  ["refused", { reply: { status: 400, json: { error: REFUSED } } }, "One setting needs a change.", 1],
  ["broken", { reply: { status: 500, json: { error: { message: "Boom." } } } }, "Boom.", 0],
  ["lost", { lost: true }, "The server could not be reached.", 0],
];

for (const [owner, failure, text, wrong] of FAILURES) {
  test(`a save that fails while one looks elsewhere is told there and at the edit: ${owner}`, async () => {
    const { page } = await begin(owner);
    await create(page, "Elsewhere");
    const told = page.locator("main .alert", { hasText: text });
    const fails = async (meanwhile) => {
      const { release, asked } = await hold(page, "PATCH", failure);
      await save(page).click();
      await asked;
      await page.getByRole("link", { name: "Try it" }).click();
      await page.getByText("You have not saved: Temperature.").waitFor();
      await meanwhile(release);
      await told.waitFor();
      assert.equal(await page.locator(".field.wrong[data-setting=temperature]").count(), wrong);
    };
    await setting(page, "temperature").fill("1.5");
    await fails(async (release) => {
      await page.getByRole("link", { name: "Settings", exact: true }).click();
      release();
    });
    await fails(async (release) => {
      release();
      await page.locator("#toast", { hasText: `The changes of Elsewhere are not saved: ${text}` }).waitFor();
      await page.getByRole("link", { name: "Settings", exact: true }).click();
    });
    await page.getByRole("button", { name: "Discard" }).click();
    assert.equal(await page.locator(".alert, .field.wrong").count(), 0);
  });
}

test("what is saved while one tries it is unsaved no longer", async () => {
  const { page } = await begin("trier");
  await create(page, "Tried");
  await setting(page, "temperature").fill("0.4");
  const { release, asked } = await hold(page, "PATCH");
  await save(page).click();
  await asked;
  await page.getByRole("link", { name: "Try it" }).click();
  const note = page.getByText("You have not saved: Temperature.");
  await note.waitFor();
  release();
  await note.waitFor({ state: "hidden" });
});

test("a reply that was overtaken takes no newer state's place", async () => {
  const { page, jwt } = await begin("overtaken");
  const id = await create(page, "Overtaken", { isPublic: true });
  const { release, asked } = await hold(page, "PATCH");
  await setting(page, "temperature").fill("0.4");
  await save(page).click();
  await asked;
  await page.getByRole("button", { name: "Replace…" }).click();
  await page.getByRole("button", { name: "Replace the token" }).click();
  await page.getByText("The token is replaced.").waitFor();
  const token = await page.locator("[data-token]").innerText();
  release();
  await page.getByText("All changes are saved.").waitFor();
  assert.equal(await page.locator("[data-token]").innerText(), token);
  assert.equal((await configOf(jwt, id))["type==agent/temperature"], 0.4);
  await setting(page, "temperature").fill("0.5");
  await save(page).click();
  await page.getByText("All changes are saved.").waitFor();
  assert.equal(await page.locator("dialog").count(), 0);
});

for (const [label, action] of [["Replace…", "Replace the token"], ["Revoke…", "Revoke the token"]]) {
  test(`a token that somebody set meanwhile is not ended without a word: ${action}`, async () => {
    const { page, jwt } = await begin(`ends-${action.slice(0, 3)}`);
    const id = await create(page, "Set meanwhile", { isPublic: true });
    await manage(server, jwt, "PATCH", `/assistants/${id}`, { config: { configurable: { public_token: `pubkey_of_somebody_else_${Date.now()}WXYZ` } } });
    await page.getByRole("button", { name: label }).click();
    await page.getByRole("button", { name: action }).click();
    await page.getByRole("dialog").getByText("The Public Token was replaced: it ends in …WXYZ.").waitFor();
    const { token_hint: hint } = await manage(server, jwt, "GET", `/assistants/${id}`);
    assert.equal(hint, "WXYZ");
    await page.getByRole("button", { name: action }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.notEqual((await manage(server, jwt, "GET", `/assistants/${id}`)).token_hint, "WXYZ");
  });
}

test("each owner's edit is kept for them, and a sign-out forgets its own alone", async () => {
  const { page, jwt } = await begin("first-owner");
  const other = await server.jwt("second-owner");
  const end = async () => {
    await page.route("**/assistants", (route) => route.fulfill({ status: 401, json: { error: { message: "The JWT has expired." } } }), { times: 1 });
    await page.getByRole("button", { name: "Create assistant" }).click();
    await page.getByText("What you have not saved is kept.").waitFor();
  };
  await page.getByRole("link", { name: "New assistant" }).click();
  await setting(page, "name").fill("Of the first");
  await end();
  await signIn(page, other);
  await heading(page, "New assistant");
  assert.equal(await setting(page, "name").inputValue(), "");
  await setting(page, "name").fill("Of the second");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Discard the changes" }).click();
  await signIn(page, jwt);
  await heading(page, "New assistant");
  assert.equal(await setting(page, "name").inputValue(), "Of the first");
});

test("whoever signs in next is told nothing of a save that was under way", async () => {
  const { page } = await begin("gone");
  await create(page, "Of who is gone");
  await setting(page, "temperature").fill("0.4");
  const { release, asked } = await hold(page, "PATCH");
  await save(page).click();
  await asked;
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Discard the changes" }).click();
  await signIn(page, await server.jwt("next"));
  await page.evaluate(() => { document.getElementById("toast").textContent = ""; });
  const replied = page.waitForResponse((response) => response.request().method() === "PATCH");
  release();
  await (await replied).finished();
  // A task later, what the page makes of it is done.
  await page.evaluate(() => new Promise((done) => setTimeout(done, 50)));
  assert.equal(await page.locator("#toast").textContent(), "");
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
