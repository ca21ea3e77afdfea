/**
 * The Public Token of an assistant. Only its digest is stored, so that the token itself is there once: in the tab that made it,
 * until that is closed.
 */
import { alertBox, announce, ask, button, copyButton, element, formatTime, freshId, redraw } from "./dom.js";
import { tokenChange } from "./conflict.js";
import { sentence, valuesOf, writtenKey } from "./settings.js";

const GRACES = [[0, "At once"], [3600, "In 1 hour"], [86400, "In 1 day"], [604800, "In 7 days"], [2592000, "In 30 days"]];

/** As long and as random as the server's own. */
export function generate() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const text = btoa(String.fromCharCode(...bytes));
  return `pubkey_${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** The token that this tab made, null where there is none or another one has taken its place since. */
export function secretOf(secrets, assistant) {
  const secret = secrets.get(assistant?.assistant_id);
  return secret && assistant.token_hint && secret.endsWith(assistant.token_hint) ? secret : null;
}

export class TokenSection {
  constructor(form) {
    this.form = form;
    this.node = element("div", { class: "field wide token", "data-setting": "public_token", role: "group", "aria-label": "Public Token" });
    this.kind = null;
  }

  get work() {
    return this.form.work;
  }

  /** Draws again only where what is to be shown is of another kind: a text that is being typed stays. */
  refresh() {
    const { work } = this;
    const isPublic = work.draft.values.access_mode === "public_token";
    const hint = work.base?.token_hint ?? null;
    const secret = secretOf(this.form.context.secrets, work.base);
    // Once there is a token, an edit makes none: it is replaced and revoked by the buttons alone.
    if (hint || !isPublic) work.draft.token = null;
    else if (!work.draft.token && this.wasPrivate()) work.draft.token = { generate: true };
    const kind = JSON.stringify([isPublic, hint, secret, hint ? null : (work.draft.token ? "own" in work.draft.token : null)]);
    if (kind === this.kind) return;
    this.kind = kind;
    this.problem = element("p", { class: "problem", id: freshId("problem"), hidden: true });
    this.input = null;
    if (hint) redraw(this.node, this.existing(hint, isPublic, secret));
    else if (isPublic) redraw(this.node, this.missing());
    else redraw(this.node, element("p", { class: "label" }, "Public Token"), element("p", { class: "help" }, "It has none. It gets one when you make it public."));
  }

  wasPrivate() {
    return valuesOf(this.work.base, ["access_mode"]).access_mode !== "public_token";
  }

  /** The assistant is, or is to be, public and has no token. */
  missing() {
    const group = freshId("token");
    const { work } = this;
    const choose = (token) => {
      work.draft.token = token;
      this.form.changed();
    };
    const radio = (checked, token, title, about, extra = null) =>
      element("div", {}, element("label", { class: "choice" }, element("input", { type: "radio", name: group, checked, "data-key": title, onchange: () => choose(token) }),
        element("span", {}, element("strong", {}, title), element("span", { class: "help" }, about))), extra);
    const isOwn = work.draft.token?.own !== undefined;
    return [
      element("fieldset", { class: "choices" }, element("legend", {}, "Public Token"),
        work.draft.token ? null : element("p", { class: "note" }, "The assistant has no token: nobody can call it. Choose one and save."),
        radio(Boolean(work.draft.token?.generate), { generate: true }, "Generate one", "It is shown to you once, after saving."),
        radio(isOwn, { own: "" }, "Use my own", "16 to 512 visible ASCII characters without blanks. Make it hard to guess.", isOwn ? this.ownInput() : null)),
      this.problem,
    ];
  }

  ownInput() {
    const { work } = this;
    this.input = element("input", { type: "text", class: "code", autocomplete: "off", spellcheck: "false", "aria-label": "Your own token",
      "aria-describedby": this.problem.id, value: work.draft.token.own, placeholder: "pubkey_mybot_abc123", oninput: () => {
        work.draft.token = { own: this.input.value };
        work.mended("public_token");
        this.show(null);
        this.form.changed();
      } });
    return this.input;
  }

  existing(hint, isPublic, secret) {
    return [
      element("p", { class: "label" }, "Public Token"),
      secret ? this.secret(secret) : element("p", {}, "A token is set. It ends in ", element("code", {}, `…${hint}`), ". The token itself is not stored and cannot be shown again."),
      isPublic ? null : element("p", { class: "note" }, "While the assistant is private, its token opens nothing."),
      element("div", { class: "actions start" }, button("Replace…", () => this.replace(), "", "replace"), button("Revoke…", () => this.revoke(), "danger", "revoke")),
      this.problem,
    ];
  }

  secret(secret) {
    const hide = () => {
      this.form.context.secrets.delete(this.work.id);
      this.refresh();
    };
    return element("div", { class: "secret", tabindex: "-1" },
      element("p", {}, element("strong", {}, "Copy the token now. "), "It is shown in this tab only and cannot be shown again."),
      element("div", { class: "copyline" }, element("code", { "data-token": "" }, secret), copyButton(secret, "Copy", "Token"), button("Hide", hide, "small")));
  }

  /** Moves to the token that was just made. */
  reveal() {
    this.node.querySelector(".secret")?.focus({ preventScroll: true });
    this.node.scrollIntoView({ block: "center" });
  }

  show(message) {
    if (!this.problem) return;
    this.problem.textContent = message ?? "";
    this.problem.hidden = !message;
    this.input?.setAttribute("aria-invalid", String(Boolean(message)));
  }

  focus() {
    this.node.tabIndex = -1;
    (this.input ?? this.node.querySelector("input, button") ?? this.node).focus();
  }

  async replace() {
    const own = element("input", { type: "text", class: "code", autocomplete: "off", spellcheck: "false", placeholder: "Empty: one is generated", id: freshId("own") });
    const grace = element("select", { id: freshId("grace") }, GRACES.map(([seconds, label]) => element("option", { value: seconds }, label)));
    const note = element("p", { class: "note" });
    const tell = () => {
      note.textContent = grace.value === "0"
        ? "Everything that uses the old token gets a 401 error with its next request, until it has the new one."
        : `Everything goes on working with the old token until ${formatTime(Date.now() + Number(grace.value) * 1000)}. After that it gets a 401 error. Revoking ends this time at once.`;
    };
    grace.addEventListener("change", tell);
    tell();
    const problem = element("div", {});
    const body = [
      element("label", { for: own.id }, "New token"), own,
      element("label", { for: grace.id }, "The old token stops working"), grace, note, problem,
    ];
    const check = async () => {
      const token = own.value.trim() || generate();
      return this.apply(token, Number(grace.value), (message) => problem.replaceChildren(alertBox(message)));
    };
    const answer = await ask({ title: "Replace the token", body, actions: [{ label: "Replace the token", value: "replaced", kind: "primary", check }, { label: "Cancel" }] });
    if (answer) this.reveal();
  }

  async revoke() {
    const problem = element("div", {});
    const body = [element("p", {}, "Everything that uses this token gets a 401 error with its next request. This ends every time of transition too. The assistant stays, without a token."), problem];
    const check = () => this.apply(null, 0, (message) => problem.replaceChildren(alertBox(message)));
    const answer = await ask({ title: "Revoke the token", body, actions: [{ label: "Revoke the token", value: "revoked", kind: "danger", check }, { label: "Cancel" }] });
    if (answer) this.focus();
  }

  /** Changes the token at once, beside whatever else is being edited. Gives false where it failed. */
  async apply(token, grace, say) {
    const { work, form } = this;
    const body = { config: { configurable: { [writtenKey(work.base, "public_token")]: token } } };
    if (grace > 0) body.token_grace_seconds = grace;
    try {
      const { data, etag } = await this.change(body);
      // Whoever signed out meanwhile is told nothing, and nobody else is.
      if (!form.isOwners) return true;
      work.rebase(data, etag, { ...work.draft, token: null });
      if (token === null) form.context.secrets.delete(work.id);
      else form.context.secrets.set(work.id, token);
      form.changed();
      form.context.retitle();
      const until = data.old_token_valid_until;
      announce(token === null ? "The token is revoked." : until ? `The token is replaced. The old one works until ${formatTime(until)}.` : "The token is replaced.");
      return true;
    } catch (error) {
      say(error.problems?.[0] ? `The token cannot be used. ${sentence(error.problems[0].message)}` : error.message);
      return false;
    }
  }

  /**
   * On the version that was seen: what somebody else changed meanwhile must not be overwritten by a later save, and a token that
   * they set is not ended without a word.
   */
  async change(body) {
    const { work, form } = this;
    const { api } = form.context;
    try {
      return await api.change(work.id, body, work.etag);
    } catch (error) {
      if (error.status !== 412) throw error;
      const { data, etag } = await api.show(work.id);
      const { merged, conflicts } = work.compareWith(data);
      if (conflicts.length > 0) throw new Error("This assistant was changed elsewhere meanwhile. Close this dialog, save your changes first, then try again.");
      const token = tokenChange(work.base, data);
      work.rebase(data, etag, merged);
      form.refill();
      if (token) throw new Error(`This assistant was changed elsewhere meanwhile, and nothing was done. ${token} If you still want to, press the button again.`);
      return api.change(work.id, body, work.etag);
    }
  }
}
