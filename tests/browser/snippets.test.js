/** The snippets of the page, run as they stand: with the token in their environment. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { run } from "./support/programs.js";
import { manage, startServer } from "./support/server.js";

const SNIPPETS = JSON.parse(await readFile(new URL("../../src/manage/page/snippets.json", import.meta.url), "utf8"));
let server;
let token;

before(async () => {
  server = await startServer();
  const settings = { model: "gpt-4o-mini", access_mode: "public_token" };
  const created = await manage(server, await server.jwt("owner"), "POST", "/assistants", { config: { configurable: settings } });
  token = created.public_token;
});

after(() => server?.close());

for (const { id, language, text } of SNIPPETS) {
  if (language === "steps") {
    test(`${id} names the base URL and the token`, () => {
      assert.ok(text.includes("{{BASE_URL}}") && text.includes("$TOKEN"));
    });
  } else {
    test(`${id} runs as it stands and is answered`, async (context) => {
      const snippet = text.replaceAll("{{BASE_URL}}", `${server.url}/public/openai/v1`);
      const said = await run(id, snippet, token);
      if (said === null) context.skip("its program is not set: `make test` sets it");
      else assert.match(said, /Paris|capital/i);
    });
  }
}
