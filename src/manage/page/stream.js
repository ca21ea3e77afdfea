/** One streamed reply of the public endpoint, read as any client would read it. */
import { ApiError, errorOf, foreign, unreachable } from "./api.js";

/** The data of each event of an SSE body. Comments keep the connection alive: `onComment` gets each. */
export async function* events(body, onComment) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const parts = rest.split(/\r\n\r\n|\n\n|\r\r/);
      rest = done ? "" : parts.pop();
      for (const part of parts) {
        const lines = part.split(/\r\n|\n|\r/);
        for (const line of lines.filter((line) => line.startsWith(":"))) onComment?.(line.slice(1).trim());
        const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, ""));
        if (data.length > 0) yield data.join("\n");
      }
      if (done) return;
    }
  } finally {
    // The consumer may have left at an error event: the connection must not go on.
    reader.cancel().catch(() => {});
  }
}

/**
 * Asks and gives `{finish, usage, model, requestId, omitted}` at the reply's end. `onText` and `onThought` get each delta.
 *
 * Throws an `ApiError` where the reply failed or broke off: without `[DONE]` it is not whole, however it looks.
 */
export async function complete({ url, token, messages, signal, onText, onThought, onStart }) {
  const body = JSON.stringify({ messages, stream: true, stream_options: { include_usage: true } });
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body, signal, credentials: "omit", cache: "no-store" }).catch((error) => {
    throw error.name === "AbortError" ? error : unreachable();
  });
  const requestId = response.headers.get("x-request-id");
  onStart?.(requestId);
  if (!response.ok) throw await errorOf(response);
  if (!/^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "")) {
    response.body?.cancel().catch(() => {});
    throw foreign("the endpoint", requestId);
  }
  // What the model does not take; a stream that began late says so in a comment.
  const result = { finish: null, usage: null, model: null, requestId, omitted: response.headers.get("x-omitted-parameters") };
  const onComment = (comment) => {
    if (comment.startsWith("omitted [")) result.omitted = JSON.parse(comment.slice("omitted ".length)).join(", ");
  };
  try {
    for await (const data of events(response.body, onComment)) {
      if (data === "[DONE]") return result;
      take(JSON.parse(data), result, { onText, onThought });
    }
  } catch (error) {
    if (error instanceof ApiError || error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "connection_lost", message: "The connection broke off before the answer was complete." }, requestId);
  }
  throw new ApiError(0, { code: "stream_ended_early", message: "The stream ended before the answer was complete." }, requestId);
}

function take(chunk, result, { onText, onThought }) {
  if (chunk.error) throw new ApiError(200, chunk.error, result.requestId);
  result.model = chunk.model ?? result.model;
  result.usage = chunk.usage ?? result.usage;
  const choice = chunk.choices?.[0];
  if (!choice) return;
  result.finish = choice.finish_reason ?? result.finish;
  const { content, refusal, reasoning_content: thought } = choice.delta ?? {};
  if (thought) onThought?.(thought);
  if (content || refusal) onText(content || refusal);
}

/** What an owner can do about an error, by its code. */
const ADVICE = {
  assistant_misconfigured: "Open Settings and correct the setting that the message names.",
  provider_authentication_failed: "The operator has to check the provider’s key. Nothing in this assistant’s settings is wrong.",
  provider_model_not_found: "Open Settings and check the name of the model and its provider.",
  provider_overloaded: "Try again in a moment. Fallback models, in Settings, answer when one is overloaded.",
  provider_error: "If it stays so, choose another model in Settings, or add fallback models.",
  provider_timeout: "Try again with a shorter question, or another model in Settings.",
  rate_limit_exceeded: "Wait a minute and try again. If it is the assistant’s own limit, you can raise it in Settings.",
  quota_exceeded: "The assistant’s limit for today is used up. You can raise it in Settings, under Limits.",
  insufficient_quota: "The operator’s account at the provider is used up.",
  context_length_exceeded: "Begin a new conversation, or ask a shorter question.",
  invalid_api_key: "The trial has expired or was ended. Send again: a new one is begun.",
  service_unavailable: "Try again in a moment.",
  connection_lost: "Check your connection and try again.",
  stream_ended_early: "Try again. If it stays so, give the request’s id to the operator.",
};

export function adviceFor(error) {
  return ADVICE[error.code] ?? (error.status === 0 ? "If the page and the endpoint have different addresses, the operator has to set PUBLIC_URL." : "");
}
