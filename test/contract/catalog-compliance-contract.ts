import { expect, test } from "vitest";
import type { Catalog } from "../../src/core/catalog.ts";
import { everyRow } from "./every-row.ts";
import { sampleResource } from "./sample-rows.ts";

/** How resources stand to rules, and the queue of those that are to be looked at. */
export function catalogComplianceContract(open: () => Promise<Catalog>): void {
  const first = sampleResource({ id: "llm_1" });
  const second = sampleResource({ id: "llm_2", teamId: "team_other" });
  const plan = sampleResource({ id: "plan_1", kind: "Plan" });

  const opened = async (): Promise<Catalog> => {
    const catalog = await open();
    await catalog.transaction(async (tx) => {
      for (const resource of [first, second, plan]) await tx.resources.insert(resource);
      await tx.compliance.enqueue({ ids: [first.id] }, 100);
    });
    return catalog;
  };

  test("what was asked first is next, with its name, and is pending", async () => {
    await using catalog = await opened();
    await catalog.transaction((tx) => tx.compliance.enqueue({ kinds: ["LlmApi"] }, 200));
    expect(await catalog.read.compliance.next()).toEqual({
      artifactId: first.id,
      kind: "LlmApi",
      name: first.name,
      teamId: first.teamId,
      status: "PENDING",
      score: null,
      policies: [],
      suspension: null,
      evaluatedAtMs: null,
      dueAtMs: 100,
      asked: 2,
    });
    const rows = await everyRow((page) => catalog.read.compliance.list({}, page), 1);
    expect(rows.map(({ artifactId, dueAtMs }) => [artifactId, dueAtMs])).toEqual([
      [first.id, 100],
      [second.id, 200],
    ]);
  });

  test("what was found is kept and waits no more, unless it was asked again meanwhile", async () => {
    await using catalog = await opened();
    const policies = [{ policy: "all", status: "FOLLOWED", rulesets: [] }] as const;
    const row = await catalog.read.compliance.next();
    if (row === undefined) throw new TypeError("nothing waits");
    const found = { ...row, status: "COMPLIANT", score: 90, policies, evaluatedAtMs: 150 } as const;
    await catalog.transaction(async (tx) => {
      await tx.compliance.enqueue({ ids: [first.id] }, 140);
      await tx.compliance.keep(found);
    });
    expect(await catalog.read.compliance.find(first.id)).toEqual({ ...found, asked: 2, dueAtMs: 100 });
    await catalog.transaction((tx) => tx.compliance.keep({ ...found, asked: 2 }));
    expect(await catalog.read.compliance.next()).toBeUndefined();
    const suspension = { policies: ["all"], rules: ["described"] };
    expect((await catalog.read.compliance.suspended()).size).toBe(0);
    await catalog.transaction((tx) => tx.compliance.keep({ ...found, asked: 2, suspension }));
    expect(await catalog.read.compliance.suspended()).toEqual(new Map([[first.id, suspension]]));
    await catalog.transaction((tx) => tx.compliance.keep({ ...found, asked: 2 }));
    const compliant = await catalog.read.compliance.list({ status: "COMPLIANT", kind: "LlmApi" }, { limit: 10 });
    expect(compliant.rows).toEqual([{ ...found, asked: 2, dueAtMs: null }]);
    expect((await catalog.read.compliance.list({ teamIds: ["team_other"] }, { limit: 10 })).rows).toEqual([]);
  });

  test("many are marked in one transaction, all or none, and others get their turn meanwhile", async () => {
    await using catalog = await opened();
    const count = 300;
    await catalog.transaction(async (tx) => {
      for (let at = 0; at < count; at += 1) {
        const name = `many-${at}`;
        await tx.resources.insert(sampleResource({ id: `llm_many_${at}`, name, kind: "McpServer" }));
      }
    });
    const waiting = async (): Promise<number> => {
      const rows = await everyRow((page) => catalog.read.compliance.list({ kind: "McpServer" }, page), 200);
      return rows.filter(({ dueAtMs }) => dueAtMs === 50).length;
    };
    const givenUp = catalog.transaction(async (tx) => {
      await tx.compliance.enqueue({ kinds: ["McpServer"] }, 50);
      throw new TypeError("given up");
    });
    await expect(givenUp).rejects.toThrow("given up");
    expect(await waiting()).toBe(0);

    let turns = 0;
    let isDone = false;
    const countTurns = (): void => {
      turns += 1;
      if (!isDone) setImmediate(countTurns);
    };
    await catalog.transaction(async (tx) => {
      setImmediate(countTurns);
      await tx.compliance.enqueue({ kinds: ["McpServer"] }, 50);
      isDone = true;
    });
    expect(turns).toBeGreaterThanOrEqual(10);
    expect(await waiting()).toBe(count);
  });

  test("what comes to nothing waits no more, and goes away with its resource", async () => {
    await using catalog = await opened();
    await catalog.transaction((tx) => tx.compliance.pass(first.id, 1));
    expect(await catalog.read.compliance.next()).toBeUndefined();
    await catalog.transaction((tx) => tx.resources.delete(first.id, 1));
    expect(await catalog.read.compliance.find(first.id)).toBeUndefined();
  });
}
