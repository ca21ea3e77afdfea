/** The management API on the page's own origin. */

/** What the server said, or why it said nothing (status 0). */
export class ApiError extends Error {
  constructor(status, error, requestId) {
    super(error.message);
    this.status = status;
    this.code = error.code ?? null;
    this.param = error.param ?? null;
    this.problems = error.problems ?? (error.param ? [{ param: error.param, message: error.message }] : []);
    this.requestId = requestId ?? null;
  }
}

/** The reply's error in OpenAI's form, whoever wrote it: a proxy in between answers in HTML. */
export async function errorOf(response) {
  const requestId = response.headers.get("x-request-id");
  const body = await response.json().catch(() => null);
  const error = body?.error ?? { message: `The server answered with status ${response.status} and no explanation. Try again later.` };
  return new ApiError(response.status, error, requestId);
}

/** Why a `fetch` failed before there was a reply. */
export function unreachable() {
  return new ApiError(0, { message: "The server could not be reached. Check your connection and try again." });
}

export class Api {
  /** `session` gives the JWT and is told when it no longer counts. */
  constructor(session) {
    this.session = session;
  }

  /** Returns `{data, etag}`. */
  async call(method, path, { body, etag } = {}) {
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
    if (!response.ok) throw await errorOf(response);
    const data = response.status === 204 ? null : await response.json();
    return { data, etag: response.headers.get("etag") };
  }

  /** The settings' JSON Schema; it is the same for everybody and read once. */
  async schema() {
    if (!this.properties) {
      const response = await fetch("/settings-schema.json").catch(() => {
        throw unreachable();
      });
      if (!response.ok) throw await errorOf(response);
      this.properties = (await response.json()).properties;
    }
    return this.properties;
  }

  async list(after) {
    const query = new URLSearchParams({ limit: "50" });
    if (after) query.set("after", after);
    return (await this.call("GET", `/assistants?${query}`)).data;
  }

  show(id) {
    return this.call("GET", pathOf(id));
  }

  create(body) {
    return this.call("POST", "/assistants", { body });
  }

  change(id, body, etag) {
    return this.call("PATCH", pathOf(id), { body, etag });
  }

  remove(id, etag) {
    return this.call("DELETE", pathOf(id), { etag });
  }

  async trial(id) {
    return (await this.call("POST", `${pathOf(id)}/trial`, { body: {} })).data;
  }

  async usage(id, from, to) {
    return (await this.call("GET", `${pathOf(id)}/usage?${new URLSearchParams({ from, to })}`)).data;
  }
}

function pathOf(id) {
  return `/assistants/${encodeURIComponent(id)}`;
}
