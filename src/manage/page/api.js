/** The management API on the page's own origin. */

const COLLECTION = "/assistants";
const ASSISTANT = { key: "assistant_id" };

/** What the server said, or why it said nothing (status 0). */
export class ApiError extends Error {
  constructor(status, error, requestId) {
    super(error.message);
    this.status = status;
    this.code = error.code ?? null;
    this.param = error.param ?? null;
    this.problems = error.problems ?? (this.param ? [{ param: this.param, message: error.message }] : []);
    this.requestId = requestId ?? null;
  }
}

/** The reply's error in OpenAI's form, whoever wrote it: a proxy in between answers in HTML. */
export async function errorOf(response) {
  const requestId = response.headers.get("x-request-id");
  const body = await response.json().catch(() => null);
  const explained = typeof body?.error?.message === "string";
  const error = explained ? body.error : { message: `The server answered with status ${response.status} and no explanation. Try again later.` };
  return new ApiError(response.status, error, requestId);
}

/** What a reply holds under the key that it is known by. */
const isText = (value) => typeof value === "string";
const isObject = (value) => typeof value === "object" && value !== null;
const isList = (value) => Array.isArray(value) && value.every(isObject);
const SHAPES = { assistant_id: isText, token: isText, properties: isObject, data: isList, days: isList };

/** What stands in between may answer with a page of its own, and with status 200. */
export function foreign(expected, requestId) {
  const message = `The answer did not come from ${expected}: a proxy, or the sign-in of a network, may stand in between. Try again, and tell whoever runs this endpoint if this stays so.`;
  return new ApiError(0, { message }, requestId);
}

/** The JSON of a reply, which has to hold `key`. */
export async function replyOf(response, key) {
  const text = await response.text().catch(() => {
    throw unreachable();
  });
  try {
    const data = JSON.parse(text);
    if (SHAPES[key](data[key])) return data;
  } catch {
    // Said below.
  }
  throw foreign("the management API", response.headers.get("x-request-id"));
}

/** Why a `fetch` failed before there was a reply. */
export function unreachable() {
  return new ApiError(0, { message: "The server could not be reached. Check your connection and try again." });
}

function gone(requestId) {
  return new ApiError(404, { message: "This assistant is not there. It was deleted, or it is not yours." }, requestId);
}

export class Api {
  /** `session` gives the JWT and is told when it no longer counts. */
  constructor(session) {
    this.session = session;
  }

  /** Returns `{data, etag}`. `key` is what the reply has to hold; without one it has to be empty. */
  async call(method, path, { key, body, etag } = {}) {
    if (!this.session.signedIn) throw new ApiError(401, { message: "You are signed out. Sign in again." });
    const headers = { Authorization: `Bearer ${this.session.token()}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (etag) headers["If-Match"] = etag;
    const options = { method, headers, cache: "no-store", credentials: "omit", body: body === undefined ? undefined : JSON.stringify(body) };
    const response = await fetch(path, options).catch(() => {
      throw unreachable();
    });
    if (response.status === 401) {
      const error = await errorOf(response);
      this.session.end(error.message);
      throw error;
    }
    if (response.status === 404 && path.startsWith(`${COLLECTION}/`)) throw gone(response.headers.get("x-request-id"));
    if (!response.ok) throw await errorOf(response);
    const data = response.status === 204 && key === undefined ? null : await replyOf(response, key);
    return { data, etag: response.headers.get("etag") };
  }

  /** The settings' JSON Schema; it is the same for everybody and read once. */
  async schema() {
    if (!this.properties) {
      const response = await fetch("/settings-schema.json").catch(() => {
        throw unreachable();
      });
      if (!response.ok) throw await errorOf(response);
      this.properties = (await replyOf(response, "properties")).properties;
    }
    return this.properties;
  }

  async list(after) {
    const query = new URLSearchParams({ limit: "50" });
    if (after) query.set("after", after);
    return (await this.call("GET", `${COLLECTION}?${query}`, { key: "data" })).data;
  }

  show(id) {
    return this.call("GET", pathOf(id), ASSISTANT);
  }

  create(body) {
    return this.call("POST", COLLECTION, { ...ASSISTANT, body });
  }

  change(id, body, etag) {
    return this.call("PATCH", pathOf(id), { ...ASSISTANT, body, etag });
  }

  remove(id, etag) {
    return this.call("DELETE", pathOf(id), { etag });
  }

  async trial(id) {
    return (await this.call("POST", `${pathOf(id)}/trial`, { key: "token", body: {} })).data;
  }

  async usage(id, from, to) {
    return (await this.call("GET", `${pathOf(id)}/usage?${new URLSearchParams({ from, to })}`, { key: "days" })).data;
  }
}

/** A path's `.` and `..` lead elsewhere, however they are written: no assistant has such an id. */
function pathOf(id) {
  if (["", ".", ".."].includes(id)) throw gone();
  return `${COLLECTION}/${encodeURIComponent(id)}`;
}
