/** A conversation with one assistant over the public endpoint, as any caller has it. */
import { announce, button, copyButton, element, formatNumber, freshId } from "./dom.js";
import { render } from "./markdown.js";
import { adviceFor, complete } from "./stream.js";
import { labelOf } from "./settings.js";

/** A trial token is not begun a request with in its last seconds. */
const MARGIN = 20_000;

const FINISH = {
  stop: "", length: "The answer ends here because it reached the longest length that is allowed.", content_filter: "The provider’s content filter ended the answer here.",
};

class Chat {
  constructor(app, id) {
    this.app = app;
    this.id = id;
    /** What counts as said: `{role, content}`. An answer that was cut off is not a part of it. */
    this.messages = [];
    this.trial = null;
    this.running = null;
    /** Told when a reply begins and ends. The view is drawn anew each time that one comes back to it. */
    this.onchange = () => {};
    this.log = element("div", { class: "log", role: "log", "aria-label": "Conversation", tabindex: "0" });
    /** Whether the end is kept in sight; a reader who scrolls up is left there. */
    this.follows = true;
    this.log.addEventListener("scroll", () => {
      this.follows = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60;
    });
    this.clear();
  }

  clear() {
    this.stop();
    this.messages = [];
    this.log.replaceChildren(element("p", { class: "empty" }, "Say something. The answer comes from the public endpoint, with a trial token that works for 15 minutes."));
  }

  stop() {
    this.running?.abort();
  }

  async token() {
    if (!this.trial || Date.parse(this.trial.expires_at) - MARGIN < Date.now()) this.trial = await this.app.api.trial(this.id);
    return this.trial.token;
  }

  async send(text) {
    if (this.running) return;
    // A new conversation may begin before this reply has ended: it must not find the old one's end among its messages.
    const said = this.messages;
    const running = new AbortController();
    this.running = running;
    if (this.messages.length === 0) this.log.replaceChildren();
    const asked = { role: "user", content: text };
    this.log.append(element("div", { class: "turn user" }, element("h2", { class: "speaker" }, "You"), element("div", { class: "bubble" }, text)));
    const answer = new Answer(() => this.toEnd());
    this.log.append(answer.node);
    this.toEnd(true);
    this.onchange();
    try {
      await this.answer([...said, asked], answer, running.signal);
      said.push(asked, { role: "assistant", content: answer.text });
      announce("The answer is complete.", true);
    } catch (error) {
      if (error.name === "AbortError") {
        answer.stopped();
        // What was read was said: the conversation goes on from there.
        if (answer.text) said.push(asked, { role: "assistant", content: answer.text });
      } else answer.failed(error, text);
    }
    this.running = null;
    this.toEnd();
    this.onchange();
  }

  async answer(messages, answer, signal) {
    const ask = async () => complete({
      url: `${this.app.baseUrl}/chat/completions`, token: await this.token(), messages, signal,
      onText: (text) => answer.add(text),
      onThought: (text) => answer.think(text),
    });
    answer.began = performance.now();
    let result;
    try {
      result = await ask();
    } catch (error) {
      // The trial may have been ended from elsewhere: once more with a new one.
      if (error.status !== 401 || error.code !== "invalid_api_key") throw error;
      this.trial = null;
      result = await ask();
    }
    answer.finish(result);
  }

  toEnd(always = false) {
    if (always || this.follows) this.log.scrollTop = this.log.scrollHeight;
  }
}

/** One answer on the page. */
class Answer {
  /** `ondraw` is told when the answer has grown on the page. */
  constructor(ondraw) {
    this.ondraw = ondraw;
    this.text = "";
    this.thoughts = "";
    this.first = null;
    this.cost = 0;
    this.body = element("div", { class: "bubble markdown", "aria-busy": "true" }, element("span", { class: "waiting", role: "img", "aria-label": "Waiting for the answer" }));
    this.after = element("div", {});
    this.node = element("div", { class: "turn assistant" }, element("h2", { class: "speaker" }, "Assistant"), this.body, this.after);
  }

  add(text) {
    this.first ??= performance.now();
    this.text += text;
    this.drawSoon();
  }

  think(text) {
    this.first ??= performance.now();
    this.thoughts += text;
    this.drawSoon();
  }

  /** Draws what has come until the next frame. Each drawing parses the whole text, so it may take a fifth of the time at most. */
  drawSoon() {
    this.timer ??= setTimeout(() => {
      this.frame = requestAnimationFrame(() => this.draw());
    }, 4 * this.cost);
  }

  draw() {
    clearTimeout(this.timer);
    if (this.frame) cancelAnimationFrame(this.frame);
    this.timer = null;
    this.frame = null;
    const began = performance.now();
    const open = this.body.querySelector("details.thoughts")?.open ?? false;
    const thoughts = this.thoughts ? element("details", { class: "thoughts", open }, element("summary", {}, "Thinking"), element("p", {}, this.thoughts)) : "";
    this.body.replaceChildren(thoughts, ...render(this.text));
    this.ondraw();
    this.cost = performance.now() - began;
  }

  end() {
    this.draw();
    this.body.removeAttribute("aria-busy");
    if (!this.text && !this.thoughts) this.body.hidden = true;
  }

  finish({ finish, usage, model, requestId, omitted }) {
    const now = performance.now();
    this.end();
    if (!this.text) {
      this.body.hidden = false;
      this.body.append(element("em", {}, "The answer is empty."));
    }
    const seconds = (now - (this.first ?? now)) / 1000;
    const facts = [
      this.first === null ? null : ["First token", `${((this.first - this.began) / 1000).toFixed(2)} s`],
      usage && seconds > 0.05 ? ["Speed", `${(usage.completion_tokens / seconds).toFixed(1)} tokens/s`] : null,
      usage ? ["Tokens", `${formatNumber(usage.prompt_tokens)} in, ${formatNumber(usage.completion_tokens)} out`] : null,
      ["Finish", finish ?? "none"],
      model ? ["Model", model] : null,
      omitted ? ["Left out", omitted] : null,
      requestId ? ["Request", requestId] : null,
    ];
    const note = FINISH[finish] ?? "";
    this.after.replaceChildren(note ? element("p", { class: "note" }, note) : "", element("dl", { class: "facts" }, facts.filter(Boolean).map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)))));
  }

  stopped() {
    this.end();
    this.after.replaceChildren(element("p", { class: "note" }, "You stopped the answer here. It is not complete."));
  }

  failed(error, question) {
    this.end();
    const advice = adviceFor(error);
    const title = this.text ? "The answer was cut off. It is not complete." : "There is no answer.";
    const detail = [error.code, error.status > 0 && error.status !== 200 ? `status ${error.status}` : null].filter(Boolean).join(", ");
    this.after.replaceChildren(element("div", { class: "alert", role: "alert" },
      element("p", {}, element("strong", {}, title)), element("p", {}, error.message), advice ? element("p", {}, advice) : null,
      element("p", { class: "help" }, detail ? element("code", {}, detail) : null, error.requestId ? ` Request ${error.requestId} ` : " ", copyButton(question, "Copy your question"))));
  }
}

export function renderTry(app) {
  const { work } = app;
  if (!app.chats.has(work.id)) app.chats.set(work.id, new Chat(app, work.id));
  const chat = app.chats.get(work.id);
  const id = freshId("message");
  const input = element("textarea", { id, rows: 2, placeholder: "Write a message", "aria-describedby": `${id}-help` });
  const send = element("button", { type: "submit", class: "primary" }, "Send");
  const stop = button("Stop", () => chat.stop());
  const fresh = button("New conversation", () => {
    chat.clear();
    input.focus();
  });
  const changed = () => {
    if (document.activeElement === stop) input.focus();
    send.hidden = Boolean(chat.running);
    stop.hidden = !chat.running;
  };
  const submit = (event) => {
    event?.preventDefault();
    const text = input.value.trim();
    if (text === "" || chat.running) return;
    input.value = "";
    chat.send(text);
    input.focus();
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  });
  chat.onchange = changed;
  changed();
  const note = element("p", { class: "note", role: "status" });
  const tell = () => {
    const unsaved = work.changes();
    note.hidden = unsaved.length === 0;
    note.textContent = `The saved settings answer. You have not saved: ${unsaved.map(labelOf).join(", ")}.`;
  };
  work.onchange = tell;
  tell();
  return element("section", { class: "chat card", "aria-label": "Try it" },
    note, chat.log,
    element("form", { class: "composer", onsubmit: submit }, element("label", { for: id, class: "sr" }, "Message"), input,
      element("div", { class: "actions" }, element("span", { class: "help", id: `${id}-help` }, "Enter sends, Shift+Enter begins a new line."), fresh, stop, send)));
}
