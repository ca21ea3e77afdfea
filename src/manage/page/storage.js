/**
 * The storage of this tab. A browser may forbid it, and it may be full: what it does not take stays in memory, and is gone with
 * the page.
 */
const memory = new Map();

/** Gives null where `act` cannot be done: a browser that forbids the storage throws as soon as it is named. */
function attempt(act) {
  try {
    return act(sessionStorage);
  } catch {
    return null;
  }
}

/** What was kept, null where nothing was. */
export function load(key) {
  return memory.get(key) ?? attempt((storage) => JSON.parse(storage.getItem(key)));
}

/** Says whether it outlives the page. */
export function keep(key, value) {
  drop(key);
  const text = JSON.stringify(value);
  const lasts = attempt((storage) => {
    storage.setItem(key, text);
    return true;
  });
  if (!lasts) memory.set(key, JSON.parse(text));
  return lasts === true;
}

export function drop(key) {
  memory.delete(key);
  attempt((storage) => storage.removeItem(key));
}

export function dropAll(prefix) {
  const stored = attempt((storage) => Object.keys(storage)) ?? [];
  for (const key of [...memory.keys(), ...stored]) if (key.startsWith(prefix)) drop(key);
}
