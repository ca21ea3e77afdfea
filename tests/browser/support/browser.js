/** Chromium, and what the tests do with a page again and again. `CHROMIUM` is the program, else the one on the PATH. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const NAMES = ["chromium", "chromium-browser", "google-chrome"];

function program() {
  const found = (process.env.PATH ?? "").split(path.delimiter).flatMap((folder) => NAMES.map((name) => path.join(folder, name))).find((file) => existsSync(file));
  const chosen = process.env.CHROMIUM ?? found;
  assert.ok(chosen, "No Chromium is on the PATH: install one, or set CHROMIUM to its program.");
  return chosen;
}

export function launch() {
  // Without its sandbox, since containers run as root and have no user namespaces; it opens pages of the tests alone.
  return chromium.launch({ executablePath: program(), args: ["--no-sandbox"] });
}

/**
 * A page in a browser of its own, as it were. What breaks the CSP, throws, or asks another origin than the `allowed` ones is
 * kept in `page.failures`. `init` runs in the page before its own scripts.
 */
export async function open(browser, url, { allowed = [], init, ...options } = {}) {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], ...options });
  if (init) await context.addInitScript(init);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.failures = [];
  page.on("pageerror", (error) => page.failures.push(String(error)));
  page.on("console", (message) => {
    // Chromium reports each status from 400 on in these words; the tests look at what the page makes of it.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) page.failures.push(message.text());
  });
  page.on("request", (request) => {
    // Where the page has gone to the issuer, the issuer's own pages are none of ours.
    if (request.isNavigationRequest() || !request.frame().url().startsWith(new URL(url).origin)) return;
    if (![new URL(url).origin, ...allowed].includes(new URL(request.url()).origin)) page.failures.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  return page;
}

export async function signIn(page, jwt) {
  await page.getByText("Sign in with a JWT").click();
  await page.getByLabel("JWT", { exact: true }).fill(jwt);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Fills the form of a new assistant and saves it. */
export async function create(page, name, { isPublic = false } = {}) {
  await page.getByRole("link", { name: "New assistant" }).click();
  await setting(page, "name").fill(name);
  await setting(page, "model").fill("gpt-4o-mini");
  if (isPublic) await page.getByRole("radio", { name: /^Public, with a token/ }).check();
  await page.getByRole("button", { name: "Create assistant" }).click();
  await page.waitForURL(/#\/assistants\/.+\/settings/);
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  return /assistants\/([^/]+)/.exec(page.url())[1];
}

/** The control of a setting, by its name in the API. */
export function setting(page, name) {
  return page.locator(`[data-setting="${name}"]`).locator("input, select, textarea").first();
}

/** As a browser that is set to block all cookies does. */
export function withoutStorage() {
  const get = () => {
    throw new DOMException("Access is denied for this document.", "SecurityError");
  };
  Object.defineProperty(window, "sessionStorage", { get });
}

export async function say(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

/** What axe finds. It is run past the page's CSP, which would not let the page itself load it. */
export async function violations(page) {
  const session = await page.context().newCDPSession(page);
  const expression = `${AXE}; axe.run({resultTypes: ["violations"]}).then((result) => JSON.stringify(result.violations.map(({id, nodes}) => [id, nodes.map(({target}) => target.join(" "))])))`;
  const { result } = await session.send("Runtime.evaluate", { expression, awaitPromise: true });
  await session.detach();
  return JSON.parse(result.value);
}
