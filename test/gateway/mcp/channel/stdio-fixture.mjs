// A server on its standard streams that does what the tests ask of it. One message a line.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const waiting = new Map();
let lastId = 0;
const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const text = (id, words) => say({ id, result: { content: [{ type: "text", text: words }] } });
const ask = (method, params) =>
  new Promise((resolve) => {
    lastId += 1;
    waiting.set(lastId, resolve);
    say({ id: lastId, method, params });
  });

const tools = {
  pid: (id) => text(id, String(process.pid)),
  env: (id) => text(id, JSON.stringify(process.env)),
  argv: (id) => text(id, JSON.stringify(process.argv.slice(2))),
  echo: (id, { words }) => text(id, words),
  ask: async (id) =>
    text(id, JSON.stringify(await ask("elicitation/create", { message: "Who?", requestedSchema: {} }))),
  progress: (id, _, meta) => {
    if (meta?.progressToken !== undefined) {
      say({ method: "notifications/progress", params: { progressToken: meta.progressToken, progress: 1 } });
    }
    text(id, "done");
  },
  crash: () => process.exit(3),
  silent: () => undefined,
  noise: (id) => {
    process.stdout.write("this is no message\n[1,2]\n\n");
    text(id, "still here");
  },
  stray: (id) => {
    say({ id: 999_999, result: { content: [{ type: "text", text: "of nobody" }] } });
    text(id, "mine");
  },
  endless: () => process.stdout.write("x".repeat(2_000_000)),
  shout: (id) => {
    for (let count = 0; count < 500; count += 1) process.stderr.write(`line ${count} ${"y".repeat(2_000)}\n`);
    text(id, "shouted");
  },
  child: (id) => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    text(id, String(child.pid));
  },
  stubborn: (id) => {
    process.on("SIGTERM", () => undefined);
    setInterval(() => undefined, 1_000);
    text(id, String(process.pid));
  },
  changed: (id) => {
    say({ method: "notifications/tools/list_changed" });
    text(id, "told");
  },
};

const methods = {
  initialize: (id, { protocolVersion }) =>
    say({
      id,
      result: {
        protocolVersion,
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: "fixture", version: "1" },
      },
    }),
  "tools/list": (id) => say({ id, result: { tools: Object.keys(tools).map((name) => ({ name, inputSchema: {} })) } }),
  "tools/call": (id, { name, arguments: given = {}, _meta: meta }) => tools[name](id, given, meta),
  ping: (id) => say({ id, result: {} }),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params = {}, ...rest } = JSON.parse(line);
  if (method === undefined) waiting.get(id)?.(rest.result ?? rest.error);
  else if (id !== undefined) {
    if (methods[method] === undefined) say({ id, error: { code: -32601, message: "no" } });
    else void methods[method](id, params);
  } else if (method === "notifications/cancelled") process.stderr.write(`cancelled ${params.requestId}\n`);
});
if (process.argv.includes("--dies")) process.exit(7);
