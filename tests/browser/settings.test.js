import assert from "node:assert/strict";
import { test } from "node:test";
import { changesOf, compare, draftOf, equal, fieldOf, grouped, onTop, otherKeys, patchOf, put, valuesOf } from "../../src/manage/page/settings.js";

const NAMES = ["type", "model", "temperature", "top_p", "access_mode", "system_message"];
const assistant = (configurable, more = {}) => ({ name: "Ada", config: { configurable, ...more } });

function edited(base, changes, token = null) {
  const draft = { ...draftOf(base, NAMES), token };
  for (const [name, value] of Object.entries(changes)) put(draft, name, value);
  return draft;
}

test("the own type's key wins, then the bare one", () => {
  const keys = { model: "bare", "type==agent/model": "agent", "type==chatbot/model": "chatbot", temperature: 1, "type==chatbot/top_p": 0.5 };
  assert.deepEqual(valuesOf(assistant(keys), NAMES), { model: "agent", temperature: 1 });
  assert.deepEqual(valuesOf(assistant({ ...keys, type: "chatbot" }), NAMES), { type: "chatbot", model: "chatbot", temperature: 1, top_p: 0.5 });
  assert.deepEqual(valuesOf(assistant({ "type==agent/model": null, model: "bare" }), NAMES), { model: "bare" });
});

const BEFORE = assistant({ "type==agent/model": "gpt-4o", temperature: 1, mystery: { a: 1 } }, { instructions: "old" });
const PATCHES = [
  ["nothing", {}, null, {}],
  ["a name", { name: "Bob" }, null, { name: "Bob" }],
  ["keys as they are", { model: "gpt-5", temperature: 0.5 }, null, { config: { configurable: { "type==agent/model": "gpt-5", temperature: 0.5 } } }],
  ["a new key gets the prefix", { top_p: 0.1 }, null, { config: { configurable: { "type==agent/top_p": 0.1 } } }],
  ["unset is null", { temperature: undefined }, null, { config: { configurable: { temperature: null } } }],
  ["an own token", { access_mode: "public_token" }, { own: "pubkey_mybot_abc123" },
    { config: { configurable: { "type==agent/access_mode": "public_token", "type==agent/public_token": "pubkey_mybot_abc123" } } }],
  ["another type takes the settings along", { type: "chatbot" }, null,
    { config: { configurable: { type: "chatbot", "type==agent/model": null, "type==chatbot/model": "gpt-4o", "type==chatbot/temperature": 1 } } }],
];

test("a patch holds what changed and nothing else", () => {
  for (const [name, changes, token, expected] of PATCHES) assert.deepEqual(patchOf(BEFORE, edited(BEFORE, changes, token), NAMES), expected, name);
});

test("a token for an assistant that is public already is asked for by its access mode", () => {
  const base = assistant({ "type==agent/access_mode": "public_token" });
  assert.deepEqual(patchOf(base, edited(base, {}, { generate: true }), NAMES), { config: { configurable: { "type==agent/access_mode": "public_token" } } });
  assert.deepEqual(changesOf(base, edited(base, {}, { generate: true }), NAMES), ["public_token"]);
});

test("what no field shows is listed", () => {
  assert.deepEqual(otherKeys(BEFORE, NAMES), [["mystery", { a: 1 }], ["config.instructions", "old"]]);
});

test("two edits of different fields go together, and of the same one are a conflict", () => {
  const draft = edited(BEFORE, { model: "mine", temperature: 0.2, name: "Mine" });
  const current = assistant({ "type==agent/model": "theirs", temperature: 0.2, "type==agent/top_p": 0.5 });
  const { merged, conflicts, theirs } = compare(BEFORE, draft, current, NAMES);
  assert.deepEqual(conflicts, [{ name: "model", mine: "mine", theirs: "theirs" }]);
  assert.deepEqual(theirs, [{ name: "top_p", value: 0.5 }]);
  assert.deepEqual(merged, { name: "Mine", values: { model: "mine", temperature: 0.2, top_p: 0.5 }, token: null });
});

test("what they unset stays unset", () => {
  const { merged, conflicts } = compare(BEFORE, edited(BEFORE, { top_p: 1 }), assistant({ "type==agent/model": "gpt-4o" }), NAMES);
  assert.deepEqual([merged.values, conflicts], [{ model: "gpt-4o", top_p: 1 }, []]);
});

const SENT = { name: "Ada", values: { model: "gpt-5" }, token: { generate: true } };
const REPLY = { name: "Ada", values: { model: "gpt-5", access_mode: "public_token" }, token: null };
const TYPED = [
  ["nothing", {}, REPLY],
  ["another value", { values: { model: "gpt-4o" } }, { ...REPLY, values: { ...REPLY.values, model: "gpt-4o" } }],
  ["a value unset", { values: {} }, { ...REPLY, values: { access_mode: "public_token" } }],
  ["a name", { name: "Bob" }, { ...REPLY, name: "Bob" }],
  ["another token", { token: { own: "pubkey" } }, { ...REPLY, token: { own: "pubkey" } }],
];

test("what was typed since a save was sent is on top of its reply", () => {
  for (const [name, typed, expected] of TYPED) assert.deepEqual(onTop(SENT, { ...SENT, ...typed }, REPLY), expected, name);
});

test("a setting that no group names is not lost", () => {
  const groups = grouped({ model: {}, brand_new: {}, requests_per_day: {} });
  assert.deepEqual(groups.map((group) => [group.title, ...group.main, ...group.rest]), [["Model", "model"], ["Limits", "requests_per_day"], ["More", "brand_new"]]);
});

test("a problem's place is a field's name", () => {
  for (const param of ["config.configurable.type==agent/top_p", "config.configurable.top_p", "top_p"]) assert.equal(fieldOf(param), "top_p");
});

test("values are compared by what they hold", () => {
  assert.ok(equal({ a: [1, { b: null }] }, { a: [1, { b: null }] }));
  for (const [one, other] of [[1, "1"], [[1], { 0: 1 }], [{ a: 1 }, { b: 1 }], [null, {}], [undefined, null]]) assert.ok(!equal(one, other));
});
