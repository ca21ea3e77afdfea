/** The settings of one assistant, new or not: fields, saving, problems at their fields, and the bar that says what is unsaved. */
import { alertBox, announce, button, element, freshId, isOff, setOff } from "./dom.js";
import { fieldOf, grouped, labelOf, otherKeys, patchOf, put, sentence } from "./settings.js";
import { fieldFor } from "./fields.js";
import { resolve } from "./conflict.js";
import { nameOf, removeAssistant } from "./list.js";
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
    this.node = element("form", { class: "settings", novalidate: true, onsubmit: submit, "aria-label": "Settings of the assistant" },
      this.alerts, this.basics(), groups, this.others(), this.work.id ? this.danger() : null, bar);
    this.showTrouble();
    return this.node;
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
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Their names and values" }, element("table", {}, element("tbody", {}, rows))));
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
    this.work.mended(name);
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
    this.showTrouble();
    this.changed();
  }

  async save() {
    const { work, context } = this;
    for (const field of this.fields.values()) field.show(null);
    this.alerts.replaceChildren();
    this.token.show(null);
    work.trouble = null;
    if (work.unreadable.size > 0) {
      this.fail({ problems: [...work.unreadable].map(([name, { message }]) => ({ param: name, message })) });
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

  /** Whoever has signed in since is told nothing of this edit. */
  get isOwners() {
    return this.context.session.owner === this.work.owner;
  }

  saves(saving) {
    this.work.saving = saving;
    this.shown.changed();
    this.work.onchange();
  }

  saved({ data, etag }, sent) {
    const { work, context } = this;
    const isNew = !work.id;
    const made = data.public_token ?? sent.token?.own;
    work.saved(data, etag, sent);
    if (!this.isOwners) return;
    if (made) context.secrets.set(data.assistant_id, made);
    announce(isNew ? "The assistant is created." : "The changes are saved.");
    // Who has left meanwhile stays where they are.
    if (context.work !== work) {
      context.list?.reload();
      return;
    }
    if (isNew) {
      const typed = work.changes().length > 0 ? document.activeElement.closest("[data-setting]")?.dataset.setting : undefined;
      context.arrive = (form) => (typed ? form.fields.get(typed)?.focus() : made && form.token.reveal());
      context.become(work);
      return;
    }
    this.shown.refill();
    context.retitle();
    if (made && work.changes().length === 0) this.shown.token.reveal();
  }

  /** Says what went wrong. Gives true where the edit now stands on top of somebody else's and is to be saved again. */
  async failed(error) {
    if (error.status === 401 || !this.isOwners) return false;
    if (error.status === 412 && this.context.work === this.work) return this.merge();
    this.fail(error);
    return false;
  }

  /** At the fields, where they are on the page; else to everybody, and at the fields once they are there again. */
  fail({ message, problems = [] }) {
    const { work, shown } = this;
    work.trouble = { message, problems: [...problems] };
    shown.showTrouble();
    if (shown.node.isConnected) shown.moveToTrouble();
    else announce(`${work.id ? `The changes of ${nameOf(work.base)} are not saved` : "The assistant is not created"}: ${problems.length > 0 ? counted(problems) : message}`);
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

  /** Why the last save failed: all problems at once, each at its field. */
  showTrouble() {
    const { trouble } = this.work;
    if (!trouble) return;
    const strays = [];
    for (const { param, message } of trouble.problems) {
      const field = this.fieldFor(param);
      field?.show(sentence(message));
      if (!field) strays.push(element("p", {}, `${param}: ${message}`));
      const details = field?.node.closest("details");
      if (details) details.open = true;
    }
    const text = trouble.problems.length > 0 ? `Nothing is saved: ${counted(trouble.problems)}` : trouble.message;
    if (text) this.alerts.replaceChildren(alertBox(text, strays));
  }

  /** To the first field on the page that has a problem, else to what is said above them all. */
  moveToTrouble() {
    const wrong = new Set(this.work.trouble.problems.map(({ param }) => this.fieldFor(param)));
    const first = [...this.fields.values(), this.token].find((field) => wrong.has(field));
    if (first) first.focus();
    else this.alerts.scrollIntoView({ block: "center" });
  }

  fieldFor(param) {
    const name = fieldOf(param);
    return name === "public_token" ? this.token : this.fields.get(name);
  }
}

function counted(problems) {
  return problems.length === 1 ? "One setting needs a change." : `${problems.length} settings need a change.`;
}

function section(title, about, ...body) {
  const id = freshId("section");
  return element("section", { class: "card", "aria-labelledby": id },
    element("div", { class: "card-head" }, element("h2", { id }, title), about ? element("p", { class: "help" }, about) : null),
    element("div", { class: "card-body" }, body));
}
