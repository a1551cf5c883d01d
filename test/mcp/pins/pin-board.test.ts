import { expect, test, vi } from "vitest";
import * as definitions from "../../../src/core/mcp-definition.ts";
import type { GatewayReport } from "../../../src/core/plane-message.ts";
import type { PinBoard, PinPlace } from "../../../src/mcp/pins/pin-board.ts";
import { createPinBoard } from "../../../src/mcp/pins/pin-board.ts";

type Seen = Extract<GatewayReport, { type: "mcp.seen" }>;

function start(): { readonly board: PinBoard; readonly told: Seen[]; away: boolean } {
  const told: Seen[] = [];
  const started = {
    told,
    away: false,
    board: createPinBoard(async (report) => {
      if (started.away) throw new Error("away");
      if (report.type === "mcp.seen") told.push(report);
    }),
  };
  return started;
}

function at(more: Partial<PinPlace["settings"]> = {}, environment: PinPlace["environment"] = "production"): PinPlace {
  return {
    apiId: "mcp_1",
    environment,
    settings: { mode: "quarantine", onNew: "allow", refreshMs: 900_000, ...more },
  };
}

const pay = { name: "pay", description: "Pays.", inputSchema: { type: "object" } };

test("a definition that comes again is hashed no more, and one with its members in another order is no news", () => {
  const { board, told } = start();
  const hash = vi.spyOn(definitions, "definitionHash");
  expect(board.look(at(), "tool", [pay])).toEqual([true]);
  const before = hash.mock.calls.length;
  for (let count = 0; count < 5; count += 1) board.look(at(), "tool", [{ ...pay }]);
  expect(hash.mock.calls.length).toBe(before);
  const { name, ...rest } = pay;
  expect(board.look(at(), "tool", [{ ...rest, name }])).toEqual([true]);
  expect(told).toHaveLength(1);
  hash.mockRestore();
});

test("a renamed tool is a new one: with onNew: quarantine it waits, and so does its use", () => {
  const { board } = start();
  const strict = at({ onNew: "quarantine" });
  const approvedHash = definitions.definitionHash(pay);
  const pin = { apiId: "mcp_1", environment: "production", kind: "tool", name: "pay" } as const;
  board.apply({ type: "mcp-pins", pins: [{ ...pin, approvedHash, seenHash: approvedHash }] });
  expect(board.look(strict, "tool", [pay, { ...pay, name: "pay2" }])).toEqual([true, false]);
  expect(board.mayUse(strict, "tool", "pay")).toBe(true);
  expect(board.mayUse(strict, "tool", "pay2")).toBe(false);
  expect(board.mayUse(strict, "tool", "never listed")).toBe(false);
});

test("production and sandbox have pins of their own", () => {
  const { board } = start();
  board.look(at(), "tool", [pay]);
  board.look(at({}, "sandbox"), "tool", [{ ...pay, description: "Pays play money." }]);
  board.look(at({}, "sandbox"), "tool", [{ ...pay, description: "Pays all." }]);
  expect(board.mayUse(at(), "tool", "pay")).toBe(true);
  expect(board.mayUse(at({}, "sandbox"), "tool", "pay")).toBe(false);
  expect(board.hashOf(at(), "tool", "pay")).toBe(definitions.definitionHash(pay));
  expect(board.hashOf(at(), "prompt", "pay")).toBeUndefined();
});

test("what could not be told is told with the next list", async () => {
  const started = start();
  started.away = true;
  started.board.look(at(), "tool", [pay]);
  await Promise.resolve();
  await Promise.resolve();
  started.away = false;
  started.board.look(at(), "tool", [pay]);
  expect(started.told.map(({ seen }) => seen.map(({ name }) => name))).toEqual([["pay"]]);
});

test("long lists are told in parts, and a definition without end by its hash", () => {
  const { board, told } = start();
  const many = Array.from({ length: 450 }, (_, count) => ({ name: `t${count}` }));
  board.look(at(), "tool", many);
  expect(told.map(({ seen }) => seen.length)).toEqual([200, 200, 50]);
  const endless = { name: "endless", description: "x".repeat(300_000) };
  board.look(at(), "tool", [endless]);
  expect(told.at(-1)?.seen[0]?.definition).toEqual({
    name: "endless",
    tooLongToKeep: definitions.definitionHash(endless),
  });
  expect(board.look(at(), "tool", [{ ...endless, description: `${endless.description}y` }])).toEqual([false]);
});

test("names without end take no room without end: beyond 10,000 they are held back and not told", () => {
  const { board, told } = start();
  const names = (from: number) => Array.from({ length: 5_000 }, (_, count) => ({ name: `t${from + count}` }));
  board.look(at(), "tool", names(0));
  board.look(at(), "tool", names(5_000));
  const before = told.length;
  expect(board.look(at(), "tool", [{ name: "one more" }, { name: "t0" }])).toEqual([false, true]);
  expect(told.length).toBe(before);
  expect(board.mayUse(at(), "tool", "one more")).toBe(false);
  expect(board.look(at({ mode: "warn" }), "tool", [{ name: "one more" }])).toEqual([true]);
});

test("what rules keep in quarantine is neither shown nor usable, in any mode and environment, and the rest is", () => {
  const { board, told } = start();
  const warned = at({ mode: "warn" });
  const send = { ...pay, name: "send" };
  board.apply({ type: "mcp-held", held: [{ apiId: "mcp_1", entries: [{ kind: "tool", name: "pay" }] }] });
  for (const place of [warned, at(), at({ mode: "warn" }, "sandbox")]) {
    expect(board.look(place, "tool", [pay, send])).toEqual([false, true]);
    expect(board.look(place, "prompt", [pay])).toEqual([true]); // of that name, and not that
    expect([board.mayUse(place, "tool", "pay"), board.mayUse(place, "tool", "send")]).toEqual([false, true]);
  }
  expect(board.look({ ...warned, apiId: "mcp_2" }, "tool", [pay])).toEqual([true]);
  // It is looked at all the same: a server that mends it is heard.
  expect(told.flatMap(({ seen }) => seen.map(({ name }) => name))).toContain("pay");
  board.apply({ type: "mcp-held.put", held: { apiId: "mcp_1", entries: [] } });
  expect(board.look(warned, "tool", [pay])).toEqual([true]);
  expect(board.mayUse(warned, "tool", "pay")).toBe(true);
});
