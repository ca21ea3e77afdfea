/**
 * Every view, light and dark, wide and on a phone: axe finds nothing, nothing is wider than the screen, and the keyboard suffices.
 * With `SCREENSHOTS` set to a folder, each view is kept there as a picture.
 */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { create, open, say, setting, signIn, violations } from "./support/browser.js";
import { manage } from "./support/server.js";
import { browser, server } from "./support/stage.js";

const FOLDER = process.env.SCREENSHOTS;
const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 360, height: 740 } };
if (FOLDER) await mkdir(FOLDER, { recursive: true });

/** Numbers for the charts: what a month of use looks like. */
function month() {
  const days = Array.from({ length: 30 }, (_, index) => index).filter((index) => index % 6 !== 5).map((index) => ({
    day: new Date(Date.now() - index * 86_400_000).toISOString().slice(0, 10), requests: 40 + ((index * 37) % 83), failures: index % 3,
    prompt_tokens: 9000 + ((index * 977) % 8000), cached_tokens: 0, completion_tokens: 6000 + ((index * 677) % 7000), reasoning_tokens: 0, estimated_requests: 0,
  }));
  return { assistant_id: "", from: "", to: "", days: days.toReversed(), total: {} };
}

async function look(page, name, kind, fullPage = true) {
  await page.waitForTimeout(250);
  // A picture of the whole page has the header where the page is scrolled to.
  if (fullPage) await page.evaluate(() => scrollTo(0, 0));
  if (FOLDER) await page.screenshot({ path: path.join(FOLDER, `${name}-${kind}.png`), fullPage });
  assert.deepEqual(await violations(page), [], `${name}, ${kind}`);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is wider than the screen, ${kind}`);
}

/** Whether nothing of it is beyond the screen's sides. */
async function inSight(locator) {
  const { x, width } = await locator.boundingBox();
  assert.ok(x >= 0 && x + width <= locator.page().viewportSize().width, String(locator));
}

async function settingsViews(page, kind) {
  await page.getByRole("link", { name: "New assistant" }).click();
  await setting(page, "name").fill("Book shop");
  await look(page, "new", kind);
  await setting(page, "temperature").fill("9");
  await page.getByRole("button", { name: "Create assistant" }).click();
  await page.locator(".problem:visible").first().waitFor();
  await look(page, "problems", kind);
  await page.getByRole("button", { name: "Discard" }).click();
  await page.getByRole("link", { name: "All assistants" }).click();
  const id = await create(page, "Book shop", { isPublic: true });
  await look(page, "settings", kind);
  if (FOLDER) await page.screenshot({ path: path.join(FOLDER, `settings-top-${kind}.png`) });
  await page.getByRole("button", { name: "Replace…" }).click();
  await look(page, "replace", kind, false);
  await page.keyboard.press("Escape");
  return id;
}

async function otherViews(page, kind) {
  await page.getByRole("link", { name: "Try it" }).click();
  await say(page, "What is the capital of France?");
  await page.locator(".facts").waitFor();
  await look(page, "try", kind, false);
  await say(page, "BREAK OFF");
  await page.locator(".log .alert").waitFor();
  await look(page, "cut-off", kind, false);
  await page.getByRole("link", { name: "Connect" }).click();
  await page.locator(".snippet").first().waitFor();
  await look(page, "connect", kind);
  await page.getByRole("link", { name: "Usage" }).click();
  await page.locator("svg.chart").first().waitFor();
  for (const seen of [page.locator("svg.chart .axis text").first(), page.locator("svg.chart .day").last(), page.locator(".tabs [aria-current]")]) await inSight(seen);
  await page.getByText("The numbers as a table").click();
  await look(page, "usage", kind);
}

/** Limits that the bars come near, and one that is far above them. */
async function limitsView(page, jwt, kind) {
  const configurable = { "type==agent/requests_per_day": 150, "type==agent/tokens_per_day": 5_000_000, unknown_key: { of: "another program" } };
  const { assistant_id: id } = await manage(server, jwt, "POST", "/assistants", { name: "Limited", config: { configurable } });
  await page.goto(`${server.url}/#/assistants/${id}/usage`);
  await page.getByText("110 of 150 are left today.").waitFor();
  assert.equal(await page.locator(".limit").count(), 1);
  await look(page, "limits", kind);
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await page.getByRole("heading", { name: "Other keys" }).waitFor();
  await look(page, "other-keys", kind);
  await manage(server, jwt, "DELETE", `/assistants/${id}`);
}

async function conflictView(page, jwt, id, kind) {
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await setting(page, "temperature").fill("1.1");
  await manage(server, jwt, "PATCH", `/assistants/${id}`, { config: { configurable: { "type==agent/temperature": 0.1, "type==agent/top_p": 0.5 } } });
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("Changed meanwhile").waitFor();
  await look(page, "conflict", kind, false);
  await page.getByRole("button", { name: "Go on editing" }).click();
  await page.getByRole("button", { name: "Discard" }).click();
  await page.getByRole("button", { name: "Delete this assistant…" }).click();
  await look(page, "delete", kind, false);
  await page.keyboard.press("Escape");
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ["light", "dark"]) {
    const kind = `${size}-${colorScheme}`;
    test(`every view, ${kind}`, async () => {
      const jwt = await server.jwt(kind);
      const page = await open(browser, server.url, { viewport, colorScheme, reducedMotion: "reduce" });
      await page.route("**/usage?*", (route) => route.fulfill({ json: month() }));
      await look(page, "sign-in", kind);
      await signIn(page, jwt);
      await page.getByText("There is no assistant yet.").waitFor();
      await look(page, "empty", kind);
      const id = await settingsViews(page, kind);
      await otherViews(page, kind);
      await conflictView(page, jwt, id, kind);
      await limitsView(page, jwt, kind);
      await page.getByRole("link", { name: "All assistants" }).click();
      await page.locator(".rows li").first().waitFor();
      await look(page, "list", kind);
      assert.deepEqual(page.failures, []);
    });
  }
}

test("the keyboard alone creates an assistant, and the focus goes along", async () => {
  const page = await open(browser, server.url);
  await signIn(page, await server.jwt("keyboard"));
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await page.getByRole("link", { name: "New assistant" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "New assistant" }).waitFor();
  assert.equal(await focused(), "New assistant");
  await page.keyboard.press("Tab");
  await page.keyboard.type("By keyboard");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "By keyboard", level: 1 }).waitFor();
  assert.equal(await focused(), "By keyboard");
});
