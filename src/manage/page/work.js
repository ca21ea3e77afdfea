/** An edit of one assistant, from opening it until it is saved or discarded. It outlives the views: one may try or connect meanwhile. */
import { changesOf, compare, draftOf, fieldOf, onTop } from "./settings.js";
import * as storage from "./storage.js";

/** Where an owner's edits are kept. Neither part has a slash after it is escaped. */
const placeOf = (owner, id) => `assistants.unsaved/${encodeURIComponent(owner)}/${encodeURIComponent(id)}`;

export class Work {
  /** `assistant` is null for a new one. */
  constructor(properties, owner, assistant, etag) {
    this.properties = properties;
    this.names = Object.keys(properties);
    this.owner = owner;
    this.saving = false;
    /** Told when a save begins and ends, for a view that shows what is unsaved. */
    this.onchange = () => {};
    this.base = assistant;
    this.etag = etag ?? null;
    this.begin();
  }

  get id() {
    return this.base?.assistant_id ?? null;
  }

  get place() {
    return placeOf(this.owner, this.id ?? "");
  }

  begin() {
    this.draft = draftOf(this.base, this.names);
    /** Texts that are no value yet, by field: `{text, message}`. They are unsaved too. */
    this.unreadable = new Map();
    /** Why the last save failed: `{message, problems}`. It is shown with the edit, whichever view one was looking at. */
    this.trouble = null;
  }

  reset() {
    storage.drop(this.place);
    this.begin();
  }

  changes() {
    return [...new Set([...changesOf(this.base, this.draft, this.names), ...this.unreadable.keys()])];
  }

  /** The edit as it is now, to be compared with what is typed later. */
  snapshot() {
    return { ...this.draft, values: { ...this.draft.values } };
  }

  /** What a field was blamed for is past once it is edited. */
  mended(name) {
    if (!this.trouble || this.trouble.problems.length === 0) return;
    const left = this.trouble.problems.filter(({ param }) => fieldOf(param) !== name);
    this.trouble = left.length > 0 ? { ...this.trouble, problems: left } : null;
  }

  /** The server has what was `sent`. What was typed since stays an edit on top of it. */
  saved(assistant, etag, sent) {
    storage.drop(this.place);
    this.learn(assistant, etag);
    this.draft = onTop(sent, this.draft, draftOf(this.base, this.names));
  }

  rebase(assistant, etag, draft) {
    this.learn(assistant, etag);
    this.draft = draft;
  }

  /** Takes what the server has. A reply to a write may have the new token in it, which is not kept. */
  learn({ public_token: _, ...assistant }, etag) {
    if (this.isOld(assistant)) return;
    this.base = assistant;
    this.etag = etag;
  }

  /** Replies overtake each other: a state before the one that is known takes nothing's place. */
  isOld(assistant) {
    return this.base !== null && assistant.version < this.base.version;
  }

  compareWith(current) {
    return compare(this.base, this.draft, this.isOld(current) ? this.base : current, this.names);
  }

  /**
   * Keeps the edit in this tab, over a sign-in or a reload, and says whether nothing can be lost. A token that somebody typed is no
   * part of it: secrets are not stored in a browser.
   */
  keep() {
    if (this.changes().length === 0) return true;
    const draft = { ...this.draft, token: this.draft.token?.own === undefined ? this.draft.token : null };
    return storage.keep(this.place, { base: this.base, etag: this.etag, draft, unreadable: [...this.unreadable] });
  }
}

/** The owner's edit of this assistant that was kept, if there is one. It is there once. */
export function restore(properties, owner, id) {
  const place = placeOf(owner, id ?? "");
  const kept = storage.load(place);
  if (!kept) return null;
  storage.drop(place);
  const work = new Work(properties, owner, kept.base, kept.etag);
  work.draft = kept.draft;
  work.unreadable = new Map(kept.unreadable);
  return work;
}

export function forget(owner) {
  storage.dropAll(placeOf(owner, ""));
}
