import { expect, onTestFinished, test } from "vitest";
import type { AnalyticsTools } from "../../src/analytics/analytics-tools.ts";
import { exchangeRowSchema } from "../../src/analytics/answers.ts";
import type { LiveFilter } from "../../src/analytics/live-reader.ts";
import { liveTailLimits } from "../../src/control/live-tail-stream.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { exchangeRow } from "../kit/event-rows.ts";
import { eventually as eventuallyWithin } from "../kit/eventually.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import type { ControlPlane } from "./control-plane.ts";
import { adminToken, openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const path = "/api/v1/analytics/tail";
const eventually = (what: string, holds: () => boolean | Promise<boolean>) => eventuallyWithin(what, holds, 15_000);

/** A store with `count` rows, whose cursors are their numbers. */
function store({ count = 0, detail = "" } = {}) {
  const state = { count, asked: [] as LiveFilter[], reads: 0, failure: undefined as Error | undefined };
  const tools: Pick<AnalyticsTools, "live"> = {
    live: {
      now: async () => String(state.count),
      async after(cursor, filter, limit) {
        if (!/^\d+$/.test(cursor)) throw new GatewayError("request.invalid", "No cursor.");
        state.asked.push(filter);
        state.reads += 1;
        if (state.failure !== undefined) throw state.failure;
        const end = Math.min(state.count, Number(cursor) + limit);
        return Array.from({ length: end - Number(cursor) }, (_, index) => {
          const number = Number(cursor) + index + 1;
          const row = exchangeRowSchema.parse({
            ...exchangeRow(number, { error_detail: detail || null }),
            ts: "2026-01-15T12:00:00Z",
          });
          return { row, cursor: String(number) };
        });
      },
    },
  };
  // The other tools are not asked for here.
  return { state, analyticsTools: async () => tools as AnalyticsTools };
}

interface Tail {
  readonly status: number;
  readonly type: string | null;
  /** What has been read so far. */
  text(): string;
  readonly isOver: boolean;
  /** Reads what lies ready, until the text has that. */
  until(part: string): Promise<void>;
  readMore(): Promise<void>;
  leave(): Promise<void>;
}

async function openTail(control: ControlPlane, query = "", headers: Record<string, string> = {}): Promise<Tail> {
  const response = await control.app.request(`http://localhost${path}${query}`, {
    headers: { authorization: `Bearer ${adminToken}`, ...headers },
  });
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  onTestFinished(() => reader.cancel());
  let text = "";
  let isOver = false;
  const readMore = async (): Promise<void> => {
    const { done, value } = await reader.read();
    isOver = done;
    text += Buffer.from(value ?? []).toString("utf8");
  };
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    text: () => text,
    get isOver() {
      return isOver;
    },
    readMore,
    async until(part) {
      while (!text.includes(part) && !isOver) await readMore();
      expect(text).toContain(part);
    },
    leave: () => reader.cancel(),
  };
}

test("200: rows that come are events with ids, and none of those before", async () => {
  const { state, analyticsTools } = store({ count: 7 });
  await using control = await openControlPlane({ analyticsTools });
  const asked = { api: "chat", environment: "sandbox", application: "a", key: "k", model: "m", tool: "search" };
  const filter = { ...asked, client: "c", session: "s", outcome: "ok" };
  const tail = await openTail(control, `?${new URLSearchParams(filter).toString()}`);
  expect([tail.status, tail.type]).toEqual([200, "text/event-stream"]);
  await eventually("looked", () => state.reads >= 2);
  state.count = 9;
  control.clock.advance(liveTailLimits.pollMs);
  await tail.until("id: 9\n");
  const events = tail.text().split("\n\n").slice(1, -1);
  expect(events).toHaveLength(2);
  expect(events[0]).toMatch(/^id: 8\nevent: exchange\ndata: \{"ts":/);
  expect(state.asked.at(-1)).toEqual({ ...filter, teamIds: undefined });
});

test("200: Last-Event-ID goes on behind that row, page after page without a wait", async () => {
  const { analyticsTools } = store({ count: 1_000 });
  await using control = await openControlPlane({ analyticsTools });
  const tail = await openTail(control, "", { "last-event-id": "450" });
  await tail.until("id: 1000\n");
  const ids = [...tail.text().matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  expect(ids).toEqual(Array.from({ length: 550 }, (_, index) => 451 + index));
});

test("200: silence is filled by comments, and a store that is away is waited for", async () => {
  const { state, analyticsTools } = store();
  await using control = await openControlPlane({ analyticsTools });
  const tail = await openTail(control);
  await eventually("looked", () => state.reads >= 2);
  state.failure = new GatewayError("store.unavailable", "away");
  let ends = false;
  const heard = tail.until(": nothing new").then(() => {
    ends = true;
  });
  await eventually("a comment", () => (control.clock.advance(1_000), ends));
  await heard;
  state.failure = undefined;
  state.count = 1;
  let isShown = false;
  const shown = tail.until("id: 1\n").then(() => {
    isShown = true;
  });
  await eventually("the row", () => (control.clock.advance(1_000), isShown));
  await shown;
});

test("200: a reader that takes nothing is told so and cut, and no more is read for it meanwhile", async () => {
  const { state, analyticsTools } = store({ count: 1_000_000, detail: "x".repeat(2_000) });
  await using control = await openControlPlane({ analyticsTools });
  const tail = await openTail(control, "", { "last-event-id": "0" });
  await eventually("full", () => state.reads >= 2);
  const advance = async (ms: number) => {
    for (let second = 0; second < ms / 1_000; second += 1) {
      control.clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await advance(liveTailLimits.slowMs - 5_000);
  expect(state.reads).toBeLessThan(5);
  await advance(10_000);
  while (!tail.isOver) await tail.readMore();
  expect(tail.text()).toMatch(/event: end\ndata: \{"reason":"slow".*\}\n\n$/);
});

test("200: it ends after ten minutes, so that rights are looked at again", async () => {
  const { state, analyticsTools } = store();
  await using control = await openControlPlane({ analyticsTools });
  const tail = await openTail(control);
  await eventually("looked", () => state.reads >= 2);
  control.clock.advance(liveTailLimits.longestMs);
  await tail.until('"reason":"time"');
  await tail.readMore();
  expect(tail.isOver).toBe(true);
});

test("200: with format=json, what has come is answered at once with the next cursor", async () => {
  const { analyticsTools } = store({ count: 3 });
  await using control = await openControlPlane({ analyticsTools });
  const page = await control.send("GET", `${path}?format=json&cursor=1`);
  expect([page.body.items.length, page.body.next]).toEqual([2, "3"]);
  expect((await control.send("GET", `${path}?format=json`)).body).toEqual({ items: [], next: "3" });
});

test("200: who may read a team's analytics is shown that team's rows", async () => {
  const { state, analyticsTools } = store();
  await using control = await openControlPlane({ analyticsTools });
  const blue = await createTeam(control, "blue");
  await makeUser(control, "ada", { teams: [{ team: "blue", roles: ["analyst"] }] }, {});
  const { token } = await makeToken(control.send, { user: "ada" });
  expect((await control.send("GET", `${path}?format=json`, undefined, bearer(token))).status).toBe(200);
  expect(state.asked.map(({ teamIds }) => teamIds)).toEqual([[blue]]);
});

test("400: a cursor that is none", async () => {
  await using control = await openControlPlane({ analyticsTools: store().analyticsTools });
  expect((await control.send("GET", `${path}?cursor=x`)).status).toBe(400);
});

test("429: more tails than a control plane serves, until one ends", async () => {
  const { state, analyticsTools } = store();
  await using control = await openControlPlane({ analyticsTools });
  const tails = await Promise.all(Array.from({ length: 32 }, () => openTail(control)));
  expect(tails.map(({ status }) => status)).toEqual(tails.map(() => 200));
  expect((await openTail(control)).status).toBe(429);
  await eventually("all wait", () => state.reads >= 65);
  await tails[0]?.leave();
  await eventually("a place", async () => (await openTail(control)).status === 200);
});

test("501: without analytics", async () => {
  await using control = await openControlPlane();
  expect((await control.send("GET", path)).status).toBe(501);
});
