import { afterAll, beforeAll, expect, test } from "vitest";
import { takeSightings } from "../../src/core/mcp-pins.ts";
import { mcpServer } from "../../src/core/mcp-server.ts";
import { getResource } from "../../src/core/resources.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  const upstream = { production: { url: "http://127.0.0.1:9/mcp" }, sandbox: { sameAs: "production" } };
  await gatehouse.put("McpServer", "tickets", { context: "/tickets", upstream, pins: { mode: "quarantine" } });
});

afterAll(() => gatehouse[Symbol.asyncDispose]());

const pins = (...args: string[]): Promise<CommandResult> =>
  command(["mcp", "pins", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });

async function seen(...descriptions: readonly string[]): Promise<void> {
  const { context } = gatehouse.running;
  const { id: apiId } = await getResource(context, mcpServer, "tickets");
  for (const description of descriptions) {
    const definition = { name: "pay", description };
    await takeSightings(context, {
      apiId,
      environment: "production",
      seen: [{ kind: "tool", name: "pay", definition }],
    });
  }
}

test("a change is listed, shown member by member without what plays with the terminal, and approved by what was looked at", async () => {
  await seen("Pays.", "Pays\u001b[31m all.");
  expect((await pins("list", "tickets")).out[1]).toMatch(/^changed +production +tool +pay +pin_/);
  const shown = await pins("diff", "tickets");
  expect(shown.out.slice(0, 4)).toEqual([
    "tool pay (production): changed",
    "  description",
    '    - "Pays."',
    '    + "Pays\\u001b[31m all."',
  ]);
  const label = /approve tickets (\S+)$/.exec(shown.out[4] ?? "")?.[1] ?? "";
  await seen("Pays everybody.");
  const late = await pins("approve", "tickets", label);
  expect(late).toMatchObject({ code: 1, notes: expect.stringContaining("does not name what pay is now") as unknown });
  const again = /approve tickets (\S+)$/m.exec((await pins("diff", "tickets")).out.join("\n"))?.[1] ?? "";
  expect((await pins("approve", "tickets", again)).out).toEqual(["approved tool pay (production)"]);
  expect((await pins("diff", "tickets")).out).toEqual([]);
});

test("all that wait are approved only when that is said", async () => {
  await seen("Once more.");
  expect(await pins("approve", "tickets")).toMatchObject({ code: 1 });
  expect((await pins("approve", "tickets", "--all")).out).toEqual(["approved tool pay (production)"]);
  expect(await pins("approve", "tickets", "pin_none@0123456789ab")).toMatchObject({ code: 1 });
});
