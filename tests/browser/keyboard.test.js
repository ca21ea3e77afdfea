/** The keyboard alone: after each action the focus is where one goes on, never lost to the page as a whole. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, setting, signIn } from "./support/browser.js";
import { manage } from "./support/server.js";
import { begin, server } from "./support/stage.js";

/** What has the focus: a button's words, a radio's title, or a region's name. The browser takes it from what is hidden with the next frame. */
const focused = (page) => page.evaluate(() => new Promise((resolve) => {
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const node = document.activeElement;
    resolve(node === document.body ? "nothing" : (node.getAttribute("aria-label") ?? node.closest("label")?.querySelector("strong")?.textContent ?? node.textContent));
  }));
}));

async function press(page, name, key = "Enter") {
  await page.getByRole("button", { name, exact: true }).focus();
  await page.keyboard.press(key);
}

test("saving and discarding", async () => {
  const { page } = await begin("saver");
  await create(page, "Saver");
  await setting(page, "temperature").fill("0.5");
  await press(page, "Save changes");
  await page.getByText("All changes are saved.").waitFor();
  assert.equal(await focused(page), "Save changes");
  await setting(page, "temperature").fill("0.6");
  await press(page, "Discard");
  await page.getByText("All changes are saved.").waitFor();
  assert.equal(await focused(page), "Discard");
});

test("choosing, hiding, replacing and revoking a token", async () => {
  const { page } = await begin("tokens");
  await create(page, "Tokens", { isPublic: true });
  await press(page, "Hide");
  assert.equal(await focused(page), "Public Token");
  await press(page, "Replace…");
  await page.keyboard.press("Enter");
  await page.locator("[data-token]").waitFor();
  assert.match(await focused(page), /^Copy the token now/);
  await press(page, "Revoke…");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await press(page, "Revoke the token");
  await page.getByText("Public, no token").waitFor();
  assert.equal(await focused(page), "Generate one");
  await page.keyboard.press("Space");
  assert.equal(await focused(page), "Generate one");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "Use my own");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), "Generate one");
});

test("loading more goes to the first new row", async () => {
  const { page, jwt } = await begin("rows");
  for (let index = 0; index < 52; index += 1) await manage(server, jwt, "POST", "/assistants", { name: `Number ${index}` });
  await page.reload();
  await signIn(page, jwt);
  await press(page, "Load more");
  await page.locator(".rows li").nth(51).waitFor();
  const hasFocus = (node) => node.contains(document.activeElement);
  assert.ok(await page.locator(".rows li").nth(50).evaluate(hasFocus));
});

test("the skip link goes to the content and stays in the view", async () => {
  const { page } = await begin("skipper");
  await create(page, "Skipped");
  const before = page.url();
  await page.locator(".skip").focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  assert.equal(page.url(), before);
});
