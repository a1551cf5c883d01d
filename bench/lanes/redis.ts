import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isInstalled, startPinned } from "../pinned.ts";
import { freePort } from "./free-port.ts";

/** Why no Redis can be started here; undefined when one can. */
export function redisMissing(): string | undefined {
  return isInstalled("redis-server") ? undefined : "redis-server is not installed";
}

/** A Redis on loopback that keeps nothing on disk. */
export async function startRedis(): Promise<AsyncDisposable & { readonly url: string }> {
  await using opened = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-bench-redis-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly", "no"];
  const server = opened.use(startPinned("client", "redis-server", args));
  await server.line(/Ready to accept connections/);
  const running = opened.move();
  return { url: `redis://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
