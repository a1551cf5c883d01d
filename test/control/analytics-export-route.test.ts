import { once } from "node:events";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { createAdaptorServer } from "@hono/node-server";
import { describe, expect, test } from "vitest";
import type { AnalyticsTools } from "../../src/analytics/analytics-tools.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import { adminToken, openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const path = "/api/v1/analytics/export";
const range = "from=2026-01-15T12:00:00Z&to=2026-01-15T13:00:00Z";

function notingExporter(failure?: Error) {
  const asked: unknown[] = [];
  const tools: Pick<AnalyticsTools, "exporter"> = {
    exporter: {
      async rows(...question) {
        asked.push(question);
        if (failure !== undefined) throw failure;
        return Readable.from([Buffer.from("row 1\n"), Buffer.from("row 2\n")], { objectMode: false });
      },
    },
  };
  // The other tools are not asked for here.
  return { asked, analyticsTools: async () => tools as AnalyticsTools };
}

test.each([
  ["csv", "text/csv; charset=utf-8"],
  ["ndjson", "application/x-ndjson"],
  ["parquet", "application/vnd.apache.parquet"],
])("200: the rows are passed on as %s, of that table and range", async (format, type) => {
  const { asked, analyticsTools } = notingExporter();
  await using control = await openControlPlane({ analyticsTools });
  const answer = await control.send("GET", `${path}?table=attempts&format=${format}&${range}&api=chat`);
  expect([answer.status, answer.headers.get("content-type"), answer.text]).toEqual([200, type, "row 1\nrow 2\n"]);
  const fromMs = Date.UTC(2026, 0, 15, 12);
  const selection = expect.objectContaining({ fromMs, toMs: fromMs + 3_600_000, api: "chat", teamIds: undefined });
  expect(asked).toEqual([["attempts", selection, format]]);
});

test("200: who may read a team's analytics has that team's rows", async () => {
  const { asked, analyticsTools } = notingExporter();
  await using control = await openControlPlane({ analyticsTools });
  const blue = await createTeam(control, "blue");
  await makeUser(control, "ada", { teams: [{ team: "blue", roles: ["analyst"] }] }, {});
  const { token } = await makeToken(control.send, { user: "ada" });
  expect((await control.send("GET", `${path}?${range}`, undefined, bearer(token))).status).toBe(200);
  expect(asked).toEqual([["exchanges", expect.objectContaining({ teamIds: [blue] }), "ndjson"]]);
});

test.each(["table=config_snapshots", "format=xml", "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:01Z"])(
  "400: %s",
  async (query) => {
    const { asked, analyticsTools } = notingExporter();
    await using control = await openControlPlane({ analyticsTools });
    expect((await control.send("GET", `${path}?${query}`)).status).toBe(400);
    expect(asked).toEqual([]);
  },
);

test("503: a store that does not answer in time", async () => {
  const { analyticsTools } = notingExporter(new GatewayError("store.unavailable", "too slow"));
  await using control = await openControlPlane({ analyticsTools });
  expect((await control.send("GET", `${path}?${range}`)).status).toBe(503);
});

describe("on a real socket", () => {
  /** Asks for an export of those rows, and answers the response as its headers have come. */
  async function answered(rows: Readable) {
    const tools: Pick<AnalyticsTools, "exporter"> = { exporter: { rows: async () => rows } };
    const control = await openControlPlane({ analyticsTools: async () => tools as AnalyticsTools }); // not asked for more
    const server = createAdaptorServer({ fetch: control.app.fetch });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // it listens on TCP
    const headers = { authorization: `Bearer ${adminToken}`, host: "localhost" };
    const asking = request({ port, path: `${path}?${range}`, headers });
    asking.on("error", () => {}); // looked at where the test reads
    asking.end();
    const [response] = (await once(asking, "response")) as [Readable]; // what a request answers
    return {
      asking,
      response,
      async [Symbol.asyncDispose]() {
        server.close();
        await control[Symbol.asyncDispose]();
      },
    };
  }

  test("an error in the middle breaks the answer off: nobody takes it for whole", async () => {
    async function* failing() {
      yield Buffer.from("row 1\n");
      await new Promise(setImmediate);
      throw new GatewayError("store.unavailable", "It is away.");
    }
    await using asked = await answered(Readable.from(failing(), { objectMode: false }));
    await expect(text(asked.response)).rejects.toThrow();
  });

  test("a client that leaves ends what the store is asked", async () => {
    let isOver = false;
    let pieces = 0;
    async function* endless() {
      try {
        for (;;) {
          pieces += 1;
          await new Promise(setImmediate);
          yield Buffer.alloc(65_536);
        }
      } finally {
        isOver = true;
      }
    }
    await using asked = await answered(Readable.from(endless(), { objectMode: false }));
    await once(asked.response, "readable");
    asked.asking.destroy();
    await expect.poll(() => isOver, { timeout: 10_000 }).toBe(true);
    expect(pieces).toBeLessThan(1_000); // it was waited for while the client took nothing
  });
});
