import { expect, test } from "vitest";
import type { Denial } from "../../src/core/denial-audit.ts";
import { createDenialAudit } from "../../src/core/denial-audit.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { coreFixture } from "./core-fixture.ts";

const denial = (changes: Partial<Denial> = {}): Denial => ({
  action: "control.denied",
  actor: "mallory",
  actorType: "user",
  target: "GET /api/v1/secrets",
  code: "auth.forbidden",
  origin: { requestId: "r1", clientAddress: "192.0.2.1" },
  ...changes,
});

async function written(core: CoreFixture) {
  return (await core.context.catalog.read.audit.after(0, 1_000)).filter(({ kind }) => kind === "Control");
}

test("the first denial of a caller is a row with the address and the request, the further ones are one more with their number", async () => {
  await using core = await coreFixture();
  const denials = createDenialAudit(() => core.context);
  for (let times = 0; times < 1000; times += 1) denials.note(denial());
  core.clock.advance(600_000);
  await denials[Symbol.asyncDispose]();
  expect(await written(core)).toMatchObject([
    {
      action: "control.denied",
      actor: "mallory",
      actorType: "user",
      resourceName: "GET /api/v1/secrets",
      clientAddress: "192.0.2.1",
      requestId: "r1",
      detail: { code: "auth.forbidden", times: 1 },
    },
    { actor: "mallory", detail: { times: 999 } },
  ]);
});

test("a new window begins with a row again", async () => {
  await using core = await coreFixture();
  const denials = createDenialAudit(() => core.context);
  denials.note(denial());
  core.clock.advance(600_000);
  denials.note(denial());
  await denials[Symbol.asyncDispose]();
  expect((await written(core)).map(({ detail }) => detail["times"])).toEqual([1, 1]);
});

test("however many callers there are, the rows of a window are bounded and none of the denials is lost", async () => {
  await using core = await coreFixture();
  const denials = createDenialAudit(() => core.context);
  for (let round = 0; round < 2; round += 1) {
    for (let index = 0; index < 5_000; index += 1) {
      denials.note(denial({ origin: { requestId: `r${index}`, clientAddress: `2001:db8::${index.toString(16)}` } }));
    }
  }
  await denials[Symbol.asyncDispose]();
  const rows = await written(core);
  expect(rows.length).toBeLessThanOrEqual(201);
  expect(rows.reduce((sum, { detail }) => sum + Number(detail["times"]), 0)).toBe(10_000);
});

test("a denial that cannot be written is logged and keeps nobody waiting", async () => {
  const core = await coreFixture();
  const lines: string[] = [];
  const log = { ...core.context.log, warn: (_fields: object, message: string) => void lines.push(message) };
  const denials = createDenialAudit(() => ({ ...core.context, log }));
  await core[Symbol.asyncDispose]();
  denials.note(denial());
  await denials[Symbol.asyncDispose]();
  expect(lines).toEqual(["a denial could not be put into the audit"]);
});
