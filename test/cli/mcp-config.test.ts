import { afterAll, beforeAll, expect, test } from "vitest";
import { publishServer } from "../gateway/mcp/published-server.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  await publishServer(gatehouse, "notes", "http://127.0.0.1:9/mcp");
});

afterAll(() => gatehouse[Symbol.asyncDispose]());

const config = (...args: string[]): Promise<CommandResult> =>
  command(["mcp", "config", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });

test("prints a file's content that can be piped, and where it belongs beside it", async () => {
  const { code, out, notes } = await config("notes", "--client", "claude-code");
  expect(code).toBe(0);
  const url = `${gatehouse.running.gatewayUrl}/notes/mcp`;
  const headers = { Authorization: "Bearer ${NOTES_API_KEY}" };
  expect(JSON.parse(out.join("\n"))).toEqual({ mcpServers: { notes: { type: "http", url, headers } } });
  expect(notes).toContain("Claude Code: .mcp.json; put the API key into NOTES_API_KEY");
  expect((await config("notes", "--client", "codex", "--no-key")).out.join("\n")).not.toContain("KEY");
});

test("a client that nobody knows, and a server that is not deployed, are refused", async () => {
  expect((await config("notes", "--client", "emacs")).code).not.toBe(0);
  expect((await config("nothing", "--client", "cursor")).code).toBe(1);
});
