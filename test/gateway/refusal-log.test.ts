import { expect, test } from "vitest";
import type { RefusedRequest } from "../../src/gateway/refusal-log.ts";
import { createRefusalLog } from "../../src/gateway/refusal-log.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";

const refusal: RefusedRequest = {
  requestId: "r",
  code: "route.not_found",
  method: "GET",
  path: "/nowhere",
  clientIp: "127.0.0.1",
  detail: undefined,
};

function scene() {
  const clock = manualClock();
  const log = memoryLog();
  return { clock, log, note: createRefusalLog({ clock, log }) };
}

test("a refusal is one line with what it was and who was refused", () => {
  const { log, note } = scene();
  note(refusal);
  expect(log.lines).toEqual([{ level: "info", fields: refusal, message: "request refused" }]);
});

test("a flood is twenty lines in a second, and the number of the others", () => {
  const { clock, log, note } = scene();
  for (let sent = 0; sent < 1_000; sent += 1) note(refusal);
  expect(log.lines).toHaveLength(20);
  clock.advance(1_000);
  expect(log.lines[20]?.fields).toEqual({ leftOut: 980 });
  note(refusal);
  expect(log.lines).toHaveLength(22);
  clock.advance(1_000);
  expect(log.lines).toHaveLength(22);
});

test("of a path the first segment is shown, cut, and never a key", () => {
  const { log, note } = scene();
  note({ ...refusal, path: "/x/secret/y" });
  note({ ...refusal, path: "/gh_0123456789abcdef_secret" });
  note({ ...refusal, path: `/${"x".repeat(5_000)}` });
  expect(log.lines.map(({ fields }) => (fields as RefusedRequest).path.length)).toEqual([4, 5, 65]);
  expect(JSON.stringify(log.lines)).not.toContain("secret");
});
