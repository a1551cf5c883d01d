import { join } from "node:path";
import { startPinned } from "../pinned.ts";
import { startGatehouseLane } from "./gatehouse.ts";
import type { Lane, RunningLane } from "./lane.ts";
import { chatPath, mcpPath } from "./lane.ts";
import { nginxMissing, startNginx } from "./nginx.ts";
import { portkeyMissing, startPortkey } from "./portkey.ts";
import { redisMissing } from "./redis.ts";

/** Every lane, in the order of the table. */
export const lanes: readonly Lane[] = [
  { id: "direct", title: "No proxy", protocol: "llm", streams: true, start: (url) => direct(url + chatPath) },
  {
    id: "bare",
    title: "Bare Node proxy (node:http + undici)",
    protocol: "llm",
    streams: true,
    start: (url) => ownServer("bare-proxy", url, chatPath),
  },
  {
    id: "hono-fetch",
    title: "Hono + fetch",
    protocol: "llm",
    streams: true,
    start: (url) => ownServer("hono-fetch", url, chatPath),
  },
  {
    id: "portkey",
    title: "Portkey gateway",
    protocol: "llm",
    streams: false,
    note: "its streams are not measured: version 1.15.2 answers each with 500 on Node 24 (it changes headers of a fetch response, which are immutable)",
    unavailable: portkeyMissing,
    start: startPortkey,
  },
  { id: "nginx", title: "nginx", protocol: "llm", streams: true, unavailable: nginxMissing, start: startNginx },
  {
    id: "open",
    title: "Gatehouse, open",
    protocol: "llm",
    streams: true,
    start: (url) => startGatehouseLane(url, { protocol: "llm", governed: false, events: false }),
  },
  {
    id: "governed",
    title: "Gatehouse, governed",
    protocol: "llm",
    streams: true,
    start: (url) => startGatehouseLane(url, { protocol: "llm", governed: true, events: true }),
  },
  {
    id: "governed-no-events",
    title: "Gatehouse, governed, without events",
    protocol: "llm",
    streams: false,
    start: (url) => startGatehouseLane(url, { protocol: "llm", governed: true, events: false }),
  },
  {
    id: "governed-redis",
    title: "Gatehouse, governed, limits in Redis",
    protocol: "llm",
    streams: false,
    unavailable: redisMissing,
    start: (url) => startGatehouseLane(url, { protocol: "llm", governed: true, events: true, redis: true }),
  },
  {
    id: "to-anthropic",
    title: "Gatehouse, governed, chat completions to Anthropic",
    protocol: "llm",
    streams: false,
    note: "each request and answer is translated",
    start: (url) =>
      startGatehouseLane(url, { protocol: "llm", governed: true, events: true, translates: "to-anthropic" }),
  },
  {
    id: "from-anthropic",
    title: "Gatehouse, governed, Anthropic's Messages to chat completions",
    protocol: "llm",
    streams: false,
    note: "each request and answer is translated",
    start: (url) =>
      startGatehouseLane(url, { protocol: "llm", governed: true, events: true, translates: "from-anthropic" }),
  },
  { id: "mcp-direct", title: "MCP: no proxy", protocol: "mcp", streams: false, start: (url) => direct(url + mcpPath) },
  {
    id: "mcp-bare",
    title: "MCP: bare relay",
    protocol: "mcp",
    streams: false,
    start: (url) => ownServer("bare-proxy", url, mcpPath),
  },
  {
    id: "mcp-open",
    title: "MCP: Gatehouse, open",
    protocol: "mcp",
    streams: false,
    start: (url) => startGatehouseLane(url, { protocol: "mcp", governed: false, events: false }),
  },
  {
    id: "mcp-governed",
    title: "MCP: Gatehouse, governed",
    protocol: "mcp",
    streams: false,
    start: (url) => startGatehouseLane(url, { protocol: "mcp", governed: true, events: true }),
  },
];

async function direct(url: string): Promise<RunningLane> {
  return { url, headers: {}, pid: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
}

async function ownServer(name: string, upstreamUrl: string, path: string): Promise<RunningLane> {
  const script = join(import.meta.dirname, "..", "servers", `${name}.ts`);
  const server = startPinned("subject", process.execPath, [script, upstreamUrl]);
  const port = (await server.line(/"port":(\d+)/))[1] ?? "";
  return {
    url: `http://127.0.0.1:${port}${path}`,
    headers: {},
    pid: server.pid,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
