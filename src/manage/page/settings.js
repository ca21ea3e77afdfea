/**
 * What stands where in `config.configurable`, what a patch has to say, and what two edits have in common. Nothing here touches
 * the page, so that it can be tested without one.
 */

const TYPES = ["agent", "chatbot", "chat_retrieval"];

/** The groups of the form. What the schema has and no group names goes to the last one: no setting can be missing. */
export const GROUPS = [
  { title: "Model", about: "Which model answers, and where it is served.",
    main: ["model", "provider", "fallback_models"], rest: ["base_url", "streaming", "capabilities"] },
  { title: "Behaviour", about: "What the assistant is told, and how it answers. A request’s own parameters win over these.",
    main: ["system_message", "temperature", "max_tokens", "reasoning_effort", "verbosity"],
    rest: ["top_p", "presence_penalty", "frequency_penalty", "seed", "stop", "response_format", "reasoning_content"] },
  { title: "Access", about: "Who may call the assistant.", main: ["access_mode", "allowed_origins"], rest: [] },
  { title: "Limits", about: "How much callers may use. A field that is empty sets no limit.",
    main: ["requests_per_minute", "requests_per_day", "tokens_per_day", "requests_per_minute_per_caller", "max_output_tokens", "max_input_chars", "limits_fail"],
    rest: [] },
  { title: "More", about: "Settings that few assistants need.", main: [], rest: [] },
];

/** The groups with the names that the schema really has; empty ones are left out. */
export function grouped(properties) {
  const known = new Set(GROUPS.flatMap((group) => [...group.main, ...group.rest]));
  const there = (names) => names.filter((name) => name in properties);
  const others = Object.keys(properties).filter((name) => !known.has(name));
  const groups = GROUPS.map((group) => ({ ...group, main: there(group.main), rest: there(group.rest) }));
  groups.at(-1).rest.push(...others);
  return groups.filter((group) => group.main.length + group.rest.length > 0);
}

/** An assistant's type, null where the setting cannot be read: no prefix counts then. */
function typeOf(configurable) {
  const named = configurable.type ?? TYPES[0];
  return TYPES.includes(named) ? named : null;
}

function spellings(name, type) {
  return type === null || name === "type" ? [name] : [`type==${type}/${name}`, name];
}

function find(configurable, name) {
  const keys = spellings(name, typeOf(configurable));
  return keys.find((key) => configurable[key] !== undefined && configurable[key] !== null);
}

/** The key that a setting is to be written under. */
export function writtenKey(assistant, name) {
  return spellings(name, typeOf(configurableOf(assistant)))[0];
}

/** A key without the prefix of a type. */
export function bare(key) {
  const match = /^type==(agent|chatbot|chat_retrieval)\/(.+)$/.exec(key);
  return match ? match[2] : key;
}

/** A problem's place as the form names it: `config.configurable.type==agent/top_p` is `top_p`. */
export function fieldOf(param) {
  return bare(String(param ?? "").replace(/^config\.configurable\./, ""));
}

function configurableOf(assistant) {
  return assistant?.config?.configurable ?? {};
}

/** What the assistant's settings are, by name, without those that are unset. */
export function valuesOf(assistant, names) {
  const configurable = configurableOf(assistant);
  const found = names.map((name) => [name, configurable[find(configurable, name)]]);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

/** What is in the config and in no field: it is shown, and a patch leaves it alone. */
export function otherKeys(assistant, names) {
  const configurable = configurableOf(assistant);
  const own = new Set(names.map((name) => find(configurable, name)));
  const within = Object.entries(configurable).filter(([key]) => !own.has(key));
  const beside = Object.entries(assistant?.config ?? {}).filter(([key]) => key !== "configurable");
  return [...within, ...beside.map(([key, value]) => [`config.${key}`, value])];
}

/** The edit of an assistant that has not been edited yet. */
export function draftOf(assistant, names) {
  return { name: assistant?.name ?? "", values: valuesOf(assistant, names), token: null };
}

export function equal(one, other) {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && equal(one[key], other[key]));
}

/** The names of what two edits differ in; `name` stands for the assistant's name. */
export function differences(one, other) {
  const names = new Set([...Object.keys(one.values), ...Object.keys(other.values)]);
  const changed = [...names].filter((name) => !equal(one.values[name], other.values[name]));
  return one.name === other.name ? changed : ["name", ...changed];
}

/** What an edit changes: settings, name, and the token that it wants. */
export function changesOf(assistant, draft, names) {
  const changed = differences(draftOf(assistant, names), draft);
  return draft.token ? [...changed, "public_token"] : changed;
}

/**
 * The JSON Merge Patch of an edit: it holds what has changed and nothing else, so that keys that this page does not know
 * survive. With another type, all settings move behind the other prefix: they would mean nothing where they are.
 */
export function patchOf(assistant, draft, names) {
  const before = configurableOf(assistant);
  const changed = changesOf(assistant, draft, names).filter((name) => name !== "public_token");
  const patch = changed.includes("name") ? { name: draft.name } : {};
  const configurable = {};
  const moves = changed.includes("type");
  const type = typeOf({ type: draft.values.type });
  const written = moves ? new Set([...changed, ...Object.keys(draft.values)]) : new Set(changed);
  written.delete("name");
  for (const name of written) {
    const old = find(before, name);
    const key = moves || !old ? spellings(name, type)[0] : old;
    if (moves && old && old !== key && old !== name) configurable[old] = null;
    configurable[key] = draft.values[name] ?? null;
  }
  addToken(configurable, draft, type);
  if (Object.keys(configurable).length > 0) patch.config = { configurable };
  return patch;
}

/** A generated token is asked for by setting the access mode, which is the one way that the API has. */
function addToken(configurable, draft, type) {
  const key = (name) => spellings(name, type)[0];
  if (draft.token?.own !== undefined) configurable[key("public_token")] = draft.token.own;
  if (!draft.token?.generate || draft.values.access_mode !== "public_token") return;
  if (!Object.keys(configurable).some((written) => bare(written) === "access_mode")) configurable[key("access_mode")] = "public_token";
}

const valueOf = (edit, name) => (name === "name" ? edit.name : edit.values[name]);

/** What `draft` changed since `before`, on top of `after`. */
export function onTop(before, draft, after) {
  const merged = { name: after.name, values: { ...after.values }, token: equal(before.token, draft.token) ? null : draft.token };
  for (const name of differences(before, draft)) put(merged, name, valueOf(draft, name));
  return merged;
}

/**
 * What somebody else saved meanwhile, against an edit.
 *
 * `merged` has everything that one side alone changed; `conflicts` are the fields that both changed, differently; `theirs` is
 * what only the other side changed.
 */
export function compare(base, draft, current, names) {
  const [before, after] = [draftOf(base, names), draftOf(current, names)];
  const mine = new Set(differences(before, draft));
  const changed = differences(before, after);
  const conflicts = changed
    .filter((name) => mine.has(name) && !equal(valueOf(draft, name), valueOf(after, name)))
    .map((name) => ({ name, mine: valueOf(draft, name), theirs: valueOf(after, name) }));
  const theirs = changed.filter((name) => !mine.has(name)).map((name) => ({ name, value: valueOf(after, name) }));
  return { merged: onTop(before, draft, after), conflicts, theirs };
}

/** Sets a field of an edit; `undefined` unsets it. */
export function put(draft, name, value) {
  if (name === "name") draft.name = value ?? "";
  else if (value === undefined) delete draft.values[name];
  else draft.values[name] = value;
}

const LABELS = {
  name: "Name", system_message: "System prompt", access_mode: "Access Mode", public_token: "Public Token", base_url: "Base URL", allowed_origins: "Allowed origins",
  max_tokens: "Longest answer (tokens)", top_p: "Top P", fallback_models: "Fallback models", streaming: "Model can stream",
  reasoning_content: "Show thinking", response_format: "Response format", max_output_tokens: "Output tokens per answer",
  max_input_chars: "Input characters per request", requests_per_minute_per_caller: "Requests per minute and caller",
  limits_fail: "When counting fails", stop: "Stop texts", llm_type: "Model (older name)", agent_type: "Model (oldest name)",
};

export function labelOf(name) {
  const words = name.replaceAll("_", " ");
  return LABELS[name] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/** The API's problems go on from a setting's name: "must be …". */
export function sentence(message) {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
