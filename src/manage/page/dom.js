/**
 * DOM nodes without markup strings: the page's CSP forbids inline scripts and styles, and nothing here parses HTML.
 */

const SVG = "http://www.w3.org/2000/svg";
/** These are set as properties: as attributes they would state the initial value only. */
const PROPERTIES = new Set(["value", "checked", "selected", "disabled", "open", "hidden", "indeterminate"]);

function fill(node, attributes, children) {
  // The children come first: a `<select>` takes a value only when it has the option.
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  return node;
}

export function element(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

let ids = 0;

/** An id for a label or a description to point at. */
export function freshId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

/** `key` names it among what is drawn in its place later, so that the focus finds it again. */
export function button(label, onclick, kind = "", key = null) {
  const node = element("button", { type: "button", class: kind, "data-key": key, onclick: (event) => isOff(node) || onclick(event) }, label);
  return node;
}

/** Takes a button out of use. It keeps the focus, which a `disabled` or hidden one loses. */
export function setOff(node, off) {
  node.setAttribute("aria-disabled", String(off));
}

export function isOff(node) {
  return node.getAttribute("aria-disabled") === "true";
}

/** Draws anew inside `node`. A focus in it goes to the new control with the same `data-key`, else to `node` itself. */
export function redraw(node, ...children) {
  const key = node.contains(document.activeElement) ? (document.activeElement.dataset.key ?? "") : null;
  node.replaceChildren(...children.flat().filter((child) => child !== null));
  if (key === null) return;
  node.tabIndex = -1;
  const again = [...node.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
  (again ?? node).focus({ preventScroll: true });
}

/** Text whose `backticks` become code. */
export function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

let toastTimer;

/** Says something to everybody, screen readers included, without moving the focus; with `quietly` to screen readers alone. */
export function announce(text, quietly = false) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.classList.toggle("shown", !quietly);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("shown"), 5000);
}

/** A message that stays where it is put, read out at once. */
export function alertBox(message, ...more) {
  return element("div", { class: "alert", role: "alert" }, element("p", {}, message), more);
}

export function copyButton(text, label = "Copy", what = "") {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? text() : text);
      announce(`${what || "The text"} is copied.`);
    } catch {
      announce("The browser does not let this page copy. Select the text and copy it yourself.");
    }
  };
  return element("button", { type: "button", class: "small", onclick: copy, "aria-label": what && `${label}: ${what}` }, label);
}

const dialogs = new Set();

/** Closes what is open, as Escape does: whoever asked is not signed in any more. */
export function closeDialogs() {
  for (const dialog of dialogs) dialog.close();
}

/**
 * Shows a modal dialog and waits for it to be closed.
 *
 * `actions` are `{label, value, kind, check}`; `check` may say no by returning false. The first action is what the Enter key does.
 * Escape gives `undefined`.
 */
export function ask({ title, body, actions, wide = false }) {
  const id = freshId("dialog");
  return new Promise((resolve) => {
    let answer;
    let busy = false;
    const finish = async (action) => {
      if (busy) return;
      busy = true;
      const agreed = !action.check || (await action.check()) !== false;
      busy = false;
      if (!agreed || !dialog.open) return;
      answer = action.value;
      dialog.close();
    };
    const submit = (event) => {
      event.preventDefault();
      finish(actions[0]);
    };
    const buttons = actions.map((action, index) =>
      element("button", { type: index ? "button" : "submit", class: action.kind ?? "", onclick: index ? () => finish(action) : null }, action.label));
    const form = element("form", { onsubmit: submit, novalidate: true }, element("h2", { id }, title), body, element("div", { class: "actions" }, buttons));
    const dialog = element("dialog", { "aria-labelledby": id, class: wide ? "wide" : "" }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      dialogs.delete(dialog);
      resolve(answer);
    });
    document.body.append(dialog);
    dialogs.add(dialog);
    dialog.showModal();
  });
}

/** A date and time as people here write it. */
export function formatTime(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? String(text) : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

export function formatNumber(value) {
  return Number(value).toLocaleString("en-US");
}
