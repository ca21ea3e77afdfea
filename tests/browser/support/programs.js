/** Runs the snippets of the page by the programs that they are for. `PYTHON` has OpenAI's SDK, `CLIENTS_PYTHON` LangChain. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The folder whose node_modules have OpenAI's SDK. */
const CLIENTS = fileURLToPath(new URL("../../clients/", import.meta.url));

function programOf(id) {
  switch (id) {
    case "curl":
      return ["bash", ["-euo", "pipefail"]];
    case "python":
      return [process.env.PYTHON, ["-"]];
    case "node":
      return ["node", ["--input-type=module", "-"]];
    case "langchain":
      return [process.env.CLIENTS_PYTHON, ["-"]];
    default:
      throw new Error(`no program is known for the snippet ${id}`);
  }
}

/** What a snippet prints, with the token in its environment; `null` where its program is not there. */
export async function run(id, snippet, token) {
  const [program, options] = programOf(id);
  if (!program) return null;
  const child = spawn(program, options, { cwd: CLIENTS, env: { ...process.env, TOKEN: token }, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(snippet);
  const read = async (stream) => (await stream.toArray()).join("");
  const ended = new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [said, complaint, code] = await Promise.all([read(child.stdout), read(child.stderr), ended]);
  if (code !== 0) throw new Error(`${id} ended with ${code}: ${complaint}`);
  return said;
}
