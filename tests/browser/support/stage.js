/** A server and a browser for the tests of the file that imports this, from before its first test to after its last. */
import { after, before } from "node:test";
import { launch, open, signIn } from "./browser.js";
import { startServer } from "./server.js";

export let server;
export let browser;

before(async () => {
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** Signs an owner in, in a browser of their own. Each test is an owner of its own. */
export async function begin(owner) {
  const jwt = await server.jwt(owner);
  const page = await open(browser, server.url);
  await signIn(page, jwt);
  return { page, jwt };
}
