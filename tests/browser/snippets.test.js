/** The snippets of the page, run as they stand: with the token in their environment. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { filled } from "../../src/manage/page/connect.js";
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

/** Any visible ASCII is a token: patterns of `replace`, quotes, and the names of the snippets' own places. */
const ODD = ["pa$$word-$&-$`-$'-$1", "a'b\"c\\d`e$TOKEN!f", "process.env.TOKEN{{BASE_URL}}"];

for (const { id, language, text } of SNIPPETS) {
  test(`${id} holds an odd token as it is`, () => {
    for (const odd of ODD) {
      const shown = filled({ text }, "https://a.example/$&/v1", odd);
      assert.ok(shown.includes("https://a.example/$&/v1"), shown);
      const written = language === "steps" ? odd : id === "curl" ? odd.replaceAll("'", () => "'\\''") : JSON.stringify(odd);
      assert.ok(shown.includes(written), shown);
    }
  });
}
