import { createSecretKey, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { FaceCall } from "../../../../src/gateway/mcp/face/face-call.ts";
import { beginCall } from "../../../../src/gateway/mcp/face/face-call.ts";
import { createParking } from "../../../../src/gateway/mcp/face/parking.ts";
import { createRequestStates } from "../../../../src/mcp/request-state.ts";
import { manualClock } from "../../../kit/manual-clock.ts";

const request = { method: "tools/call", params: { name: "pay" } };
const limits = { park: true, parkMs: 5_000, maxParked: 10 };

function call(): FaceCall {
  const facts = {
    exchange: undefined,
    owner: "ada",
    session: undefined,
    client: { era: "modern", protocolVersion: "2026-07-28", info: undefined, capabilities: {}, logLevel: undefined },
    headers: {},
    progressToken: undefined,
  } as const;
  const running = beginCall(facts, request, () => new Promise(() => undefined));
  return running;
}

test("a call whose client stays away is given up, and its state with it", async () => {
  const clock = manualClock();
  const parking = createParking(clock, createRequestStates(createSecretKey(randomBytes(32))));
  const running = call();
  const state = parking.park({ call: running, questions: new Map() }, "ada", "api", limits);
  clock.advance(4_999);
  expect(running.cancellation.isCancelled).toBe(false);
  clock.advance(1);
  expect(running.cancellation.reason).toMatchObject({ code: "upstream.timeout" });
  await expect(running.items.take()).rejects.toMatchObject({ code: "upstream.timeout" });
  expect(parking.resume(state, "ada", request)).toBeUndefined();
});

test("one that was taken up again is not given up any more, and makes room", () => {
  const clock = manualClock();
  const parking = createParking(clock, createRequestStates(createSecretKey(randomBytes(32))));
  const running = call();
  const one = { ...limits, maxParked: 1 };
  const state = parking.park({ call: running, questions: new Map() }, "ada", "api", one);
  expect(() => parking.park({ call: call(), questions: new Map() }, "ada", "api", one)).toThrow(/Too many/);
  expect(parking.resume(state, "ada", request)?.call).toBe(running);
  clock.advance(60_000);
  expect(running.cancellation.isCancelled).toBe(false);
  parking.park({ call: call(), questions: new Map() }, "ada", "api", one);
});
