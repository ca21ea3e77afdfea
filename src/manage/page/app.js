/** The page: which view a hash shows, who is signed in, and that no edit is lost on the way. */
import { alertBox, ask, button, element } from "./dom.js";
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
    this.session = new Session(settings, (reason) => this.sessionChanged(reason));
    this.api = new Api(this.session);
    /** Tokens that were made in this tab, by assistant. They are nowhere else. */
    this.secrets = new Map();
    this.chats = new Map();
    this.work = null;
    this.turn = 0;
  }

  async start() {
    await this.session.resume();
    this.route = location.hash;
    addEventListener("hashchange", () => this.moved());
    addEventListener("beforeunload", (event) => {
      if (this.dirty && !this.leaving) event.preventDefault();
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

  sessionChanged(reason) {
    if (reason === "ended") {
      // The edit survives both ways: in memory where the page stays, in the tab's storage where the sign-in leaves it.
      this.work?.keep(this.session.owner);
      return;
    }
    if (reason === "out") {
      this.work = null;
      for (const chat of this.chats.values()) chat.stop();
      // Whoever signs out is done here. A session that ended goes on where it was.
      if (!this.session.ended) this.clear();
    }
    this.account();
    this.show();
  }

  clear() {
    forget();
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

  /** The edit of one assistant goes on while one looks at its other tabs; leaving it is asked about. */
  async moved() {
    const next = location.hash;
    if (next === this.route) return;
    const stays = this.work !== null && parse(next).id === this.work.id && parse(next).view !== "list";
    if (this.dirty && !stays) {
      history.replaceState(null, "", this.route || "#/");
      if (!(await this.mayLeave())) return;
      history.replaceState(null, "", next);
    }
    if (!stays) this.work = null;
    this.route = next;
    await this.show();
  }

  async mayLeave() {
    if (!this.dirty) return true;
    const answer = await ask({
      title: "Leave without saving?", body: element("p", {}, "What you changed here is not saved and would be lost."),
      actions: [{ label: "Stay here", value: "stay", kind: "primary" }, { label: "Discard the changes", value: "leave", kind: "danger" }],
    });
    if (answer === "leave") this.work.discard();
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
      if (route.view === "list") this.put("Assistants", new ListView(this).render());
      else await this.assistant(route, isCurrent);
    } catch (error) {
      if (error.status !== 401 && isCurrent()) this.failed(error);
    }
  }

  async assistant(route, isCurrent) {
    if (this.work === null || this.work.id !== route.id) {
      this.put("Loading", element("p", { class: "help", role: "status" }, "Loading…"), false);
      const properties = await this.api.schema();
      const kept = restore(properties, this.session.owner, route.id);
      const work = kept ?? (await this.open(properties, route.id));
      if (!isCurrent()) return;
      this.work = work;
    }
    const view = await this.view(route.view);
    if (!isCurrent()) return;
    const isNew = this.work.id === null;
    const title = isNew ? "New assistant" : nameOf(this.work.base);
    this.put(`${title} – ${TABS[route.view]}`, element("div", {}, this.head(route.view, title), view));
    if (this.revealNext) this.form?.token.reveal();
    this.revealNext = false;
  }

  async open(properties, id) {
    if (id === null) return new Work(properties, null, null);
    const { data, etag } = await this.api.show(id);
    return new Work(properties, data, etag);
  }

  /** The views beside the settings are loaded when they are first looked at. */
  async view(name) {
    if (name === "try") return (await import("./try.js")).renderTry(this);
    if (name === "connect") return (await import("./connect.js")).renderConnect(this);
    if (name === "usage") return (await import("./usage.js")).renderUsage(this);
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
    document.title = title === "Assistants" ? title : `${title} – Assistants`;
    this.main.replaceChildren(node);
    scrollTo(0, 0);
    // Where the page begins to be used, the browser's own focus is right.
    if (focus && this.shown) (this.main.querySelector("h1") ?? this.main).focus({ preventScroll: true });
    if (focus) this.shown = true;
  }

  failed(error) {
    const text = error.status === 404 ? "This assistant does not exist, or it is not yours." : error.message;
    this.put("Error", element("div", {}, element("h1", { tabindex: "-1" }, "This did not work"), alertBox(text, error.requestId ? element("p", { class: "help" }, `Request ${error.requestId}`) : null),
      element("p", { class: "actions start" }, button("Try again", () => this.show()), element("a", { class: "button", href: "#/" }, "All assistants"))));
  }
}

function parse(hash) {
  if (hash === "#/new") return { view: "settings", id: null };
  const match = /^#\/assistants\/([^/]+)(?:\/(settings|try|connect|usage))?\/?$/.exec(hash);
  return match ? { view: match[2] ?? "settings", id: decodeURIComponent(match[1]) } : { view: "list", id: undefined };
}

new App(JSON.parse(document.getElementById("settings").textContent)).start();
