/** An edit of one assistant, from opening it until it is saved or discarded. It outlives the views: one may try or connect meanwhile. */
import { changesOf, compare, draftOf } from "./settings.js";

const KEPT = "assistants.unsaved";

export class Work {
  /** `assistant` is null for a new one. */
  constructor(properties, assistant, etag) {
    this.properties = properties;
    this.names = Object.keys(properties);
    this.take(assistant, etag);
  }

  /** What the server has now; the edit begins again from there. */
  take(assistant, etag) {
    this.base = assistant;
    this.id = assistant?.assistant_id ?? null;
    this.etag = etag ?? null;
    this.reset();
  }

  reset() {
    this.draft = draftOf(this.base, this.names);
    /** Texts that are no value, by field: they are unsaved too. */
    this.unreadable = new Map();
  }

  discard() {
    this.reset();
  }

  changes() {
    return [...new Set([...changesOf(this.base, this.draft, this.names), ...this.unreadable.keys()])];
  }

  rebase(assistant, etag, draft) {
    this.base = assistant;
    this.etag = etag;
    this.draft = draft;
  }

  compareWith(current) {
    return compare(this.base, this.draft, current, this.names);
  }

  /**
   * Keeps the edit over a sign-in, which may leave the page. A token that somebody typed is no part of it: secrets are not
   * stored in a browser.
   */
  keep(owner) {
    if (this.changes().length === 0) return;
    const draft = { ...this.draft, token: this.draft.token?.own === undefined ? this.draft.token : null };
    sessionStorage.setItem(KEPT, JSON.stringify({ owner, id: this.id, base: this.base, etag: this.etag, draft }));
  }
}

/** The edit that was kept, if it is this owner's and of this assistant. It is there once. */
export function restore(properties, owner, id) {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (!kept || kept.owner !== owner || kept.id !== id) return null;
  sessionStorage.removeItem(KEPT);
  const work = new Work(properties, kept.base, kept.etag);
  work.draft = kept.draft;
  return work;
}

export function forget() {
  sessionStorage.removeItem(KEPT);
}
