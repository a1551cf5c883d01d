import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DemoModel } from "../../src/quickstart/demo-model.ts";
import { startDemoModel } from "../../src/quickstart/demo-model.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;
let model: DemoModel;
let url: string;

beforeAll(async () => {
  model = await startDemoModel({ clock: manualClock() });
  gatehouse = await startTestGatehouse();
  ({ url } = await gatehouse.llm("chat", model.baseUrl));
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

const keys = (...args: readonly string[]): Promise<CommandResult> =>
  command(["keys", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });
const statusWith = async (key: string): Promise<number> =>
  (await fetch(`${url}/models`, { headers: { apikey: key } })).status;

describe("API keys from the command line", () => {
  test("a generated key stands alone on the standard output, and opens its API", async () => {
    const { code, out, notes } = await keys("generate", "--api", "LlmApi/chat", "--name", "mine", "--validity", "1h");
    expect(code).toBe(0);
    expect(out).toEqual([expect.stringMatching(/^gh_[A-Za-z0-9]+_[A-Za-z0-9]+$/)]);
    expect(notes).toContain("ApiKey/mine");
    expect(await statusWith(out[0] ?? "")).toBe(200);
  });

  test("a list shows keys masked, with what they open, and never a key or a hash", async () => {
    const {
      out: [key = ""],
    } = await keys("generate", "--api", "chat", "--name", "listed");
    for (const { out } of [await keys("list"), await keys("list", "--json")]) {
      const text = out.join("\n");
      expect(text).toContain("listed");
      expect(text).toContain(key.slice(0, 7));
      expect(text).not.toContain(key);
      expect(text).not.toMatch(/[0-9a-f]{64}/);
      expect(text).not.toContain(createHash("sha256").update(key).digest("hex"));
    }
    expect((await keys("list")).out[0]).toMatch(
      /^NAME +KEY +API +ENVIRONMENT +APPLICATION +STATE +EXPIRES +LAST USED$/,
    );
  });

  test("a regenerated key opens the API and its old value does not", async () => {
    const {
      out: [old = ""],
    } = await keys("generate", "--api", "chat", "--name", "again");
    const {
      out: [fresh = ""],
    } = await keys("regenerate", "again");
    expect(fresh).not.toBe(old);
    expect([await statusWith(old), await statusWith(fresh)]).toEqual([401, 200]);
  });

  test("a key regenerated with an overlap opens the API by both values, until it is revoked", async () => {
    const {
      out: [old = ""],
    } = await keys("generate", "--api", "chat", "--name", "overlapping");
    const {
      out: [fresh = ""],
    } = await keys("regenerate", "overlapping", "--overlap", "1h");
    expect([await statusWith(old), await statusWith(fresh)]).toEqual([200, 200]);
    await keys("revoke", "overlapping");
    expect([await statusWith(old), await statusWith(fresh)]).toEqual([401, 401]);
  });

  test("a revoked key is refused at once", async () => {
    const {
      out: [key = ""],
    } = await keys("generate", "--api", "chat", "--name", "gone");
    expect((await keys("revoke", "gone")).out).toEqual(["revoked ApiKey/gone"]);
    expect(await statusWith(key)).toBe(401);
  });

  test.each([
    { name: "an unknown API", args: ["--api", "LlmApi/nowhere"], code: 1, says: "spec.api" },
    { name: "a validity without a unit", args: ["--api", "chat", "--validity", "30"], code: 1, says: "such as 30d" },
    { name: "an unknown environment", args: ["--api", "chat", "--environment", "test"], code: 2, says: "sandbox" },
    { name: "no API", args: [], code: 2, says: "--api" },
  ])("$name is refused", async ({ args, code, says }) => {
    expect(await keys("generate", ...args)).toMatchObject({ code, out: [], notes: expect.stringContaining(says) });
  });
});
