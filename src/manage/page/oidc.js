/** The authorization code flow with PKCE, for a client without a secret. */
import * as storage from "./storage.js";

const PENDING = "assistants.sign-in";

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** Leaves the page for the issuer's. State, nonce and verifier stay in this tab; they are worth nothing without the code. */
export async function begin(oidc) {
  const pending = { verifier: random(), state: random(), nonce: random(), hash: location.hash };
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier));
  if (!storage.keep(PENDING, pending)) {
    throw new Error("This browser does not let the page keep anything in this tab, and the sign-in needs that. Let this site store data (cookies), then try again.");
  }
  const url = new URL(oidc.authorization_endpoint);
  const query = {
    response_type: "code", client_id: oidc.client_id, redirect_uri: redirectUri(), scope: oidc.scopes, state: pending.state, nonce: pending.nonce,
    code_challenge: base64url(new Uint8Array(digest)), code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  location.assign(url);
}

function redirectUri() {
  return `${location.origin}/`;
}

/**
 * Finishes a sign-in if the address is one of the issuer's answers, and gives the ID token, else null. Code and state leave the
 * address before anything else is done.
 */
export async function finish(oidc) {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state") && !answer.has("code") && !answer.has("error")) return null;
  const pending = storage.load(PENDING);
  storage.drop(PENDING);
  history.replaceState(null, "", `/${pending?.hash ?? ""}`);
  if (!pending || answer.get("state") !== pending.state) throw new Error("This sign-in was not begun in this tab, or it was finished before. Sign in again.");
  if (answer.has("error")) throw new Error(`The sign-in did not work: ${answer.get("error_description") ?? answer.get("error")}.`);
  const token = await exchange(oidc, answer.get("code"), pending.verifier);
  check(claimsOf(token), oidc, pending.nonce);
  return token;
}

async function exchange(oidc, code, verifier) {
  const body = new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: redirectUri(), client_id: oidc.client_id, code_verifier: verifier });
  const response = await fetch(oidc.token_endpoint, { method: "POST", body, credentials: "omit" }).catch(() => {
    throw new Error("The sign-in service could not be reached. Try again, and tell the operator if this stays so: the service must allow this page’s origin (CORS).");
  });
  const reply = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(`The sign-in service refused: ${reply.error_description ?? reply.error ?? `status ${response.status}`}. Sign in again.`);
  if (typeof reply.id_token !== "string") throw new Error("The sign-in service gave no ID token. The operator has to add “openid” to OIDC_SCOPES.");
  return reply.id_token;
}

/** What a JWT says of itself. Whether it is true is the server's question. Throws a sentence where it is no JWT. */
export function claimsOf(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0))));
    if (typeof claims === "object" && claims !== null) return claims;
  } catch {
    // Said below.
  }
  throw new Error("This is not a JWT: it has to be three parts with dots between them.");
}

/** The checks of OpenID Connect Core 3.1.3.7 that do not need the issuer's key: the token came from its token endpoint directly. */
export function check(claims, oidc, nonce, now = Date.now() / 1000) {
  const audiences = [claims.aud].flat();
  const fail = (what) => {
    throw new Error(`The ID token cannot be used: ${what}. Sign in again, and tell the operator if this stays so.`);
  };
  if (claims.iss !== oidc.issuer) fail(`it is from “${claims.iss}”, not from “${oidc.issuer}”`);
  if (!audiences.includes(oidc.client_id)) fail("it is for another audience");
  if ((audiences.length > 1 || claims.azp !== undefined) && claims.azp !== oidc.client_id) fail("it was made for another client");
  if (claims.nonce !== nonce) fail("its nonce is not the one of this sign-in");
  if (!(claims.exp > now - 60)) fail("it has expired");
}

/** Where one is logged out at the issuer too, null where it has no such place. */
export function logoutUrl(oidc, token) {
  if (!oidc.end_session_endpoint) return null;
  const url = new URL(oidc.end_session_endpoint);
  url.searchParams.set("id_token_hint", token);
  url.searchParams.set("client_id", oidc.client_id);
  url.searchParams.set("post_logout_redirect_uri", redirectUri());
  return url;
}
