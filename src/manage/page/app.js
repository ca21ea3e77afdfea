/** The page: which view a hash shows, who is signed in, and that no edit is lost on the way. */
import { alertBox, ask, button, closeDialogs, element } from "./dom.js";
import { Api } from "./api.js";
import { Session } from "./session.js";
import { ListView, badge, nameOf } from "./list.js";
import { Form } from "./form.js";
import { Work, forget, restore } from "./work.js";

const TABS = { settings: "Settings", try: "Try it", connect: "Connect", usage: "Usage" };

class App {
  constructor(settings) {
    this.settings = settings;
    this.main = document.getElementById("main");
    this.session = new Session(settings, (reason, owner) => this.sessionChanged(reason, owner));
    this.api = new Api(this.session);
    /** Tokens that were made in this tab, by assistant. They are nowhere else. */
    this.secrets = new Map();
    this.chats = new Map();
    /** What is drawn once and stays while one looks at something else. */
    this.list = null;
    this.work = null;
    this.turn = 0;
  }

  async start() {
    await this.session.resume();
    this.route = location.hash;
    this.step = history.state?.step ?? 0;
    history.replaceState({ step: this.step }, "");
    addEventListener("hashchange", () => this.moved());
    addEventListener("beforeunload", (event) => {
      if (this.dirty) event.preventDefault();
    });
    addEventListener("pagehide", () => this.work?.keep());
    document.querySelector(".skip").addEventListener("click", (event) => {
      // The hash is the view's.
      event.preventDefault();
      this.main.focus();
    });
    this.account();
    await this.show();
  }

  get baseUrl() {
    return `${(this.settings.public_url ?? location.origin).replace(/\/+$/, "")}/public/openai/v1`;
  }

  get dirty() {
    return this.work !== null && this.work.changes().length > 0;
  }

  go(hash) {
    if (location.hash === hash) this.show();
    else location.hash = hash;
  }

  /** The page of a new assistant becomes the page of this one, which takes its place in the history. */
  become(work) {
    if (this.work !== work) return;
    if (location.hash !== this.route) {
      // The way that led elsewhere is being taken back.
      addEventListener("hashchange", () => this.become(work), { once: true });
      return;
    }
    history.replaceState({ step: this.step }, "", `#/assistants/${encodeURIComponent(work.id)}/settings`);
    this.show();
  }

  /** `owner` is who signed out. Where the server ended the session, it gives whether the edit outlives the page. */
  sessionChanged(reason, owner) {
    if (reason === "ended") {
      closeDialogs();
      return this.work?.keep() ?? true;
    }
    if (reason === "out") {
      this.work = null;
      this.list = null;
      for (const chat of this.chats.values()) chat.stop();
      // Whoever signs out is done here. A session that ended goes on where it was.
      if (!this.session.ended) this.clear(owner);
    }
    this.account();
    this.show();
    return true;
  }

  clear(owner) {
    forget(owner);
    this.secrets.clear();
    this.chats.clear();
  }

  account() {
    const place = document.getElementById("account");
    if (!this.session.signedIn) {
      place.replaceChildren();
      return;
    }
    const out = async () => {
      if (await this.mayLeave()) this.session.signOut();
    };
    place.replaceChildren(element("span", { class: "who", title: this.session.label }, this.session.label), button("Sign out", out, "small"));
  }

  /**
   * The edit of one assistant goes on while one looks at its other tabs; leaving it is asked about. The history's entries are
   * numbered, so that the way that led elsewhere can be taken back meanwhile, and no entry is lost, whatever the answer.
   */
  async moved() {
    const next = location.hash;
    if (history.state === null) history.replaceState({ step: this.step + 1 }, "");
    if (next === this.route) return;
    const steps = history.state.step - this.step;
    const stays = this.work !== null && parse(next).id === this.work.id;
    if (this.dirty && !stays) {
      history.go(-steps);
      if (!this.asked && (await this.mayLeave())) history.go(steps);
      return;
    }
    if (!stays) this.work = null;
    this.step += steps;
    this.route = next;
    await this.show();
  }

  async mayLeave() {
    if (!this.dirty) return true;
    this.asked = true;
    const lost = this.work.saving
      ? `${this.work.id ? "Your changes are being saved" : "The assistant is being created"}, and that goes on if you leave. What you have changed since then is not saved and would be lost.`
      : "What you changed here is not saved and would be lost.";
    const answer = await ask({
      title: "Leave without saving?", body: element("p", {}, lost),
      actions: [{ label: "Stay here", value: "stay", kind: "primary" }, { label: "Discard the changes", value: "leave", kind: "danger" }],
    });
    this.asked = false;
    if (answer === "leave") this.work?.reset();
    return answer === "leave";
  }

  /** Shows the view of the current hash. A slower view that was asked for earlier must not overwrite a later one. */
  async show() {
    this.turn += 1;
    const turn = this.turn;
    this.route = location.hash;
    const isCurrent = () => turn === this.turn;
    if (!this.session.signedIn) {
      this.put("Sign in", this.session.render());
      return;
    }
    const route = parse(location.hash);
    try {
      if (route.view === "list") this.showList();
      else await this.assistant(route, isCurrent);
    } catch (error) {
      if (error.status !== 401 && isCurrent()) this.failed(error);
    }
  }

  showList() {
    this.list ??= new ListView(this);
    const { scroll } = this.list;
    this.put("Assistants", this.list.render());
    scrollTo(0, scroll);
  }

  async assistant(route, isCurrent) {
    if (this.work === null || this.work.id !== route.id) {
      this.put("Loading", element("p", { class: "help", role: "status" }, "Loading…"), false);
      const properties = await this.api.schema();
      if (!isCurrent()) return;
      const work = restore(properties, this.session.owner, route.id) ?? (await this.open(properties, route.id));
      if (!isCurrent()) return;
      this.work = work;
    }
    const view = await this.view(route.view);
    if (!isCurrent()) return;
    const isNew = this.work.id === null;
    const title = isNew ? "New assistant" : nameOf(this.work.base);
    this.put(`${title} – ${TABS[route.view]}`, element("div", {}, this.head(route.view, title), view));
    this.arrive?.(this.form);
    this.arrive = null;
  }

  async open(properties, id) {
    const { owner } = this.session;
    if (id === null) return new Work(properties, owner, null, null);
    const { data, etag } = await this.api.show(id);
    return new Work(properties, owner, data, etag);
  }

  /** The views beside the settings are loaded when they are first looked at. */
  async view(name) {
    const load = (module) => module.catch(() => {
      throw new Error("This part of the page could not be loaded. There may be a newer version of the page: reload it. What you have not saved is kept.");
    });
    if (name === "try") return (await load(import("./try.js"))).renderTry(this);
    if (name === "connect") return (await load(import("./connect.js"))).renderConnect(this);
    if (name === "usage") return (await load(import("./usage.js"))).renderUsage(this);
    this.form = new Form(this.work, this);
    return this.form.render();
  }

  head(current, title) {
    const { work } = this;
    this.heading = element("h1", { tabindex: "-1" }, title);
    this.badge = element("span", {}, work.id ? badge(work.base) : null);
    const link = ([view, label]) =>
      element("li", {}, element("a", { href: `#/assistants/${encodeURIComponent(work.id)}/${view}`, "aria-current": view === current ? "page" : null }, label));
    return element("div", { class: "head" },
      element("nav", { "aria-label": "Back" }, element("a", { class: "back", href: "#/" }, "← All assistants")),
      element("div", { class: "title" }, this.heading, this.badge),
      work.id ? element("nav", { class: "tabs", "aria-label": "The assistant" }, element("ul", {}, Object.entries(TABS).map(link))) : null);
  }

  /** After a save, in place of drawing everything again. */
  retitle() {
    this.heading.textContent = nameOf(this.work.base);
    this.badge.replaceChildren(badge(this.work.base));
  }

  put(title, node, focus = true) {
    if (this.list?.rows.isConnected) this.list.scroll = scrollY;
    document.title = title === "Assistants" ? title : `${title} – Assistants`;
    this.main.replaceChildren(node);
    scrollTo(0, 0);
    this.main.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    // Where the page begins to be used, the browser's own focus is right.
    if (focus && this.shown) (this.main.querySelector("h1") ?? this.main).focus({ preventScroll: true });
    if (focus) this.shown = true;
  }

  failed(error) {
    this.put("Error", element("div", {}, element("h1", { tabindex: "-1" }, "This did not work"), alertBox(error.message, error.requestId ? element("p", { class: "help" }, `Request ${error.requestId}`) : null),
      element("p", { class: "actions start" }, button("Try again", () => this.show()), element("a", { class: "button", href: "#/" }, "All assistants"))));
  }
}

function parse(hash) {
  if (hash === "#/new") return { view: "settings", id: null };
  const match = /^#\/assistants\/([^/]+)(?:\/(settings|try|connect|usage))?\/?$/.exec(hash);
  const list = { view: "list", id: undefined };
  try {
    return match ? { view: match[2] ?? "settings", id: decodeURIComponent(match[1]) } : list;
  } catch {
    // Its escapes are none.
    return list;
  }
}

new App(JSON.parse(document.getElementById("settings").textContent)).start();
