import { existsSync } from "node:fs";
import { join } from "node:path";
import { startPinned } from "../pinned.ts";
import { freePort, portAnswers } from "./free-port.ts";
import type { RunningLane } from "./lane.ts";
import { chatPath } from "./lane.ts";

const script = join(import.meta.dirname, "..", "node_modules", "@portkey-ai", "gateway", "build", "start-server.js");

/** Why there is no Portkey lane. */
export function portkeyMissing(): string | undefined {
  return existsSync(script) ? undefined : "@portkey-ai/gateway is not installed (npm ci in bench/)";
}

/** Portkey's gateway as it comes from npm, in production mode, with the upstream named in each request as it asks for. */
export async function startPortkey(upstreamUrl: string): Promise<RunningLane> {
  const port = await freePort();
  const server = startPinned("subject", process.execPath, [script, `--port=${port}`, "--headless"], {
    env: { NODE_ENV: "production" },
  });
  await portAnswers(`http://127.0.0.1:${port}/`);
  return {
    url: `http://127.0.0.1:${port}${chatPath}`,
    headers: {
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `${upstreamUrl}/v1`,
      authorization: "Bearer sk-bench",
    },
    pid: server.pid,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
