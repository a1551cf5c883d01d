import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A real Redis of its own on a free port of this machine. Disposing kills it. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Sends a signal: `SIGSTOP` makes it slow without end, `SIGCONT` wakes it, `SIGKILL` ends it. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port, empty, after it was killed. */
  restart(): Promise<void>;
}

const binary = "redis-server";

/**
 * Why the tests that need Redis cannot run here; undefined when they can. On a machine that must run all of them
 * (`CI` is set) there is no such reason: they run, and fail.
 */
export const withoutRedis: string | undefined =
  process.env["CI"] || spawnSync(binary, ["--version"]).status === 0 ? undefined : `${binary} is not installed`;

/**
 * Starts one; `words` are further ones of its command line, or make them of its port. Rejects with what it printed when it
 * does not come up.
 */
export async function startRedisServer(
  words: readonly string[] | ((port: number) => readonly string[]) = [],
): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-redis-"));
  const port = await freePort();
  const args = typeof words === "function" ? words(port) : words;
  let running = await launch(directory, port, args);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return running.pid;
    },
    async signal(signal) {
      running.kill(signal);
      if (signal === "SIGKILL") await running.ended;
    },
    async restart() {
      await running.ended;
      running = await launch(directory, port, args);
    },
    async [Symbol.asyncDispose]() {
      running.kill("SIGKILL");
      await running.ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function launch(directory: string, port: number, args: readonly string[]) {
  const fixed = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly", "no"];
  const child = spawn(binary, [...fixed, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  const ended = once(child, "close").catch(() => undefined);
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      if (/Ready to accept connections/.test(printed)) resolve();
    });
    child.stderr.resume();
    void ended.then(() => reject(new Error(`${binary} ended:\n${printed}`)));
  });
  return { pid: child.pid ?? 0, ended, kill: (signal: NodeJS.Signals) => void child.kill(signal) };
}

/** A port of this machine on which nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
