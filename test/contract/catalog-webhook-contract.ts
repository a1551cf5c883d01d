import { expect, test } from "vitest";
import type { Catalog } from "../../src/core/catalog.ts";
import type { WebhookDeliveryRow } from "../../src/core/webhook-tables.ts";
import { everyRow } from "./every-row.ts";

/** What webhooks are to be told, and what they have been told. */
export function catalogWebhookContract(open: () => Promise<Catalog>): void {
  const rows = [delivery(1, { nextAtMs: 300 }), delivery(2, { nextAtMs: 100, teamId: "team_other" }), delivery(3)];

  const opened = async (): Promise<Catalog> => {
    const catalog = await open();
    await catalog.transaction(async (tx) => {
      for (const row of rows) await tx.webhookDeliveries.insert(row);
    });
    return catalog;
  };
  const idsOf = (found: readonly WebhookDeliveryRow[]) => found.map(({ id }) => id);

  test("what waits is there in the order of its next try, as it was written", async () => {
    await using catalog = await opened();
    expect(idsOf(await catalog.read.webhookDeliveries.next(10))).toEqual(["whd_2", "whd_3", "whd_1"]);
    expect(await catalog.read.webhookDeliveries.next(1)).toEqual([rows[1]]);
    expect(await catalog.read.webhookDeliveries.find("whd_1")).toEqual(rows[0]);
  });

  test("of two that claim one try, one gets it", async () => {
    await using catalog = await opened();
    const row = delivery(3);
    expect(await catalog.transaction((tx) => tx.webhookDeliveries.claim(row, 900))).toBe(true);
    expect(await catalog.transaction((tx) => tx.webhookDeliveries.claim(row, 900))).toBe(false);
    expect(idsOf(await catalog.read.webhookDeliveries.next(10)).at(-1)).toBe("whd_3");
  });

  test("what has ended waits no more, is listed by its state, and is deleted when it is old", async () => {
    await using catalog = await opened();
    const dead = {
      ...delivery(2),
      state: "dead",
      attempts: 8,
      endedAtMs: 500,
      lastStatus: 500,
      lastError: "x",
    } as const;
    await catalog.transaction((tx) => tx.webhookDeliveries.update(dead));
    expect(idsOf(await catalog.read.webhookDeliveries.next(10))).toEqual(["whd_3", "whd_1"]);
    const listed = await catalog.read.webhookDeliveries.list({ state: "dead" }, { limit: 10 });
    expect(listed.rows).toEqual([{ ...dead, teamId: "team_other" }]);
    expect(await catalog.transaction((tx) => tx.webhookDeliveries.deleteEnded(500, 10))).toBe(0);
    expect(await catalog.transaction((tx) => tx.webhookDeliveries.deleteEnded(501, 10))).toBe(1);
    expect(await catalog.read.webhookDeliveries.find("whd_2")).toBeUndefined();
  });

  test("lists come newest first, page by page, of some teams or all", async () => {
    await using catalog = await opened();
    const all = await everyRow((page) => catalog.read.webhookDeliveries.list({}, page), 1);
    expect(idsOf(all)).toEqual(["whd_3", "whd_2", "whd_1"]);
    const own = await catalog.read.webhookDeliveries.list({ teamIds: ["team_1"] }, { limit: 10 });
    expect(idsOf(own.rows)).toEqual(["whd_3", "whd_1"]);
  });
}

function delivery(number: number, over: Partial<WebhookDeliveryRow> = {}): WebhookDeliveryRow {
  return {
    id: `whd_${number}` as WebhookDeliveryRow["id"], // made up
    source: "Alert/errors",
    teamId: "team_1",
    url: "https://hooks.example.com/",
    secret: "hook-key",
    body: "{}",
    state: "pending",
    attempts: 0,
    nextAtMs: 200,
    lastStatus: null,
    lastError: null,
    createdAtMs: 50,
    endedAtMs: null,
    ...over,
  };
}
