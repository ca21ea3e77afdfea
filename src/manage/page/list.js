/** The owner's assistants: search, more pages, delete. */
import { alertBox, announce, ask, button, element, formatTime, freshId, redraw, setOff } from "./dom.js";
import { valuesOf } from "./settings.js";

const SHOWN = ["access_mode", "model", "llm_type", "provider"];

export function badge(assistant) {
  const isPublic = valuesOf(assistant, ["access_mode"]).access_mode === "public_token";
  if (!isPublic) return element("span", { class: "badge" }, "Private");
  return assistant.token_hint ? element("span", { class: "badge on" }, "Public") : element("span", { class: "badge off" }, "Public, no token");
}

/** As a browser shows it: blanks and line breaks are one blank, and those at the ends are none. */
function shown(name) {
  return name.replace(/\s+/g, " ").trim();
}

export function nameOf(assistant) {
  return shown(assistant.name ?? "") || "Unnamed assistant";
}

function row(assistant) {
  const values = valuesOf(assistant, SHOWN);
  const model = values.model ?? values.llm_type ?? assistant.config?.model ?? "No model yet";
  return element("li", {},
    element("a", { href: `#/assistants/${encodeURIComponent(assistant.assistant_id)}/settings`, class: "row", "data-key": assistant.assistant_id },
      element("span", { class: "row-name" }, nameOf(assistant)),
      element("span", { class: "row-model" }, String(model)),
      badge(assistant),
      element("span", { class: "row-time" }, `Changed ${formatTime(assistant.updated_at)}`)));
}

/** What stays loaded, and where one was in it, while one goes to an assistant and back. */
export class ListView {
  constructor(context) {
    this.context = context;
    this.assistants = [];
    this.next = null;
    this.scroll = 0;
    this.turn = 0;
    const id = freshId("search");
    this.rows = element("ul", { class: "rows" });
    this.status = element("p", { class: "help", "aria-live": "polite" });
    this.more = button("Load more", () => this.load(this.next));
    this.problem = element("div", {});
    this.search = element("input", { type: "search", id, placeholder: "Name, model or id", autocomplete: "off", oninput: () => this.draw() });
    this.tools = element("div", { class: "tools", hidden: true }, element("label", { for: id, class: "sr" }, "Search the assistants"), this.search);
  }

  render() {
    this.draw();
    this.reload();
    return element("div", {},
      element("div", { class: "title" }, element("h1", { tabindex: "-1" }, "Assistants"), element("a", { class: "button primary", href: "#/new" }, "New assistant")),
      this.tools, this.problem, this.rows, this.status, this.more);
  }

  reload() {
    return this.load(null, this.assistants.length);
  }

  /** Loads what comes after `after`, or all from the beginning again, `count` of them at least. The load that began last counts. */
  async load(after, count = 0) {
    this.turn += 1;
    const { turn } = this;
    setOff(this.more, true);
    const before = this.rows.children.length;
    const moves = document.activeElement === this.more || this.problem.contains(document.activeElement);
    try {
      let found = after === null ? [] : this.assistants;
      let next = after;
      do {
        const page = await this.context.api.list(next);
        found = [...found, ...page.data];
        next = page.next;
      } while (next && found.length < count);
      if (turn !== this.turn) return;
      [this.assistants, this.next, this.loaded] = [found, next, true];
      redraw(this.problem);
      this.draw();
      if (moves) (this.rows.children[before]?.querySelector("a") ?? this.search).focus();
    } catch (error) {
      if (turn !== this.turn) return;
      if (error.status !== 401) redraw(this.problem, alertBox(error.message, button("Try again", () => this.load(after, count), "", "again")));
      if (!this.loaded) this.status.textContent = "";
    }
    setOff(this.more, false);
  }

  /** Takes out one that was deleted. */
  drop(id) {
    this.assistants = this.assistants.filter((each) => each.assistant_id !== id);
  }

  draw() {
    const words = this.search.value.trim().toLowerCase();
    const found = this.assistants.filter((assistant) => {
      const values = valuesOf(assistant, SHOWN);
      return [assistant.name, assistant.assistant_id, ...Object.values(values)].join(" ").toLowerCase().includes(words);
    });
    this.tools.hidden = this.assistants.length < 2;
    redraw(this.rows, found.map(row));
    this.more.hidden = !this.next;
    this.rows.hidden = found.length === 0;
    if (!this.loaded) this.status.textContent = "Loading…";
    else if (this.assistants.length === 0) this.status.replaceChildren(empty());
    else if (words && this.next) this.status.textContent = `${found.length} found among the ${this.assistants.length} that are loaded.`;
    else if (words) this.status.textContent = `${found.length} found.`;
    else this.status.textContent = "";
  }
}

function empty() {
  return element("span", { class: "empty" }, element("strong", {}, "There is no assistant yet."),
    element("span", {}, "An assistant is a model with a system prompt, and a token by which other programs call it."),
    element("a", { href: "#/new" }, "Create the first one"));
}

/** Asks for the name, then deletes. Gives true where the assistant is gone. */
export async function removeAssistant({ api, list }, assistant, etag) {
  const name = nameOf(assistant);
  const id = freshId("confirm");
  const input = element("input", { type: "text", id, autocomplete: "off", spellcheck: "false" });
  const problem = element("div", {});
  const body = [
    element("p", {}, "Whoever calls ", element("strong", {}, name), " gets a 404 error from then on. Its token can never be used by anybody else."),
    element("label", { for: id }, "Type its name to confirm: ", element("code", {}, name)), input, problem,
  ];
  const check = async () => {
    if (shown(input.value) !== name) {
      problem.replaceChildren(alertBox("That is not its name."));
      input.focus();
      return false;
    }
    try {
      await api.remove(assistant.assistant_id, etag);
      return true;
    } catch (error) {
      const text = error.status === 412 ? "It was changed elsewhere after you opened it. Reload the page and look at it before you delete it." : error.message;
      problem.replaceChildren(alertBox(text));
      return false;
    }
  };
  const answer = await ask({ title: "Delete this assistant?", body, actions: [{ label: "Delete", value: "deleted", kind: "danger", check }, { label: "Cancel" }] });
  if (answer !== "deleted") return false;
  list?.drop(assistant.assistant_id);
  announce(`${name} is deleted.`);
  return true;
}
