/** Snippets for this assistant, ready to paste. Their one source is snippets.json, which documents and tests use too. */
import { copyButton, element, freshId } from "./dom.js";
import { nameOf } from "./list.js";
import { valuesOf } from "./settings.js";
import { secretOf } from "./token.js";

let snippets = null;

async function load() {
  if (!snippets) {
    const response = await fetch(new URL("./snippets.json", import.meta.url));
    if (!response.ok) throw new Error("The snippets could not be loaded. Try again.");
    snippets = await response.json().catch(() => {
      throw new Error("The snippets could not be loaded. Try again.");
    });
  }
  return snippets;
}

/** Where the base URL and the token stand in a snippet. */
const PLACES = /\{\{BASE_URL\}\}|os\.environ\["TOKEN"\]|process\.env\.TOKEN|"Authorization: Bearer \$TOKEN"|\$TOKEN/g;

/** `token` is null unless its owner wants to see it. */
export function filled(snippet, baseUrl, token) {
  // In one pass and by a function: a token may hold `$&` or a place's own name.
  return snippet.text.replace(PLACES, (place) => {
    if (place === "{{BASE_URL}}") return baseUrl;
    if (token === null) return place;
    if (place === "$TOKEN") return token;
    // Within the shell's single quotes only a single quote has to be escaped.
    if (place.startsWith('"Authorization')) return `'Authorization: Bearer ${token.replaceAll("'", () => "'\\''")}'`;
    return JSON.stringify(token);
  });
}

function block(snippet, baseUrl, secret) {
  const pre = element("pre", { tabindex: "0" });
  const id = freshId("snippet");
  let text = "";
  const draw = (shows) => {
    text = filled(snippet, baseUrl, shows ? secret : null);
    pre.replaceChildren(element("code", {}, text));
  };
  draw(false);
  const node = element("section", { class: "card snippet", "aria-labelledby": id, "data-snippet": snippet.id },
    element("div", { class: "card-head" }, element("h2", { id }, snippet.name), snippet.about ? element("p", { class: "help" }, snippet.about) : null),
    element("div", { class: "codeblock" }, element("div", { class: "codehead" }, element("span", {}, snippet.language), copyButton(() => text, "Copy", snippet.name)), pre));
  return { node, draw };
}

/** What a caller would meet, before somebody pastes anything. */
function state(work) {
  const isPublic = valuesOf(work.base, ["access_mode"]).access_mode;
  const link = element("a", { href: `#/assistants/${encodeURIComponent(work.id)}/settings` }, "Open Settings");
  if (isPublic !== "public_token") return element("p", { class: "note" }, "This assistant is private: callers get a 403 error until its Access Mode is public. ", link);
  if (!work.base.token_hint) return element("p", { class: "note" }, "This assistant has no token: nobody can call it. ", link);
  return null;
}

export async function renderConnect(app) {
  const { work } = app;
  const secret = secretOf(app.secrets, work.base);
  const blocks = (await load()).map((snippet) => block(snippet, app.baseUrl, secret));
  const line = (label, value, what) => element("div", {}, element("dt", {}, label), element("dd", { class: "copyline" }, element("code", {}, value), copyButton(value, "Copy", what)));
  const show = secret ? element("label", { class: "switch" }, element("input", { type: "checkbox", onchange: (event) => blocks.forEach(({ draw }) => draw(event.target.checked)) }), " Show the token in the snippets") : null;
  const tokenText = secret ? "The token that you made in this tab." : work.base.token_hint ? `The one that ends in …${work.base.token_hint}. It is not stored here: use your copy.` : "None yet.";
  return element("div", { class: "connect" }, state(work),
    element("section", { class: "card", "aria-label": "Address" }, element("div", { class: "card-head" }, element("h2", {}, `Connect ${nameOf(work.base)}`), element("p", { class: "help" }, "Anything that speaks OpenAI’s API can call it.")),
      element("div", { class: "card-body" },
        element("dl", { class: "lines" }, line("Base URL", app.baseUrl, "Base URL"), element("div", {}, element("dt", {}, "API key"), element("dd", {}, tokenText)), element("div", {}, element("dt", {}, "Model"), element("dd", {}, "Any. It is ignored: the assistant’s own model answers."))), show)),
    blocks.map(({ node }) => node));
}
