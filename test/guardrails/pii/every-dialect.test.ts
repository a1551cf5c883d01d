import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import type { ApiKind, Door } from "../dialect-cells.ts";
import { dialectCells, openDoor, send } from "../dialect-cells.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
const doors = new Map<ApiKind, Door>();

beforeAll(async () => {
  [gatehouse, upstream] = await Promise.all([startTestGatehouse(), startMockUpstream()]);
  for (const kind of ["LlmApi", "McpServer", "RestApi"] as const) {
    doors.set(kind, await openDoor(gatehouse, upstream, kind, `pii-${kind.toLowerCase()}`, [{ use: "pii" }]));
  }
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const conversations = dialectCells.filter(
  ({ phases, isLocal }) => phases.includes("request") && phases.includes("response") && isLocal !== true,
);

describe("a value that was hidden from", () => {
  test.each(conversations)("$name comes back in its answer", async (cell) => {
    const door = doors.get(cell.kind);
    if (door === undefined) throw new Error(`no door for ${cell.kind}`);
    upstream.respond(cell.answer("Sent to [email_1] and [EMAIL_2]."));
    const before = upstream.seen.length;
    const answer = await send(door, cell, "write to ada@example.org");
    expect(upstream.seen[before]?.body.toString("utf8")).toContain("write to [EMAIL_1]");
    expect(cell.read(answer.text)).toBe("Sent to ada@example.org and [EMAIL_2].");
    const rows = await gatehouse.events();
    expect(JSON.stringify(rows.slice(-2))).not.toContain("ada@example.org");
    expect(JSON.stringify(rows)).toContain("email 1");
  });
});

test("all dialects are tried", () => {
  expect(conversations.length).toBeGreaterThan(5);
});
