import { expect, test } from "vitest";
import type { ProbeTime } from "../../../src/gateway/mcp/probe-times.ts";
import { createProbeTimes } from "../../../src/gateway/mcp/probe-times.ts";
import { startPinRefresh } from "../../../src/gateway/mcp/refresh-pins.ts";
import type { McpBackend, McpContext } from "../../../src/mcp/backend.ts";
import type { PinBoard, PinPlace } from "../../../src/mcp/pins/pin-board.ts";
import { createPinBoard } from "../../../src/mcp/pins/pin-board.ts";
import { eventually } from "../../kit/eventually.ts";
import type { ManualClock } from "../../kit/manual-clock.ts";
import { manualClock } from "../../kit/manual-clock.ts";

const place: PinPlace = {
  apiId: "mcp_1",
  environment: "production",
  settings: { mode: "quarantine", onNew: "allow", refreshMs: 900_000 },
};

/** A server whose tool says what `describe` was given last, and what it was asked. */
function server() {
  const state = { description: "one", looks: 0, isAway: false, tell: (_method: string): void => {} };
  const backend: McpBackend = {
    facts: async () => {
      if (state.isAway) throw new Error("away");
      return { serverInfo: {}, capabilities: { tools: {} }, instructions: "Be kind.", versions: ["2026-07-28"] };
    },
    request: async () => {
      state.looks += 1;
      return { result: { tools: [{ name: "a", description: state.description }] } };
    },
    notify: async () => undefined,
    listen: async (filter, context: McpContext) => {
      state.tell = (method) => void context.notify({ method, params: {} });
      return { accepted: filter, ended: new Promise(() => undefined), close: () => undefined };
    },
    dispose: () => undefined,
  };
  return { state, backend };
}

interface Gateway {
  readonly board: PinBoard;
  stop(): void;
}

/** A gateway, and all of them hear what each reports. */
function gateway(
  gateways: Gateway[],
  clock: ManualClock,
  backend: McpBackend,
  { random = () => 0, time = createProbeTimes().hold("x") }: { random?: () => number; time?: ProbeTime } = {},
): Gateway {
  const board = createPinBoard(async (report) => {
    if (report.type !== "mcp.seen" || report.isRefresh !== true) return;
    const { apiId, environment } = report;
    for (const each of gateways) each.board.apply({ type: "mcp-pins.checked", apiId, environment });
  });
  const made = { board, stop: startPinRefresh({ place, backend, board, clock, time, random }) };
  gateways.push(made);
  return made;
}

test("a server is looked at after the start, at intervals, and when it says that a list has changed", async () => {
  const clock = manualClock();
  const { state, backend } = server();
  const { board, stop } = gateway([], clock, backend);
  clock.advance(0);
  await eventually("the first look", () => state.looks === 1);
  const known = board.hashOf(place, "tool", "a");
  expect(board.hashOf(place, "instructions", "instructions")).toBeDefined();
  state.description = "two";
  await eventually("it listens", () => state.tell.length === 1);
  state.tell("notifications/tools/list_changed");
  clock.advance(1_000);
  await eventually("the look after the news", () => state.looks === 2);
  await eventually("the change is known", () => board.hashOf(place, "tool", "a") !== known);
  expect(board.mayUse(place, "tool", "a")).toBe(false);
  clock.advance(900_000);
  await eventually("the next look", () => state.looks === 3);
  stop();
  clock.advance(10_000_000);
  expect(state.looks).toBe(3);
});

test("a dead server is no news: what is known stays, and it is asked again later", async () => {
  const clock = manualClock();
  const { state, backend } = server();
  const { board, stop } = gateway([], clock, backend);
  clock.advance(0);
  await eventually("the first look", () => board.hashOf(place, "tool", "a") !== undefined);
  state.isAway = true;
  clock.advance(900_000);
  await Promise.resolve();
  expect(board.mayUse(place, "tool", "a")).toBe(true);
  state.isAway = false;
  clock.advance(900_000);
  await eventually("the look after it is back", () => state.looks === 2);
  stop();
});

test("of two gateways the first to come looks, and the other hears of it", async () => {
  const clock = manualClock();
  const { state, backend } = server();
  const all: Gateway[] = [];
  gateway(all, clock, backend, { random: () => 100 });
  gateway(all, clock, backend, { random: () => 400 });
  clock.advance(100);
  await eventually("the first look", () => state.looks === 1);
  await Promise.resolve();
  clock.advance(10_000);
  clock.advance(10_000);
  expect(state.looks).toBe(1);
  for (const { stop } of all) stop();
});

test("a publish is no reason for another look", async () => {
  const clock = manualClock();
  const { state, backend } = server();
  const times = createProbeTimes();
  const first = gateway([], clock, backend, { time: times.hold("x") });
  clock.advance(0);
  await eventually("the first look", () => state.looks === 1);
  const second = gateway([], clock, backend, { time: times.hold("x") });
  first.stop();
  clock.advance(800_000);
  expect(state.looks).toBe(1);
  clock.advance(100_000);
  await eventually("the look when it is due", () => state.looks === 2);
  second.stop();
});
