/** The settings of one assistant, new or not: fields, saving, problems at their fields, and the bar that says what is unsaved. */
import { alertBox, announce, button, element, freshId, isOff, setOff } from "./dom.js";
import { fieldOf, grouped, labelOf, otherKeys, patchOf, put, sentence } from "./settings.js";
import { fieldFor } from "./fields.js";
import { resolve } from "./conflict.js";
import { removeAssistant } from "./list.js";
import { TokenSection } from "./token.js";

export class Form {
  /** `work` is the edit (see work.js); `context` has `api`, `secrets` (tokens made in this tab) and `go(hash)`. */
  constructor(work, context) {
    this.work = work;
    this.context = context;
    this.fields = new Map();
    this.alerts = element("div", {});
    this.summary = element("p", { class: "summary", "aria-live": "polite" });
    this.saveButton = element("button", { type: "submit", class: "primary" }, work.id ? "Save changes" : "Create assistant");
    this.discardButton = button("Discard", () => this.discard());
    this.token = new TokenSection(this);
  }

  render() {
    const groups = grouped(this.work.properties).map((group) => this.group(group));
    const bar = element("div", { class: "savebar" }, this.summary, element("div", { class: "actions" }, this.discardButton, this.saveButton));
    this.bar = bar;
    const submit = (event) => {
      event.preventDefault();
      if (!isOff(this.saveButton)) this.save();
    };
    for (const [name, { text }] of this.work.unreadable) this.fields.get(name).write(text);
    this.changed();
    return element("form", { class: "settings", novalidate: true, onsubmit: submit, "aria-label": "Settings of the assistant" },
      this.alerts, this.basics(), groups, this.others(), this.work.id ? this.danger() : null, bar);
  }

  basics() {
    const field = fieldFor("name", { type: "string", description: "Only you see it.", placeholder: "Support bot" }, this.work.draft.name || undefined, () => this.read("name"));
    this.fields.set("name", field);
    return section("General", "", element("div", { class: "fields" }, field.node));
  }

  group({ title, about, main, rest }) {
    const nodes = (names) => names.flatMap((name) => {
      const field = fieldFor(name, this.work.properties[name], this.work.draft.values[name], () => this.read(name));
      this.fields.set(name, field);
      return name === "access_mode" ? [field.node, this.token.node] : [field.node];
    });
    const body = [element("div", { class: "fields" }, nodes(main))];
    if (rest.length > 0) {
      const open = rest.some((name) => name in this.work.draft.values && name !== "type");
      const words = main.length > 0 ? `${rest.length} more: ${rest.map(labelOf).join(", ")}` : `Show ${rest.length} settings`;
      body.push(element("details", { open }, element("summary", {}, words), element("div", { class: "fields" }, nodes(rest))));
    }
    return section(title, about, body);
  }

  others() {
    const others = otherKeys(this.work.base, this.work.names);
    if (others.length === 0) return null;
    const rows = others.map(([key, value]) => element("tr", {}, element("th", { scope: "row" }, key), element("td", {}, element("code", {}, JSON.stringify(value)))));
    return section("Other keys", "These keys are in the assistant’s config and mean nothing to this page. They stay as they are.",
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Other keys" }, element("table", {}, element("tbody", {}, rows))));
  }

  danger() {
    const remove = async () => {
      if (await removeAssistant(this.context, this.work.base, this.work.etag)) {
        this.work.reset();
        this.context.go("#/");
      }
    };
    return section("Delete", "Whoever calls the assistant gets an error from then on. This cannot be undone.",
      button("Delete this assistant…", remove, "danger"));
  }

  /** Takes a field's value into the edit. */
  read(name) {
    const field = this.fields.get(name);
    this.work.unreadable.delete(name);
    try {
      put(this.work.draft, name, field.read());
      field.show(null);
    } catch (error) {
      this.work.unreadable.set(name, { text: field.text(), message: error.message });
    }
    this.changed();
  }

  changed() {
    const { work } = this;
    this.fields.get("model")?.suggest(work.draft.values.provider);
    this.token.refresh();
    const names = work.changes();
    const dirty = names.length > 0;
    const said = dirty && work.id ? `Not saved: ${names.map(labelOf).join(", ")}` : work.id ? "All changes are saved." : "Nothing is saved yet.";
    this.summary.textContent = work.saving ? "Saving…" : said;
    this.bar?.classList.toggle("dirty", dirty);
    this.saveButton.setAttribute("aria-busy", String(work.saving));
    setOff(this.discardButton, !dirty || work.saving);
    setOff(this.saveButton, (work.id !== null && !dirty) || work.saving);
  }

  discard() {
    this.work.reset();
    this.refill();
    announce("The changes are discarded.");
  }

  /** Puts the edit's values into the fields, after something else than a field has changed them. */
  refill() {
    const { draft, unreadable } = this.work;
    for (const [name, field] of this.fields) {
      if (unreadable.has(name)) continue;
      field.refill(name === "name" ? draft.name || undefined : draft.values[name]);
      field.show(null);
    }
    this.alerts.replaceChildren();
    this.changed();
  }

  async save() {
    const { work, context } = this;
    for (const field of this.fields.values()) field.show(null);
    this.alerts.replaceChildren();
    this.token.show(null);
    if (work.unreadable.size > 0) {
      this.showProblems([...work.unreadable].map(([name, { message }]) => ({ param: name, message })));
      return;
    }
    const patch = patchOf(work.base, work.draft, work.names);
    const sent = work.snapshot();
    this.saves(true);
    let again = false;
    try {
      const saved = work.id ? await context.api.change(work.id, patch, work.etag) : await context.api.create(patch);
      this.saved(saved, sent);
    } catch (error) {
      again = await this.failed(error);
    }
    this.saves(false);
    if (again) await this.save();
  }

  /** The form of this edit that is on the page: one may have gone to another tab and back since this one began to save. */
  get shown() {
    return this.context.form?.work === this.work ? this.context.form : this;
  }

  saves(saving) {
    this.work.saving = saving;
    this.shown.changed();
  }

  saved({ data, etag }, sent) {
    const { work, context } = this;
    const isNew = !work.id;
    const made = data.public_token ?? sent.token?.own;
    work.saved(data, etag, sent);
    if (made) context.secrets.set(data.assistant_id, made);
    announce(isNew ? "The assistant is created." : "The changes are saved.");
    // Who has left meanwhile stays where they are.
    if (context.work !== work) return;
    if (isNew) {
      const typed = work.changes().length > 0 ? document.activeElement.closest("[data-setting]")?.dataset.setting : undefined;
      context.arrive = (form) => (typed ? form.fields.get(typed)?.focus() : made && form.token.reveal());
      context.go(`#/assistants/${data.assistant_id}/settings`);
      return;
    }
    this.shown.refill();
    context.retitle();
    if (made && work.changes().length === 0) this.shown.token.reveal();
  }

  /** Says what went wrong. Gives true where the edit now stands on top of somebody else's and is to be saved again. */
  async failed(error) {
    if (error.status === 401 || this.context.work !== this.work) return false;
    if (error.status === 412) return this.merge();
    if (error.problems?.length > 0) {
      this.showProblems(error.problems);
      return false;
    }
    this.alerts.replaceChildren(alertBox(error.message));
    this.alerts.scrollIntoView({ block: "center" });
    return false;
  }

  /** Somebody else was faster: their version is the new base, and the edit goes on top of it. */
  async merge() {
    const { work, context } = this;
    try {
      const { data, etag } = await context.api.show(work.id);
      const merged = await resolve(work, data);
      if (!merged) return false;
      work.rebase(data, etag, merged);
      this.shown.refill();
      context.retitle();
      if (work.changes().length === 0) announce("The assistant is saved as it is shown.");
      return work.changes().length > 0;
    } catch (error) {
      return this.failed(error);
    }
  }

  /** All problems at once, each at its field; the focus goes to the first one on the page. */
  showProblems(problems) {
    const strays = [];
    const wrong = new Set();
    for (const { param, message } of problems) {
      const name = fieldOf(param);
      const field = name === "public_token" ? this.token : this.fields.get(name);
      if (!field) {
        strays.push(`${param}: ${message}`);
        continue;
      }
      field.show(sentence(message));
      wrong.add(name);
      const details = field.node.closest("details");
      if (details) details.open = true;
    }
    const count = problems.length === 1 ? "One setting needs a change." : `${problems.length} settings need a change.`;
    this.alerts.replaceChildren(alertBox(`Nothing is saved: ${count}`, strays.map((stray) => element("p", {}, stray))));
    const order = [...this.fields.values()].find((field) => wrong.has(field.name));
    (order ?? (wrong.has("public_token") ? this.token : null))?.focus();
  }
}

function section(title, about, ...body) {
  const id = freshId("section");
  return element("section", { class: "card", "aria-labelledby": id },
    element("div", { class: "card-head" }, element("h2", { id }, title), about ? element("p", { class: "help" }, about) : null),
    element("div", { class: "card-body" }, body));
}
