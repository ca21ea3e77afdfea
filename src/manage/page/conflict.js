/** Two people, or two tabs, changed the same assistant: this dialog lets the owner choose, field by field. */
import { ask, element, freshId } from "./dom.js";
import { labelOf, put } from "./settings.js";

function shown(value) {
  if (value === undefined || value === "") return element("em", {}, "not set");
  return element("span", { class: "value" }, typeof value === "string" ? value : JSON.stringify(value));
}

function conflictRow({ name, mine, theirs }, chosen) {
  const group = freshId("conflict");
  const option = (side, title, value) =>
    element("label", { class: "choice" },
      element("input", { type: "radio", name: group, value: side, checked: side === "mine", onchange: () => chosen.set(name, side) }),
      element("span", {}, element("strong", {}, title), shown(value)));
  chosen.set(name, "mine");
  return element("fieldset", { class: "choices" }, element("legend", {}, labelOf(name)), option("mine", "Mine", mine), option("theirs", "Theirs", theirs));
}

/** What became of the Public Token, null where nothing did. */
export function tokenChange(base, current) {
  const [before, now] = [base.token_hint ?? null, current.token_hint ?? null];
  if (before === now) return null;
  if (!now) return "The Public Token was revoked.";
  return `The Public Token was ${before ? "replaced" : "set"}: it ends in …${now}.`;
}

/**
 * Gives the edit on top of `current`, or `undefined` where the owner wants to go on editing first. There is nothing to ask where
 * the other change is this edit itself: it was saved, and the reply was lost.
 */
export async function resolve(work, current) {
  const { merged, conflicts, theirs } = work.compareWith(current);
  const token = tokenChange(work.base, current);
  if (conflicts.length + theirs.length === 0 && !token) return merged;
  const chosen = new Map();
  const body = [
    element("p", {}, "This assistant was changed elsewhere after you opened it. Nothing of yours is lost, and nothing is saved yet."),
    token ? element("p", {}, token, current.token_hint ? " It stays as it is." : "") : null,
    conflicts.length > 0 ? element("p", {}, "You both changed these. Choose what is saved:") : null,
    conflicts.map((conflict) => conflictRow(conflict, chosen)),
    theirs.length > 0
      ? element("div", {}, element("p", {}, "They also changed these, and it stays so:"),
        element("ul", { class: "plain" }, theirs.map(({ name, value }) => element("li", {}, element("strong", {}, labelOf(name)), " ", shown(value)))))
      : null,
  ];
  const answer = await ask({
    title: "Changed meanwhile", body, wide: true,
    actions: [{ label: "Save on top of theirs", value: "save", kind: "primary" }, { label: "Go on editing" }],
  });
  if (answer !== "save") return undefined;
  for (const { name, theirs: value } of conflicts) if (chosen.get(name) === "theirs") put(merged, name, value);
  return merged;
}
