import { join } from "node:path";
import type { PinnedProcess } from "./pinned.ts";
import { startPinned } from "./pinned.ts";

/** The mock upstream in a process of its own, on the client's core. */
export interface Mock extends AsyncDisposable {
  readonly url: string;
}

/** Starts it on a free loopback port. */
export async function startMock(): Promise<Mock> {
  const script = join(import.meta.dirname, "servers", "mock-upstream.ts");
  const server: PinnedProcess = startPinned("client", process.execPath, [script]);
  const port = (await server.line(/"port":(\d+)/))[1] ?? "";
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
