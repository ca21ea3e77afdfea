/** Signing in with an OpenID provider: the real one of `oidc-provider`, on this machine. */
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, test } from "node:test";
import { launch, open, setting, withoutStorage } from "./support/browser.js";
import { startIssuer } from "./support/issuer.js";
import { startServer } from "./support/server.js";
import { check } from "../../src/manage/page/oidc.js";

let issuer;
let server;
let browser;

const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

before(async () => {
  // The issuer has to know the page's address, and the page's server the issuer's.
  const port = await freePort();
  issuer = await startIssuer(`http://127.0.0.1:${port}/`);
  server = await startServer({ JWKS_URL: `${issuer.url}/jwks`, JWT_ISSUER: issuer.url, JWT_AUDIENCE: "settings-page", OIDC_CLIENT_ID: "settings-page" }, port);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
  issuer?.close();
});

async function begin() {
  const page = await open(browser, server.url, { allowed: [issuer.url] });
  await page.getByRole("button", { name: /^Sign in with/ }).click();
  await atIssuer(page);
  return page;
}

/** The provider's own forms: any name and any password. */
async function atIssuer(page, done = page.getByRole("button", { name: "Sign out" })) {
  const [login, consent] = [page.locator("input[name=login]"), page.getByRole("button", { name: "Continue" })];
  for (;;) {
    await login.or(consent).or(done).first().waitFor();
    if (await done.isVisible()) return;
    if (await login.isVisible()) {
      await login.fill("ada");
      await page.locator("input[name=password]").fill("any");
      await page.locator("button[type=submit]").click();
    } else await consent.click();
    await page.waitForLoadState();
  }
}

test("code and state leave the address, and nothing of the session is stored", async () => {
  const page = await begin();
  assert.equal(page.url(), `${server.url}/`);
  assert.deepEqual(await page.evaluate(() => [{ ...localStorage }, { ...sessionStorage }]), [{}, {}]);
  assert.deepEqual(page.failures, []);
});

test("a session that ends in mid-edit keeps the edit over the new sign-in", async () => {
  const page = await begin();
  await page.getByRole("link", { name: "New assistant" }).click();
  await setting(page, "name").fill("Edited");
  await setting(page, "system_message").fill("Not lost");
  await page.route("**/assistants", (route) => route.fulfill({ status: 401, json: { error: { message: "The JWT has expired.", type: "authentication_error", param: null, code: "invalid_jwt" } } }), { times: 1 });
  await page.getByRole("button", { name: "Create assistant" }).click();
  await page.getByText("You have to sign in again: The JWT has expired.").waitFor();
  await page.getByRole("button", { name: /^Sign in with/ }).click();
  await atIssuer(page);
  assert.equal(await setting(page, "system_message").inputValue(), "Not lost");
  await page.getByRole("button", { name: "Create assistant" }).click();
  await page.getByRole("heading", { name: "Edited", level: 1 }).waitFor();
});

test("signing out goes to the issuer and comes back signed out", async () => {
  const page = await begin();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Yes, sign me out" }).click();
  await page.waitForURL(`${server.url}/**`);
  await page.getByRole("button", { name: /^Sign in with/ }).waitFor();
});

test("an answer of the issuer that this tab did not ask for signs nobody in", async () => {
  const page = await open(browser, `${server.url}/?code=stolen&state=forged`, { allowed: [issuer.url] });
  await page.getByText("This sign-in was not begun in this tab").waitFor();
  assert.equal(page.url(), `${server.url}/`);
});

test("a browser that stores nothing is told why the sign-in cannot begin", async () => {
  const page = await open(browser, server.url, { allowed: [issuer.url], init: withoutStorage });
  await page.getByRole("button", { name: /^Sign in with/ }).click();
  await page.getByText("This browser does not let the page keep anything in this tab").waitFor();
  assert.equal(page.url(), `${server.url}/`);
});

test("a refused sign-in says why", async () => {
  const page = await open(browser, server.url, { allowed: [issuer.url] });
  await page.evaluate(() => sessionStorage.setItem("assistants.sign-in", JSON.stringify({ state: "s", nonce: "n", verifier: "v", hash: "" })));
  await page.goto(`${server.url}/?error=access_denied&error_description=Not+today&state=s`);
  await page.getByText("The sign-in did not work: Not today.").waitFor();
});

test("an ID token for another application signs nobody in, and the page says why", async () => {
  const page = await open(browser, server.url, { allowed: [issuer.url] });
  // On their way to the issuer, both requests become those of the other application.
  const asAnother = (text) => text.replace("client_id=settings-page", "client_id=another-application");
  await page.route((url) => url.href.startsWith(`${issuer.url}/auth?`), (route) => route.continue({ url: asAnother(route.request().url()) }));
  await page.route(`${issuer.url}/token`, (route) => route.continue({ postData: asAnother(route.request().postData()) }));
  await page.getByRole("button", { name: /^Sign in with/ }).click();
  await atIssuer(page, page.getByText("The ID token cannot be used: it is for another audience."));
  assert.equal(await page.getByRole("button", { name: "Sign out" }).count(), 0);
  assert.deepEqual(await page.evaluate(() => [{ ...localStorage }, { ...sessionStorage }]), [{}, {}]);
});

const OIDC = { issuer: "https://issuer.example", client_id: "page" };
const CLAIMS = { iss: OIDC.issuer, aud: "page", nonce: "n", exp: 2_000_000_000 };
const WRONG = [
  [{ iss: "https://other.example" }, /is from/], [{ aud: "other" }, /another audience/], [{ aud: ["page", "api"] }, /another client/],
  [{ azp: "other" }, /another client/], [{ nonce: "m" }, /nonce/], [{ nonce: undefined }, /nonce/], [{ exp: 1 }, /expired/], [{ exp: undefined }, /expired/],
];

test("an ID token of another issuer, audience, client, sign-in or time is refused", () => {
  check(CLAIMS, OIDC, "n", 1_900_000_000);
  check({ ...CLAIMS, aud: ["page", "api"], azp: "page" }, OIDC, "n", 1_900_000_000);
  for (const [claims, expected] of WRONG) assert.throws(() => check({ ...CLAIMS, ...claims }, OIDC, "n", 1_900_000_000), expected, JSON.stringify(claims));
});

test("an issuer that is dead does not hang the page", async () => {
  // A port that nothing listens on.
  const dead = `http://127.0.0.1:${await freePort()}`;
  const other = await startServer({ JWKS_URL: `${dead}/jwks`, JWT_ISSUER: dead, JWT_AUDIENCE: "settings-page", OIDC_CLIENT_ID: "settings-page" });
  try {
    const page = await open(browser, other.url);
    await page.getByText("Signing in is not possible now").waitFor();
    await page.getByRole("button", { name: "Try again" }).waitFor();
  } finally {
    await other.close();
  }
});
