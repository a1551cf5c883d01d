import { expect, test } from "vitest";
import type { ApprovalRow } from "../../src/core/approval-tables.ts";
import type { Catalog } from "../../src/core/catalog.ts";
import { newId } from "../../src/kernel/ids.ts";
import { everyRow } from "./every-row.ts";
import { sampleResource } from "./sample-rows.ts";

const now = Date.UTC(2026, 0, 1);

/** Calls that wait for a person. */
export function catalogApprovalContract(open: () => Promise<Catalog>): void {
  const api = sampleResource();

  const opened = async (rows: readonly ApprovalRow[]): Promise<Catalog> => {
    const catalog = await open();
    await catalog.transaction(async (tx) => {
      await tx.resources.insert(api);
      for (const row of rows) await tx.approvals.insert(row);
    });
    return catalog;
  };

  const approval = (more: Partial<ApprovalRow> = {}): ApprovalRow => ({
    id: newId("approval"),
    apiId: api.id,
    apiName: "desk",
    teamId: "team_1",
    environment: "production",
    place: "mcp_1/policies[0]",
    tool: "wipe",
    argumentsHash: "a".repeat(64),
    fingerprint: "f".repeat(64),
    callerHash: "c".repeat(64),
    holder: { type: "api-key", keyId: "key_1" },
    shown: { disk: "(text of 1 characters)" },
    answerHash: null,
    grantMs: 300_000,
    state: "pending",
    reason: null,
    decidedBy: null,
    createdAtMs: now,
    decidedAtMs: null,
    expiresAtMs: now + 1_000,
    ...more,
  });

  test("an approval comes back whole, and of two that change one state one wins", async () => {
    const row = approval({ shown: null, answerHash: "b".repeat(64) });
    await using catalog = await opened([row]);
    expect(await catalog.read.approvals.find(row.id)).toEqual(row);
    expect(await catalog.read.approvals.find("apv_none")).toBeUndefined();
    const given = { ...row, state: "approved", decidedBy: "ada", decidedAtMs: now, expiresAtMs: now + 5 } as const;
    expect(await catalog.transaction((tx) => tx.approvals.update(given, "pending"))).toBe(true);
    expect(await catalog.transaction((tx) => tx.approvals.update(given, "pending"))).toBe(false);
    expect(await catalog.read.approvals.find(row.id)).toEqual(given);
  });

  test("a call stands under what is neither used nor over", async () => {
    const live = approval();
    const others = [
      approval({ state: "used" }),
      approval({ expiresAtMs: now }),
      approval({ fingerprint: "e".repeat(64) }),
    ];
    await using catalog = await opened([...others, live]);
    expect(await catalog.read.approvals.findLive(live.fingerprint, now)).toEqual(live);
    expect(await catalog.read.approvals.findLive(live.fingerprint, now + 1_000)).toBeUndefined();
  });

  test("those that wait are counted by API and caller", async () => {
    const rows = [approval(), approval({ callerHash: "d".repeat(64) }), approval({ state: "denied" })];
    await using catalog = await opened([...rows, approval({ expiresAtMs: now })]);
    expect(await catalog.read.approvals.countOpen(api.id, now)).toBe(2);
    expect(await catalog.read.approvals.countOpen(api.id, now, "d".repeat(64))).toBe(1);
    expect(await catalog.read.approvals.countOpen("mcp_other", now)).toBe(0);
  });

  test("the newest are listed first, by pages, of an API, of teams, or only those that wait", async () => {
    const first = approval({ state: "denied" });
    const second = approval({ teamId: "team_2" });
    const third = approval({ expiresAtMs: now });
    await using catalog = await opened([first, second, third]);
    const { approvals } = catalog.read;
    expect(await everyRow((page) => approvals.list({}, page), 1)).toEqual([third, second, first]);
    expect(await everyRow((page) => approvals.list({ openAtMs: now }, page), 1)).toEqual([second]);
    expect(await everyRow((page) => approvals.list({ teamIds: ["team_1"] }, page), 2)).toEqual([third, first]);
    expect(await everyRow((page) => approvals.list({ apiId: "mcp_other" }, page), 2)).toEqual([]);
  });

  test("what is over is deleted in slices, and all goes away with its API", async () => {
    const rows = [approval({ expiresAtMs: 1 }), approval({ expiresAtMs: 2 }), approval()];
    await using catalog = await opened(rows);
    expect(await catalog.transaction((tx) => tx.approvals.deleteExpired(now, 1))).toBe(1);
    expect(await catalog.transaction((tx) => tx.approvals.deleteExpired(now, 10))).toBe(1);
    expect(await everyRow((page) => catalog.read.approvals.list({}, page), 5)).toHaveLength(1);
    await catalog.transaction((tx) => tx.resources.delete(api.id, api.version));
    expect(await everyRow((page) => catalog.read.approvals.list({}, page), 5)).toEqual([]);
  });
}
