import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { eventually } from "../kit/eventually.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let gatehouse: TestGatehouse;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
});
afterAll(() => gatehouse[Symbol.asyncDispose]());

const governance = (...args: string[]): Promise<CommandResult> =>
  command(["governance", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });

const shows = (line: RegExp): Promise<void> =>
  eventually(`${line} is shown`, async () => line.test((await governance("status")).out.join("\n")), 60_000);

const upstream = { production: { url: "https://mcp.example.com/mcp" }, sandbox: { sameAs: "production" } };

test("an attached ruleset refuses a publication until what it found is mended, and no more once detached", async () => {
  const rule = {
    description: "Says what it is for.",
    severity: "error",
    given: "$.spec",
    // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
    then: { field: "description", function: "truthy" },
  };
  await gatehouse.put("Ruleset", "described", {
    artifacts: ["McpServer"],
    ruleset: { rules: { "says-its-purpose": rule } },
  });
  const attached = await governance("attach", "described", "--to", "mcp/files", "--on", "error=block");
  expect(attached.out).toEqual(["attached described to mcp/files by GovernancePolicy/attached-described"]);
  expect((await governance("usage")).out[1]).toMatch(/^described +attached-described +McpServer\/files/);

  await expect(gatehouse.put("McpServer", "files", { context: "/files", upstream })).rejects.toThrow(
    /says-its-purpose \(error, line \d+, policy attached-described\)/,
  );
  await shows(/files +NON_COMPLIANT +0/);
  const { out } = await governance("status", "McpServer/files");
  expect(out[0]).toBe("McpServer/files: NON_COMPLIANT");
  expect(out.at(-1)).toMatch(/^attached-described +described +error +says-its-purpose +spec/);

  await gatehouse.put("McpServer", "files", { context: "/files", upstream, description: "Reads files." });
  await gatehouse.put("McpServer", "other", { context: "/other", upstream });
  await shows(/McpServer\/files +COMPLIANT +100/);

  expect((await governance("detach", "described")).code).toBe(0);
  expect((await governance("usage")).out).toHaveLength(1);
});

test("words that are no target, state or action are refused", async () => {
  expect(await governance("attach", "described", "--to", "everything")).toMatchObject({ code: 1 });
  const notes = (await governance("attach", "described", "--to", "global", "--at", "create", "--on", "error=block"))
    .notes;
  expect(notes).toContain("only `deploy` and `publish` may be blocked");
});
