import { expect, test } from "vitest";
import type { AlertEventRow } from "../../src/core/alert-tables.ts";
import type { Catalog } from "../../src/core/catalog.ts";
import { everyRow } from "./every-row.ts";
import { sampleResource } from "./sample-rows.ts";

/** How alerts stand, and what they have told. */
export function catalogAlertContract(open: () => Promise<Catalog>): void {
  const watched = sampleResource({ id: "alr_1", kind: "Alert" });

  const opened = async (): Promise<Catalog> => {
    const catalog = await open();
    await catalog.transaction((tx) => tx.resources.insert(watched));
    return catalog;
  };
  const claim = (catalog: Catalog, expectedMs: number | null, nextAtMs: number) =>
    catalog.transaction((tx) => tx.alerts.claim(watched.id, expectedMs, nextAtMs));

  test("each look is taken once, the first one too", async () => {
    await using catalog = await opened();
    expect([await claim(catalog, null, 100), await claim(catalog, null, 100)]).toEqual([true, false]);
    expect([await claim(catalog, 100, 200), await claim(catalog, 100, 200)]).toEqual([true, false]);
    expect(await catalog.read.alerts.state(watched.id)).toMatchObject({ state: "ok", nextAtMs: 200, value: null });
  });

  test("what a look has found is kept, to the digit, and goes with the alert", async () => {
    await using catalog = await opened();
    await claim(catalog, null, 100);
    const found = {
      alertId: watched.id,
      state: "firing",
      sinceMs: 1,
      calmSinceMs: 2,
      toldAtMs: 3,
      value: 0.1 + 0.2,
      error: "store.unavailable",
      evaluatedAtMs: 4,
    } as const;
    await catalog.transaction((tx) => tx.alerts.update(found));
    expect(await catalog.read.alerts.state(watched.id)).toEqual({ ...found, nextAtMs: 100 });
    await catalog.transaction((tx) => tx.resources.delete(watched.id, watched.version));
    expect(await catalog.read.alerts.state(watched.id)).toBeUndefined();
  });

  test("the history is read newest first, of one alert or of some teams, and its old part is deleted", async () => {
    await using catalog = await opened();
    const rows = [event(1), event(2, { alertName: "other", teamId: "team_other" }), event(3, { value: null })];
    await catalog.transaction(async (tx) => {
      for (const row of rows) await tx.alerts.addEvent(row);
    });
    expect(await everyRow((page) => catalog.read.alerts.events({}, page), 1)).toEqual(rows.toReversed());
    const own = await catalog.read.alerts.events({ teamIds: ["team_1"] }, { limit: 10 });
    expect(own.rows).toEqual([rows[2], rows[0]]);
    expect((await catalog.read.alerts.events({ alertName: "other" }, { limit: 10 })).rows).toEqual([rows[1]]);
    expect(await catalog.transaction((tx) => tx.alerts.deleteEvents(3, 10))).toBe(2);
    expect((await catalog.read.alerts.events({}, { limit: 10 })).rows).toEqual([rows[2]]);
  });
}

function event(number: number, over: Partial<AlertEventRow> = {}): AlertEventRow {
  return {
    id: `ale_${number}` as AlertEventRow["id"], // made up
    alertId: "alr_1",
    alertName: "errors",
    teamId: "team_1",
    type: "fired",
    atMs: number,
    value: 9.5,
    against: 5,
    deliveryId: null,
    ...over,
  };
}
