import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
});

afterAll(() => gatehouse[Symbol.asyncDispose]());

const managers = (...args: string[]): Promise<CommandResult> =>
  command(["key-managers", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });

test("rotating makes a key that signs and keeps the ones that still check", async () => {
  const first = await managers("rotate-keys", "--overlap", "0s");
  const second = await managers("rotate-keys");
  const [, kid = "", from = ""] = /^signing with (\S+) from (\S+)$/.exec(first.out[0] ?? "") ?? [];
  expect(first.code).toBe(0);
  const [, , later = ""] = /^signing with (\S+) from (\S+)$/.exec(second.out[0] ?? "") ?? [];
  expect(Date.parse(later) - Date.parse(from)).toBeGreaterThanOrEqual(300_000);
  expect(second.out).toContain(`still checking with ${kid}`);
});

test("a connection that does not work is told step by step and fails", async () => {
  await gatehouse.put("KeyManager", "away", { use: "oidc", with: { issuer: "http://127.0.0.1:9" } });
  const { code, out, notes } = await managers("test", "away");
  expect(code).toBe(1);
  expect(out.join("\n")).toMatch(/^FAIL /m);
  expect(notes).toContain("KeyManager/away");
});

test("one that is not there is named", async () => {
  expect(await managers("test", "nobody")).toMatchObject({ code: 1, notes: expect.stringContaining("nobody") });
});
