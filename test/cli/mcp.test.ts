import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../kit/mock-upstream.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  upstream = await startMockUpstream((request, response) => {
    const { id, method } = JSON.parse(request.body.toString()) as { id: number; method: string }; // the gateway's
    const discovered = {
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: {} },
      instructions: "Be\u001b[31m kind.",
    };
    const result = method === "server/discover" ? discovered : { tools: [{ name: "a\u0007", description: "does it" }] };
    return json(200, { jsonrpc: "2.0", id, result })(request, response);
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const mcp = (...args: string[]): Promise<CommandResult> =>
  command(["mcp", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });

test("a server is shown with what it offers, and without what would play with the terminal", async () => {
  const { code, out } = await mcp("inspect", `${upstream.url}/mcp`);
  expect(code).toBe(0);
  expect(out.join("\n")).toContain("modern: 2026-07-28");
  expect(out.join("\n")).toMatch(/tool +a\? +does it/);
  expect(out.filter((line) => /\p{Cc}/u.test(line))).toEqual([]);
});

test("the credential comes out of a file, and the answer may be JSON", async () => {
  const file = join(gatehouse.dataDir, "authorization");
  await writeFile(file, "Bearer canary\n");
  const { out } = await mcp("inspect", `${upstream.url}/mcp`, "--authorization-file", file, "--json");
  expect(JSON.parse(out.join("\n"))).toMatchObject({ era: "modern", tools: [{ name: "a\u0007" }] });
  expect(upstream.seen.at(-1)?.headers.authorization).toBe("Bearer canary");
});

test("a server that is not there fails", async () => {
  expect(await mcp("inspect", "http://127.0.0.1:9/mcp")).toMatchObject({
    code: 1,
    notes: expect.stringContaining("cannot be reached") as unknown,
  });
});
