/**
 * `assistants serve` with a provider of the tests' own.
 *
 * `ASSISTANTS` is the program. With `PAGE_URL` the tests use a server that is running already, with its store at `DATA`.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startProvider } from "./provider.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PROGRAM = path.resolve(ROOT, process.env.ASSISTANTS ?? "target/debug/assistants");

/** The address that the program prints, once it listens. */
async function addressOf(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
    if (found) return found[0];
  }
  throw new Error("`assistants serve` ended before it listened");
}

/** Gives `{url, jwt(owner), close}`; `env` is added to the program's. */
export async function startServer(env = {}, port = 0) {
  if (process.env.PAGE_URL) return { url: process.env.PAGE_URL, jwt: (owner) => sign(owner, process.env.DATA), close() {} };
  const [provider, folder] = await Promise.all([startProvider(), mkdtemp(path.join(tmpdir(), "page-"))]);
  const data = path.join(folder, "assistants.db");
  const child = spawn(PROGRAM, ["serve", "--port", String(port), "--store-port", "0", "--data", data], {
    env: { RUST_LOG: "error", ...process.env, OPENAI_BASE_URL: provider.url, OPENAI_API_KEY: "sk-of-the-tests", ...env }, stdio: ["ignore", "pipe", "inherit"],
  });
  const close = async () => {
    child.kill();
    provider.close();
    await rm(folder, { recursive: true, force: true });
  };
  const failed = new Promise((_, reject) => child.once("error", reject));
  const url = await Promise.race([addressOf(child), failed]).catch(async (error) => {
    await close();
    throw error;
  });
  child.stdout.resume();
  return { url, jwt: (owner) => sign(owner, data), close };
}

async function sign(owner, data) {
  const { stdout } = await promisify(execFile)(PROGRAM, ["token", "--owner", owner, "--data", data]);
  return stdout.trim();
}

/** The management API as another tab, or another program, uses it. */
export async function manage(server, jwt, method, route, body) {
  const response = await fetch(server.url + route, {
    method, headers: { Authorization: `Bearer ${jwt}`, "Content-Type": "application/json" }, body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? null : response.json();
}

/** The status of a call of the public endpoint. */
export async function callStatus(baseUrl, token) {
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: "POST", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "Hello" }] }),
  });
  await response.text();
  return response.status;
}
