/** Who is signed in. The JWT is in this module's memory and nowhere else: a reload signs out. */
import { alertBox, button, element, formatTime, freshId } from "./dom.js";
import { begin, claimsOf, finish, logoutUrl } from "./oidc.js";
import { errorOf, replyOf, unreachable } from "./api.js";

export class Session {
  #token = null;

  /**
   * `settings` are the page's; `onchange(reason)` is called after each sign-in and sign-out, and before a session ends: it then says
   * whether what is unsaved outlives the page.
   */
  constructor(settings, onchange) {
    this.settings = settings;
    this.onchange = onchange;
    this.notice = null;
    /** Whether the server ended it, rather than its owner. */
    this.ended = false;
  }

  token() {
    return this.#token;
  }

  get signedIn() {
    return this.#token !== null;
  }

  /** The JWT's `sub`, and a name for people. */
  get owner() {
    return this.signedIn ? String(claimsOf(this.#token).sub ?? "") : null;
  }

  get label() {
    const claims = claimsOf(this.#token);
    return [claims.email, claims.name, claims.preferred_username, claims.sub].find(isText) ?? "Signed in";
  }

  start(token) {
    this.#token = token;
    this.notice = null;
    this.ended = false;
    this.onchange("in");
  }

  /** The server no longer takes the JWT. */
  end(message) {
    if (!this.signedIn) return;
    this.ended = true;
    const kept = this.onchange("ended");
    this.notice = `You have to sign in again: ${message} ${kept ? "What you have not saved is kept." : "The browser does not store what you have not saved: it is lost once this page is reloaded or left, also for a sign-in elsewhere."}`;
    this.#token = null;
    this.onchange("out");
  }

  signOut() {
    const { owner } = this;
    const url = this.settings.oidc?.issuer ? logoutUrl(this.settings.oidc, this.#token) : null;
    this.#token = null;
    this.ended = false;
    this.notice = "You are signed out.";
    this.onchange("out", owner);
    if (url) location.assign(url);
  }

  /** Takes the issuer's answer, if this load of the page is one. */
  async resume() {
    if (!this.settings.oidc?.issuer) return;
    try {
      const token = await finish(this.settings.oidc);
      if (token) this.#token = token;
    } catch (error) {
      this.notice = error.message;
    }
  }

  render() {
    const { oidc, local_session: local } = this.settings;
    const ways = [
      oidc?.issuer ? this.provider() : null,
      oidc?.problem ? this.broken() : null,
      local ? this.local() : null,
      oidc ? null : this.paste(local),
    ];
    return element("div", { class: "sign-in" },
      element("h1", { tabindex: "-1" }, "Sign in"),
      element("p", { class: "help" }, "Set up your assistants, give them a token, and try them."),
      this.notice ? element("div", { class: "note", role: "status" }, this.notice) : null,
      ways);
  }

  provider() {
    const { oidc } = this.settings;
    const problem = element("div", {});
    const go = () => begin(oidc).catch((error) => problem.replaceChildren(alertBox(`The sign-in could not begin: ${error.message}`)));
    return element("div", { class: "card pad" }, button(`Sign in with ${new URL(oidc.issuer).host}`, go, "primary full"), problem);
  }

  broken() {
    return element("div", { class: "card pad" }, alertBox(`Signing in is not possible now: ${this.settings.oidc.problem}`), button("Try again", () => location.reload(), "full"));
  }

  local() {
    const problem = element("div", {});
    const signIn = async () => {
      try {
        const response = await fetch("/local-session", { method: "POST" }).catch(() => {
          throw unreachable();
        });
        if (!response.ok) throw await errorOf(response);
        this.start((await replyOf(response, "token")).token);
      } catch (error) {
        problem.replaceChildren(alertBox(error.message));
      }
    };
    return element("div", { class: "card pad" }, button("Sign in on this machine", signIn, "primary full"),
      element("p", { class: "help" }, "This server runs on your own machine, so that no password is needed."), problem);
  }

  /** With `below`, the other way comes first and this one is folded. */
  paste(below) {
    const id = freshId("jwt");
    // No password field: browsers would offer to keep it. The style hides the letters.
    const input = element("textarea", { id, rows: 4, class: "code masked", autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-describedby": `${id}-help`, oninput: () => tell() });
    const says = element("p", { class: "help", id: `${id}-help`, "aria-live": "polite" }, "It stays in this tab’s memory and is gone when you reload or close it.");
    const submit = element("button", { type: "submit", class: below ? "full" : "primary full", disabled: true }, "Sign in");
    const tell = () => {
      const token = pasted(input.value);
      const { text, usable } = expiry(token);
      says.textContent = text;
      says.classList.toggle("problem", !usable && token !== "");
      submit.disabled = !usable;
    };
    const go = (event) => {
      event.preventDefault();
      const token = pasted(input.value);
      if (!expiry(token).usable) return;
      input.value = "";
      this.start(token);
    };
    const form = element("form", { onsubmit: go, novalidate: true }, element("label", { for: id }, "JWT"), input, says, submit,
      element("p", { class: "help" }, "Whoever runs this endpoint gives you one: ", element("code", {}, "make token OWNER=me"), " prints one."));
    return below ? element("details", { class: "card pad" }, element("summary", {}, "Sign in with a JWT"), form) : element("div", { class: "card pad" }, form);
  }
}

/** A claim may be of any kind. */
function isText(claim) {
  return typeof claim === "string" && claim !== "";
}

/** The JWT in what was pasted: without a terminal's line breaks, quotes, letters of no width, or the header that it stood in. */
export function pasted(text) {
  return text.replace(/\p{Cf}/gu, "").replace(/^[\s"'`]*(authorization:\s*)?bearer\s+/i, "").replace(/[\s"'`“”‘’]/g, "");
}

/** What there is to say of a pasted JWT before it is used. */
export function expiry(token, now = Date.now()) {
  if (token === "") return { usable: false, text: "It stays in this tab’s memory and is gone when you reload or close it." };
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) {
    return { usable: false, text: "This is not a whole JWT: it has to be three parts of letters, digits, “-” and “_”, with dots between them. Copy it again." };
  }
  try {
    const claims = claimsOf(token);
    if (typeof claims.exp !== "number") return { usable: false, text: "This JWT has no expiry (exp): the server refuses such a one. Ask for another." };
    const when = formatTime(claims.exp * 1000);
    if (claims.exp * 1000 <= now) return { usable: false, text: `This JWT expired on ${when}. Ask for a new one.` };
    return { usable: true, text: `For ${isText(claims.sub) ? claims.sub : "an unnamed owner"}, valid until ${when}.` };
  } catch (error) {
    return { usable: false, text: error.message };
  }
}
