// A server on its standard streams that does what the tests ask of it. One message a line.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: unknown;
  readonly error?: unknown;
}

interface Params {
  readonly name?: string;
  readonly arguments?: { readonly words?: string };
  readonly protocolVersion?: string;
  readonly requestId?: number;
  readonly _meta?: { readonly progressToken?: number };
}

const waiting = new Map<number, (answer: unknown) => void>();
let lastId = 0;

function say(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

function text(id: number, words: string): void {
  say({ id, result: { content: [{ type: "text", text: words }] } });
}

function ask(method: string, params: object): Promise<unknown> {
  return new Promise((resolve) => {
    lastId += 1;
    waiting.set(lastId, resolve);
    say({ id: lastId, method, params });
  });
}

const tools: Readonly<Record<string, (id: number, params: Params) => void>> = {
  pid: (id) => text(id, String(process.pid)),
  env: (id) => text(id, JSON.stringify(process.env)),
  argv: (id) => text(id, JSON.stringify(process.argv.slice(2))),
  echo: (id, { arguments: given }) => text(id, given?.words ?? ""),
  ask(id) {
    const question = { message: "Who?", requestedSchema: {} };
    void ask("elicitation/create", question).then((answer) => text(id, JSON.stringify(answer)));
  },
  progress(id, { _meta: meta }) {
    const progressToken = meta?.progressToken;
    if (progressToken !== undefined) say({ method: "notifications/progress", params: { progressToken, progress: 1 } });
    text(id, "done");
  },
  crash: () => process.exit(3),
  silent: () => undefined,
  noise(id) {
    process.stdout.write("this is no message\n[1,2]\n\n");
    text(id, "still here");
  },
  stray(id) {
    text(999_999, "of nobody");
    text(id, "mine");
  },
  endless: () => void process.stdout.write("x".repeat(2_000_000)),
  shout(id) {
    for (let count = 0; count < 500; count += 1) process.stderr.write(`line ${count} ${"y".repeat(2_000)}\n`);
    text(id, "shouted");
  },
  child(id) {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    text(id, String(child.pid));
  },
  stubborn(id) {
    process.on("SIGTERM", () => undefined);
    setInterval(() => undefined, 1_000);
    text(id, String(process.pid));
  },
  changed(id) {
    say({ method: "notifications/tools/list_changed" });
    text(id, "told");
  },
};

const methods: Readonly<Record<string, (id: number, params: Params) => void>> = {
  initialize(id, { protocolVersion }) {
    const serverInfo = { name: "fixture", version: "1" };
    say({ id, result: { protocolVersion, capabilities: { tools: { listChanged: true } }, serverInfo } });
  },
  "tools/list": (id) => say({ id, result: { tools: Object.keys(tools).map((name) => ({ name, inputSchema: {} })) } }),
  "tools/call": (id, params) => tools[params.name ?? ""]?.(id, params),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params = {}, result, error } = JSON.parse(line) as Message; // the gateway's own words
  if (method === undefined) waiting.get(id ?? 0)?.(result ?? error);
  else if (method === "notifications/cancelled") process.stderr.write(`cancelled ${params.requestId}\n`);
  else if (id !== undefined) {
    const answer = methods[method];
    if (answer === undefined) say({ id, error: { code: -32_601, message: "no" } });
    else answer(id, params);
  }
});
if (process.argv.includes("--dies")) process.exit(7);
