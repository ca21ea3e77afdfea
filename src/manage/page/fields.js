/**
 * One field for each setting, drawn from its JSON Schema.
 *
 * A field is `{name, node, read, focus, show, refill}`: `read` gives the value, `undefined` where it is unset, and throws a
 * sentence where the text cannot be a value; `show` puts a problem beside it. Where `read` may throw, `text` is what stands there and
 * `write` puts it there again.
 */
import { element, freshId, withCode } from "./dom.js";
import { equal, labelOf } from "./settings.js";
import { suggestions } from "./models.js";

const UNSET = "";

/** Whether a text means this value already. It stays as it is then, since somebody may be typing it: `0.`, or JSON of their own form. */
function says(read, value) {
  try {
    return equal(read(), value);
  } catch {
    return false;
  }
}

/** Label, description and place for a problem around a control; `ids` join them for screen readers. */
function frame(name, about, control, { extra = null, wide = false } = {}) {
  const id = freshId("field");
  const problem = element("p", { class: "problem", id: `${id}-problem`, hidden: true });
  const help = about ? element("p", { class: "help", id: `${id}-help` }, withCode(about)) : null;
  control.id = id;
  control.setAttribute("aria-describedby", [help && help.id, problem.id].filter(Boolean).join(" "));
  const label = element("label", { for: id }, labelOf(name), labelOf(name).toLowerCase().replaceAll(" ", "_") === name ? null : element("span", { class: "key" }, name));
  const node = element("div", { class: wide ? "field wide" : "field", "data-setting": name }, label, control, extra, problem, help);
  const show = (message) => {
    problem.textContent = message ?? "";
    problem.hidden = !message;
    control.setAttribute("aria-invalid", message ? "true" : "false");
    node.classList.toggle("wrong", Boolean(message));
  };
  return { name, node, show, focus: () => control.focus() };
}

function defaultText(schema) {
  if (schema.default === undefined) return "Not set";
  const word = { true: "yes", false: "no" }[String(schema.default)] ?? schema.default;
  return `Not set (${word})`;
}

/** `options` are `[text, value, label]`. A value that the schema does not know stays selectable: an edit must not lose it. */
function choice(name, schema, options, value, onchange) {
  const known = options.some(([, each]) => each === value);
  const all = value === undefined || known ? options : [...options, [JSON.stringify(value), value, `${JSON.stringify(value)} (not known)`]];
  const control = element("select", { onchange },
    element("option", { value: UNSET }, defaultText(schema)),
    all.map(([text, , label]) => element("option", { value: text }, label)));
  const refill = (next) => {
    control.value = all.find(([, each]) => each === next)?.[0] ?? UNSET;
  };
  refill(value);
  const read = () => all.find(([text]) => text === control.value)?.[1];
  return { ...frame(name, schema.description, control), read, refill };
}

/** As people write numbers. JavaScript alone would read `0x10` as 16. */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?$/i;

function number(name, schema, value, oninput) {
  const range = [schema.minimum, schema.maximum].some((bound) => bound !== undefined) && schema.maximum < 1e6
    ? `${schema.minimum ?? ""} to ${schema.maximum ?? ""}` : "";
  const control = element("input", { type: "text", inputmode: schema.minimum < 0 ? "text" : "decimal", autocomplete: "off", placeholder: range || "Not set", oninput });
  const read = () => {
    const text = control.value.trim();
    if (text === "") return undefined;
    // What is no number goes to the server as it is: its words say what is wrong.
    return DECIMAL.test(text) ? Number(text) : text;
  };
  const refill = (next) => {
    if (!says(read, next)) control.value = next === undefined ? "" : String(next);
  };
  refill(value);
  return { ...frame(name, schema.description, control), read, refill };
}

function text(name, schema, value, oninput) {
  const list = schema.examples ? element("datalist", { id: freshId("list") }, schema.examples.map((example) => element("option", { value: example }))) : null;
  const control = element("input", { type: schema.format === "uri" ? "url" : "text", autocomplete: "off", spellcheck: "false", list: list?.id, placeholder: schema.placeholder ?? "Not set", oninput });
  const refill = (next) => {
    control.value = next === undefined ? "" : String(next);
  };
  refill(value);
  const read = () => (control.value.trim() === "" ? undefined : control.value);
  return { ...frame(name, schema.description, control, { extra: list }), read, refill };
}

/** The model's suggestions follow the provider, which is another field. */
function model(name, schema, value, oninput) {
  const field = text(name, { ...schema, examples: [], placeholder: "gpt-4o-mini" }, value, oninput);
  const list = field.node.querySelector("datalist");
  field.suggest = (provider) => list.replaceChildren(...suggestions(provider).map((each) => element("option", { value: each })));
  return field;
}

/** Grows with its text as far as the style lets it, in browsers without `field-sizing` too. */
function growing(attributes) {
  const control = element("textarea", { ...attributes, spellcheck: attributes.spellcheck ?? "false" });
  const grow = () => {
    control.style.height = "auto";
    if (control.scrollHeight) control.style.height = `${control.scrollHeight + 2}px`;
  };
  control.addEventListener("input", grow);
  requestAnimationFrame(grow);
  return { control, grow };
}

function prompt(name, schema, value, oninput) {
  const count = element("span", { class: "count" });
  const tell = () => {
    const length = [...control.value].length;
    count.textContent = `${length.toLocaleString("en-US")} character${length === 1 ? "" : "s"}`;
  };
  const { control, grow } = growing({ rows: 6, class: "prompt", spellcheck: "true", placeholder: "You are …", oninput: (event) => {
    tell();
    oninput(event);
  } });
  const refill = (next) => {
    control.value = next ?? "";
    tell();
    requestAnimationFrame(grow);
  };
  refill(value);
  return { ...frame(name, schema.description, control, { extra: count, wide: true }), read: () => (control.value === "" ? undefined : control.value), refill };
}

const escape = (line) => line.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
const unescape = (line) => line.replace(/\\([nt\\])/g, (_, letter) => ({ n: "\n", t: "\t", "\\": "\\" })[letter]);

/** A list, one entry a line. `single` is for a setting that may also be a lone text, where blanks and line ends count. */
function lines(name, schema, value, oninput, single = false) {
  const { control, grow } = growing({ rows: 2, placeholder: "One on each line", oninput });
  const [write, parse] = single ? [escape, unescape] : [(line) => line, (line) => line.trim()];
  let untouched = value;
  const refill = (next) => {
    const typed = says(read, next);
    untouched = next;
    if (!typed) control.value = before();
    requestAnimationFrame(grow);
  };
  const before = () => (untouched === undefined ? "" : [untouched].flat().map(String).map(write).join("\n"));
  const read = () => {
    // As it was: an empty list, or a lone text, must not turn into a change.
    if (control.value === before()) return untouched;
    const entries = control.value.split("\n").filter((line) => line.trim() !== "" || (single && line !== "")).map(parse);
    return entries.length === 0 ? undefined : entries;
  };
  control.value = before();
  const about = `${schema.description ?? ""} ${single ? "One on each line; `\\n` stands for a line end." : "One on each line."}`.trim();
  return { ...frame(name, about, control), read, refill };
}

function json(name, schema, value, oninput) {
  const { control, grow } = growing({ rows: 2, class: "code", placeholder: "Not set (JSON)", oninput });
  const write = (text) => {
    control.value = text;
    requestAnimationFrame(grow);
  };
  const read = () => {
    if (control.value.trim() === "") return undefined;
    try {
      return JSON.parse(control.value);
    } catch (error) {
      throw new Error(`This is not JSON: ${error.message}`);
    }
  };
  const refill = (next) => {
    if (!says(read, next)) write(next === undefined ? "" : JSON.stringify(next, null, 2));
  };
  refill(value);
  return { ...frame(name, schema.description, control), read, refill, write, text: () => control.value };
}

const ACCESS = [
  ["authenticated", "Private", "Nobody can call it from outside. You can still try it here."],
  ["public_token", "Public, with a token", "Whoever has its Public Token can call it: use this for Typebot, Zapier, n8n, an SDK or your own site."],
];

/** Radio buttons, since this is the choice that decides who gets in. */
function access(name, schema, value, onchange) {
  const group = freshId("access");
  const radios = [];
  const problem = element("p", { class: "problem", hidden: true });
  const rows = ACCESS.map(([mode, title, about]) => {
    const radio = element("input", { type: "radio", name: group, value: mode, onchange });
    radios.push(radio);
    return element("label", { class: "choice" }, radio, element("span", {}, element("strong", {}, title), element("span", { class: "key" }, mode), element("span", { class: "help" }, about)));
  });
  let current;
  const refill = (next) => {
    current = next;
    for (const radio of radios) radio.checked = radio.value === (next ?? schema.default ?? "authenticated");
  };
  refill(value);
  const node = element("fieldset", { class: "field wide choices", "data-setting": name }, element("legend", {}, labelOf(name)), rows, problem);
  const read = () => {
    const chosen = radios.find((radio) => radio.checked)?.value;
    // The default shows as chosen, and is no change while it is unset.
    return chosen === undefined || (current === undefined && chosen === (schema.default ?? "authenticated")) ? current : chosen;
  };
  const show = (message) => {
    problem.textContent = message ?? "";
    problem.hidden = !message;
  };
  return { name, node, read, refill, show, focus: () => radios[0].focus() };
}

const isText = (schema) => schema?.type === "string";

/** The field for a setting. A schema of no kind that is known here is edited as JSON. */
export function fieldFor(name, schema, value, onchange) {
  if (name === "access_mode") return access(name, schema, value, onchange);
  if (name === "system_message") return prompt(name, schema, value, onchange);
  if (name === "model") return model(name, schema, value, onchange);
  if (schema.enum) return choice(name, schema, schema.enum.map((each) => [String(each), each, String(each)]), value, onchange);
  if (schema.type === "boolean") return choice(name, schema, [["true", true, "Yes"], ["false", false, "No"]], value, onchange);
  const fits = (kind) => value === undefined || typeof value === kind;
  if (["number", "integer"].includes(schema.type) && (fits("number") || fits("string"))) return number(name, schema, value, onchange);
  if (isText(schema) && fits("string")) return text(name, schema, value, onchange);
  const isList = (each) => each?.type === "array" && isText(each.items);
  if (isList(schema) && (value === undefined || Array.isArray(value))) return lines(name, schema, value, onchange);
  if (schema.oneOf?.some(isText) && schema.oneOf.some(isList)) return lines(name, schema, value, onchange, true);
  return json(name, schema, value, onchange);
}
