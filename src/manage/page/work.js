/** An edit of one assistant, from opening it until it is saved or discarded. It outlives the views: one may try or connect meanwhile. */
import { changesOf, compare, draftOf, onTop } from "./settings.js";

const KEPT = "assistants.unsaved";

const placeOf = (id) => `${KEPT}.${id ?? ""}`;

export class Work {
  /** `assistant` is null for a new one. */
  constructor(properties, assistant, etag) {
    this.properties = properties;
    this.names = Object.keys(properties);
    this.saving = false;
    this.base = assistant;
    this.etag = etag ?? null;
    this.reset();
  }

  get id() {
    return this.base?.assistant_id ?? null;
  }

  reset() {
    sessionStorage.removeItem(placeOf(this.id));
    this.draft = draftOf(this.base, this.names);
    /** Texts that are no value yet, by field: `{text, message}`. They are unsaved too. */
    this.unreadable = new Map();
  }

  changes() {
    return [...new Set([...changesOf(this.base, this.draft, this.names), ...this.unreadable.keys()])];
  }

  /** The edit as it is now, to be compared with what is typed later. */
  snapshot() {
    return { ...this.draft, values: { ...this.draft.values } };
  }

  /** The server has what was `sent`. What was typed since stays an edit on top of it. */
  saved(assistant, etag, sent) {
    sessionStorage.removeItem(placeOf(this.id));
    this.rebase(assistant, etag, onTop(sent, this.draft, draftOf(assistant, this.names)));
  }

  /** A reply to a write may have the new token in it, which is not kept. */
  rebase({ public_token: _, ...assistant }, etag, draft) {
    this.base = assistant;
    this.etag = etag;
    this.draft = draft;
  }

  compareWith(current) {
    return compare(this.base, this.draft, current, this.names);
  }

  /**
   * Keeps the edit in this tab, over a sign-in or a reload. A token that somebody typed is no part of it: secrets are not stored
   * in a browser.
   */
  keep(owner) {
    if (this.changes().length === 0) return;
    const draft = { ...this.draft, token: this.draft.token?.own === undefined ? this.draft.token : null };
    sessionStorage.setItem(placeOf(this.id), JSON.stringify({ owner, base: this.base, etag: this.etag, draft, unreadable: [...this.unreadable] }));
  }
}

/** The edit of this assistant that was kept, if it is this owner's. It is there once. */
export function restore(properties, owner, id) {
  const kept = JSON.parse(sessionStorage.getItem(placeOf(id)) ?? "null");
  if (!kept || kept.owner !== owner) return null;
  const work = new Work(properties, kept.base, kept.etag);
  work.draft = kept.draft;
  work.unreadable = new Map(kept.unreadable);
  return work;
}

export function forget() {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(KEPT)) sessionStorage.removeItem(key);
}
