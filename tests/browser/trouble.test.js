/** What the page makes of addresses, names, replies and tokens that are not as they should be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, open, say, setting, signIn, withoutStorage } from "./support/browser.js";
import { manage } from "./support/server.js";
import { begin, browser, server } from "./support/stage.js";
import { expiry, pasted } from "../../src/manage/page/session.js";

const heading = (page, name) => page.getByRole("heading", { name, level: 1 }).waitFor();
const save = (page) => page.getByRole("button", { name: "Save changes" });

test("an address that cannot be read is the list, and one of no assistant says so", async () => {
  const { page } = await begin("addresses");
  for (const [hash, title] of [
    ["#/assistants/nope/settings", "This did not work"], ["#/assistants/%/settings", "Assistants"], ["#/assistants/../settings", "This did not work"],
    ["#/assistants/%E0%A4%A/try", "Assistants"], ["#/assistants/%2e/usage", "This did not work"], ["#/elsewhere", "Assistants"],
  ]) {
    await page.evaluate((next) => { location.hash = next; }, hash);
    await heading(page, title);
    if (title !== "Assistants") await page.getByText("This assistant is not there.").waitFor();
  }
  assert.deepEqual(page.failures, []);
});

const NAMES = [["two  spaces", "two spaces"], ["tab\there", "tab here"], ["line\nbreak ", "line break"], [" \u00a0 ", "Unnamed assistant"]];

test("a name is confirmed as it is shown", async () => {
  const { page, jwt } = await begin("names");
  for (const [name, shown] of NAMES) {
    const { assistant_id: id } = await manage(server, jwt, "POST", "/assistants", { name });
    await page.evaluate((next) => { location.hash = next; }, `#/assistants/${id}/settings`);
    await heading(page, shown);
    await page.getByRole("button", { name: "Delete this assistant…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").fill(await dialog.locator("label code").innerText());
    await page.keyboard.press("Enter");
    await heading(page, "Assistants");
  }
});

const FOREIGN = [{ contentType: "text/html", body: "<!doctype html><p>Sign in to the network" }, { body: "" }, { json: {} }, { json: null }];

test("a reply that is not the management API's says so, and takes nothing from the form", async () => {
  const { page } = await begin("proxied");
  const id = await create(page, "Proxied");
  await setting(page, "temperature").fill("0.5");
  for (const reply of FOREIGN) {
    await page.route(`**/assistants/${id}`, (route) => route.fulfill({ status: 200, ...reply }), { times: 1 });
    await save(page).click();
    await page.getByText("The answer did not come from the management API").waitFor();
    await page.getByText("Not saved: Temperature").waitFor();
    assert.equal(await setting(page, "temperature").inputValue(), "0.5");
  }
  await save(page).click();
  await page.getByText("All changes are saved.").waitFor();
  await page.route(/\/assistants.*(usage|trial|limit)/, (route) => route.fulfill({ status: 200, ...FOREIGN[0] }));
  await page.getByRole("link", { name: "Usage" }).click();
  await page.getByText("The answer did not come from the management API").waitFor();
  await page.getByRole("link", { name: "Try it" }).click();
  await say(page, "Hello");
  await page.locator(".log").getByText("The answer did not come from the management API").waitFor();
  await page.getByRole("link", { name: "All assistants" }).click();
  await heading(page, "Assistants");
  await page.getByText("The answer did not come from the management API").waitFor();
  await page.unroute(/\/assistants.*(usage|trial|limit)/);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".rows li").waitFor();
  assert.deepEqual(page.failures, []);
});

test("a session that ends in a dialog closes it", async () => {
  const { page } = await begin("in-a-dialog");
  const id = await create(page, "In a dialog", { isPublic: true });
  await page.route(`**/assistants/${id}`, (route) => route.fulfill({ status: 401, json: { error: { message: "The JWT has expired." } } }), { times: 1 });
  await page.getByRole("button", { name: "Replace…" }).click();
  await page.getByRole("button", { name: "Replace the token" }).click();
  await page.getByText("You have to sign in again: The JWT has expired.").waitFor();
  await page.locator("dialog").waitFor({ state: "detached" });
  assert.deepEqual(page.failures, []);
});

test("a list that holds no assistants is told as foreign", async () => {
  const { page } = await begin("listless");
  for (const json of [{ data: null }, { data: [null] }, { data: {} }]) {
    await page.route("**/assistants?*", (route) => route.fulfill({ json }), { times: 1 });
    await page.getByRole("link", { name: "New assistant" }).click();
    await page.getByRole("link", { name: "All assistants" }).click();
    await page.getByText("The answer did not come from the management API").waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("There is no assistant yet.").waitFor();
  }
  assert.deepEqual(page.failures, []);
});

const FULL = 6_000_000;

for (const [owner, init, length] of [["storage-is-forbidden", withoutStorage, 20], ["storage-is-full", undefined, FULL]]) {
  test(`an edit that the browser does not store is kept while the page stays, and the page says so: ${owner}`, async () => {
    const jwt = await server.jwt(owner);
    const page = await open(browser, server.url, { init });
    await signIn(page, jwt);
    const id = await create(page, "Not stored");
    const prompt = setting(page, "system_message");
    await prompt.evaluate((area, count) => {
      area.value = "x".repeat(count);
      area.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }, length);
    await page.route(`**/assistants/${id}`, (route) => route.fulfill({ status: 401, json: { error: { message: "The JWT has expired." } } }), { times: 1 });
    await save(page).click();
    await page.getByText("The browser does not store what you have not saved").waitFor();
    await signIn(page, jwt);
    await page.getByText("Not saved: System prompt").waitFor();
    assert.equal(await prompt.evaluate((area) => area.value.length), length);
    await page.getByRole("button", { name: "Discard" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    assert.deepEqual(page.failures, []);
  });
}

test("a token that is in use elsewhere is told at its field", async () => {
  const { page } = await begin("taken");
  const token = `pubkey_taken_already_${Date.now()}`;
  const own = page.getByLabel("Your own token");
  for (const name of ["First", "Second"]) {
    await page.getByRole("link", { name: "New assistant" }).click();
    await setting(page, "name").fill(name);
    await page.getByRole("radio", { name: /^Public, with a token/ }).check();
    await page.getByRole("radio", { name: /^Use my own/ }).check();
    await own.fill(token);
    await page.getByRole("button", { name: "Create assistant" }).click();
    if (name === "First") {
      await heading(page, "First");
      await page.getByRole("link", { name: "All assistants" }).click();
    }
  }
  await page.locator(".token .problem", { hasText: "already in use" }).waitFor();
  assert.ok(await own.evaluate((input) => document.activeElement === input));
  await own.fill(`${token}_2`);
  assert.ok(await page.locator(".token .problem").isHidden());
});

test("an assistant that was deleted elsewhere is told in the page's own words", async () => {
  const { page, jwt } = await begin("deleted-elsewhere");
  const id = await create(page, "Deleted elsewhere");
  await setting(page, "temperature").fill("0.5");
  await manage(server, jwt, "DELETE", `/assistants/${id}`);
  await save(page).click();
  await page.getByText("This assistant is not there. It was deleted, or it is not yours.").waitFor();
});

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const JWT = `${part({ alg: "HS256" })}.${part({ sub: "me", exp: 2_000_000_000 })}.c2lnbmF0dXJl`;
const WRAPPED = [`${JWT.slice(0, 30)}\n${JWT.slice(30)}`, `Bearer ${JWT}`, `"${JWT}"`, `'Bearer ${JWT}'\n`, `Authorization: Bearer ${JWT}`, ` ${JWT.replaceAll(".", " .\r\n")} `,
  `${JWT.slice(0, 30)}\u200b${JWT.slice(30)}`, `\ufeffBearer\u2060 ${JWT}`];
const BROKEN = [`${JWT}…`, JWT.slice(0, JWT.lastIndexOf(".")), `${JWT}.more`, "Bearer", "eyJ.x.y", `${JWT}==`];

test("a JWT is taken out of what it was copied with, and what is then none is refused", () => {
  for (const text of WRAPPED) {
    assert.equal(pasted(text), JWT, text);
    assert.ok(expiry(pasted(text)).usable, text);
  }
  for (const text of BROKEN) assert.match(expiry(pasted(text)).text, /not a (whole )?JWT/, text);
});

test("a claim that is no text names nobody", async () => {
  const page = await open(browser, server.url);
  await page.route("**/assistants?*", (route) => route.fulfill({ json: { data: [], next: null } }));
  await signIn(page, `${part({ alg: "HS256" })}.${part({ sub: "me", email: { of: "me" }, name: "", exp: 2_000_000_000 })}.c2lnbmF0dXJl`);
  assert.equal(await page.locator("#account .who").innerText(), "me");
});
