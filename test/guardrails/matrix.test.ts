import { glob } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLlmAdapter } from "../../src/gateway/llm/llm-adapter.ts";
import { texts as llmTexts } from "../../src/gateway/llm/llm-spans.ts";
import { texts as mcpTexts } from "../../src/gateway/mcp/mcp-spans.ts";
import { texts as restTexts } from "../../src/gateway/rest/rest-spans.ts";
import { guardrails } from "../../src/guardrails/index.ts";
import type { SpanFacts } from "../../src/pipeline/adapter.ts";
import type { GuardrailPhase, GuardrailPlugin } from "../../src/pipeline/define-guardrail.ts";
import type { AnalyticsEvent } from "../../src/pipeline/event.ts";
import { inboundDialects } from "../../src/routing/dialects/index.ts";
import { buildTools } from "../kit/exchange.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import type { ApiKind, DialectCell, Door } from "./dialect-cells.ts";
import { dialectCells, openDoor, send, textless } from "./dialect-cells.ts";
import type { Trip } from "./trips.ts";
import { asking, trips } from "./trips.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let rowsBefore = 0;

beforeAll(async () => {
  upstream = await startMockUpstream();
});

afterAll(() => upstream[Symbol.asyncDispose]());

const modes = ["enforce", "monitor"] as const;
const facts: Readonly<Record<ApiKind, SpanFacts>> = { LlmApi: llmTexts, McpServer: mcpTexts, RestApi: restTexts };
const kinds = Object.keys(facts) as ApiKind[]; // of the table above

test("every adapter has its cells: one that is new fails here until it has them", async () => {
  const files = await Array.fromAsync(glob("*/*-adapter.ts", { cwd: new URL("../../src/gateway", import.meta.url) }));
  const adapters: Readonly<Record<string, ApiKind>> = {
    "llm/llm-adapter.ts": "LlmApi",
    "mcp/mcp-adapter.ts": "McpServer",
    "rest/rest-adapter.ts": "RestApi",
  };
  expect(files.toSorted()).toEqual(Object.keys(adapters).toSorted());
  const covered = new Set(dialectCells.map(({ kind }) => kind));
  expect(Object.values(adapters).filter((kind) => !covered.has(kind))).toEqual([]);
});

test.each(Object.keys(inboundDialects))("%s has a cell for whole answers and one for streams", (dialect) => {
  const own = dialectCells.filter((cell) => cell.dialect === dialect && cell.phases.includes("response"));
  const streams = own.map(({ request }) => "stream" in request("text"));
  expect(new Set(streams)).toEqual(new Set([false, true]));
});

test("every route that takes text has its cells", () => {
  const routes = createLlmAdapter({} as never).routes.map(({ path }) => path); // says them without any part
  const covered = new Set([...dialectCells.map(({ route }) => route), ...textless]);
  expect(routes.filter((path) => !covered.has(path))).toEqual([]);
});

test("every guardrail has a text that it catches", () => {
  const known = new Set([...Object.keys(trips), ...asking]);
  expect(guardrails.map(({ id }) => id).filter((id) => !known.has(id))).toEqual([]);
});

describe.each(guardrails.flatMap((plugin) => tripOf(plugin)))("$plugin.id", ({ plugin, trip }) => {
  const { phases } = plugin.compile(plugin.config.parse(trip.with), buildTools());
  const isHeard = (kind: ApiKind, phase: GuardrailPhase): boolean =>
    phases.includes(phase) &&
    (plugin.appliesTo === undefined ||
      plugin.appliesTo[phase]?.some((author) => facts[kind].authors[phase].includes(author)) === true);
  const servedKinds = kinds.filter((kind) => phases.some((phase) => isHeard(kind, phase)));

  beforeAll(async () => {
    gatehouse = await startTestGatehouse();
    rowsBefore = 0;
  });

  afterAll(() => gatehouse[Symbol.asyncDispose]());

  test.each(kinds.filter((kind) => !servedKinds.includes(kind)))("is refused at publish of a %s", async (kind) => {
    const attachment = { use: plugin.id, with: trip.with };
    await expect(
      openDoor(gatehouse, upstream, kind, `${plugin.id}-${kind.toLowerCase()}`, [attachment]),
    ).rejects.toThrow("nothing to judge");
  });

  describe.each(modes)("in mode %s", (mode) => {
    const doors = new Map<ApiKind, Door>();

    beforeAll(async () => {
      for (const kind of servedKinds) {
        const name = `${plugin.id}-${kind.toLowerCase()}-${mode}`;
        const attachment = { use: plugin.id, with: trip.with, mode, onError: "deny" };
        doors.set(kind, await openDoor(gatehouse, upstream, kind, name, [attachment]));
      }
    });

    const served = dialectCells.filter(({ kind }) => servedKinds.includes(kind));

    test.each(served)("lets $name pass that holds nothing of the kind", async (cell) => {
      const { read, body, status, row } = await exchanged(doors, cell, fineOf(trip), fineOf(trip));
      expect([status, body === "" ? "" : read(body)]).toEqual([
        200,
        cell.phases.includes("response") ? fineOf(trip) : read(body),
      ]);
      expect(decisions(row)).toEqual([]);
    });

    const requests = served.filter(({ kind, phases: own }) => own.includes("request") && isHeard(kind, "request"));
    test.each(requests)(`${trip.does} in the request of $name`, async (cell) => {
      const { sent, body, status, row } = await exchanged(doors, cell, trip.caught, fineOf(trip));
      const holds = mode === "enforce" && trip.does !== "annotate";
      if (cell.isLocal === true) expect(status).toBe(holds && trip.does === "deny" ? 422 : 200);
      else expect(sent?.includes(quoted(trip.piece ?? trip.caught)) ?? false).toBe(!holds);
      if (holds && trip.does === "deny") expect(body).toMatch(/guardrail_blocked|guardrail.denied|"type":"error"/);
      expect(decisions(row)).toContainEqual(["request", trip.does, mode]);
    });

    const answers = served.filter(({ kind, phases: own }) => own.includes("response") && isHeard(kind, "response"));
    test.each(answers)(`${trip.does} in the answer to $name`, async (cell) => {
      const { body, read, status, row } = await exchanged(doors, cell, fineOf(trip), trip.caught);
      const holds = mode === "enforce" && trip.does !== "annotate";
      if (holds) expect(body).not.toContain(quoted(trip.piece ?? trip.caught));
      if (holds && trip.does === "deny") expect(body).toMatch(/guardrail_blocked|guardrail.denied|"type":"error"/);
      else {
        expect(status).toBe(200);
        expect(read(body).includes(trip.piece ?? trip.caught)).toBe(!holds);
      }
      expect(decisions(row)).toContainEqual(["response", trip.does, mode]);
    });
  });
});

function tripOf(plugin: GuardrailPlugin): readonly { readonly plugin: GuardrailPlugin; readonly trip: Trip }[] {
  const trip = trips[plugin.id];
  return trip === undefined ? [] : [{ plugin, trip }];
}

function fineOf({ fine = "fine" }: Trip): string {
  return fine;
}

/** A text as it stands inside of JSON. */
function quoted(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

async function exchanged(doors: ReadonlyMap<ApiKind, Door>, cell: DialectCell, asked: string, answered: string) {
  const door = doors.get(cell.kind);
  if (door === undefined) throw new Error(`no door for ${cell.kind}`);
  upstream.respond(cell.answer(answered));
  const before = upstream.seen.length;
  const answer = await send(door, cell, asked);
  const rows = await gatehouse.events();
  const row = rows.slice(rowsBefore);
  rowsBefore = rows.length;
  return {
    status: answer.status,
    body: answer.text,
    read: cell.read,
    sent: upstream.seen[before]?.body.toString("utf8"),
    row,
  };
}

function decisions(rows: readonly AnalyticsEvent[]): readonly (readonly string[])[] {
  return rows.flatMap((row) =>
    row.type === "exchange" ? row.decisions.map(({ step, action, mode }) => [step, action, mode]) : [],
  );
}
