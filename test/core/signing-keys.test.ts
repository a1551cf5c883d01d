import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSigningKeys, rotateSigningKey } from "../../src/core/signing-keys.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { admin, coreFixture } from "./core-fixture.ts";

let core: CoreFixture;
const hourMs = 3_600_000;

beforeEach(async () => {
  core = await coreFixture();
});

afterEach(() => core[Symbol.asyncDispose]());

const active = async (alg: "ES256" | "RS256" = "ES256") => (await openSigningKeys(core.context, alg)).active.kid;
const rotate = (overlapSeconds?: number) =>
  rotateSigningKey(core.context, admin, undefined, overlapSeconds === undefined ? {} : { overlapSeconds });

describe("a new signing key", () => {
  test("signs at once where it is the first", async () => {
    const keys = await openSigningKeys(core.context, "ES256");
    expect([keys.others, keys.untilMs]).toEqual([[], undefined]);
  });

  test("is told to the gateways at once, and signs five minutes later", async () => {
    const before = await active();
    core.messages.length = 0;
    const { kid, signsFrom, published } = await rotate();
    expect(published).toEqual([before, kid]);
    expect(core.messages.map(({ type }) => type)).toEqual(["key-manager.put"]);
    const atMs = core.clock.now() + 300_000;
    expect(Date.parse(signsFrom)).toBe(atMs);
    const keys = await openSigningKeys(core.context, "ES256");
    expect([keys.active.kid, keys.untilMs]).toEqual([before, atMs]);
    core.clock.advance(299_999);
    expect(await active()).toBe(before);
    core.clock.advance(1);
    const later = await openSigningKeys(core.context, "ES256");
    expect([later.active.kid, later.untilMs]).toEqual([kid, undefined]);
  });

  test("signs at once with an overlap of nothing, also where another one waits, which then never signs", async () => {
    await active();
    const waiting = await rotate();
    const { kid } = await rotate(0);
    expect(await active()).toBe(kid);
    core.clock.advance(hourMs);
    expect([await active(), waiting.kid]).toEqual([kid, expect.not.stringMatching(kid)]);
  });

  test("after another that waits takes over from that one", async () => {
    const first = await active();
    const second = await rotate(60);
    core.clock.advance(30_000);
    const third = await rotate(60);
    const signers: string[] = [];
    for (const stepMs of [0, 30_000, 30_000]) {
      core.clock.advance(stepMs);
      signers.push(await active());
    }
    expect(signers).toEqual([first, second.kid, third.kid]);
  });

  test("of another algorithm takes over after the overlap too, and is made once", async () => {
    const first = await active();
    expect(await active("RS256")).toBe(first);
    expect(await active("RS256")).toBe(first);
    core.clock.advance(300_000);
    const keys = await openSigningKeys(core.context, "RS256");
    expect([keys.active.alg, keys.others.map(({ kid }) => kid)]).toEqual(["RS256", [first]]);
  });

  test("a clock that goes back makes the one before sign again, and none is missing", async () => {
    const first = await active();
    const { kid } = await rotate(60);
    core.clock.advance(60_000);
    expect(await active()).toBe(kid);
    const at = async (behindMs: number): Promise<string> => {
      const clock = { ...core.clock, now: () => core.clock.now() - behindMs };
      return (await openSigningKeys({ ...core.context, clock }, "ES256")).active.kid;
    };
    expect([await at(30_000), await at(365 * 24 * hourMs)]).toEqual([first, first]);
  });
});
