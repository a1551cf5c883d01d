import { expect, test } from "vitest";
import type { OpenCatalog } from "./catalog-contract.ts";
import { everyRow } from "./every-row.ts";
import { sampleRevocation, sampleSigningKey, sampleState, sampleTimeMs } from "./sample-rows.ts";

/** What the resident authorization server keeps. */
export function catalogOauthContract(open: OpenCatalog): void {
  test("state comes back as stored, and is replaced under the same model and id", async () => {
    await using catalog = await open();
    const state = sampleState({ uid: "u1", grantId: "g1", userCode: "c1", familyId: "f1", expiresAtMs: 10 });
    const later = { ...state, uid: "u2", expiresAtMs: 20 };
    await catalog.transaction((tx) => tx.oauthState.put(state));
    expect(await catalog.read.oauthState.find(state.model, state.idHash)).toEqual(state);
    expect(await catalog.read.oauthState.find("Session", state.idHash)).toBeUndefined();
    await catalog.transaction((tx) => tx.oauthState.put(later));
    expect(await catalog.read.oauthState.findByUid(state.model, "u2")).toEqual(later);
    expect(await catalog.read.oauthState.findByUid(state.model, "u1")).toBeUndefined();
  });

  test("of many who use one token at the same time, one is first", async () => {
    await using catalog = await open();
    const state = sampleState();
    await catalog.transaction((tx) => tx.oauthState.put(state));
    const consume = (atMs: number) =>
      catalog.transaction((tx) => tx.oauthState.consume(state.model, state.idHash, atMs));
    const firsts = await Promise.all(Array.from({ length: 20 }, (_, index) => consume(index + 1)));
    expect(firsts.filter(Boolean)).toHaveLength(1);
    expect((await catalog.read.oauthState.find(state.model, state.idHash))?.consumedAtMs).toBe(
      firsts.indexOf(true) + 1,
    );
    expect(await catalog.transaction((tx) => tx.oauthState.consume(state.model, "unknown", 1))).toBe(false);
  });

  test("a grant takes everything of it along, of every model, and nothing else", async () => {
    await using catalog = await open();
    const rows = [
      sampleState({ grantId: "g1" }),
      sampleState({ grantId: "g1", model: "AuthorizationCode" }),
      sampleState({ grantId: "g2" }),
      sampleState(),
    ];
    await catalog.transaction(async (tx) => {
      for (const row of rows) await tx.oauthState.put(row);
    });
    expect(await catalog.transaction((tx) => tx.oauthState.deleteByGrant("g1"))).toBe(2);
    const left = await Promise.all(rows.map(({ model, idHash }) => catalog.read.oauthState.find(model, idHash)));
    expect(left).toEqual([undefined, undefined, rows[2], rows[3]]);
    const [, , third] = rows;
    expect(await catalog.transaction((tx) => tx.oauthState.delete(third?.model ?? "", third?.idHash ?? ""))).toBe(true);
  });

  test("an account takes everything of it along, of every model, and nothing else", async () => {
    await using catalog = await open();
    const rows = [
      sampleState({ accountId: "usr_1" }),
      sampleState({ accountId: "usr_1", model: "Grant", grantId: "g1" }),
      sampleState({ accountId: "usr_2" }),
      sampleState(),
    ];
    await catalog.transaction(async (tx) => {
      for (const row of rows) await tx.oauthState.put(row);
    });
    expect(await catalog.transaction((tx) => tx.oauthState.deleteByAccount("usr_1"))).toBe(2);
    const left = await Promise.all(rows.map(({ model, idHash }) => catalog.read.oauthState.find(model, idHash)));
    expect(left).toEqual([undefined, undefined, rows[2], rows[3]]);
  });

  test("everything of a client is deleted, of every model, and nothing of another's", async () => {
    await using catalog = await open();
    const rows = [
      sampleState({ model: "Grant", clientId: "client-1" }),
      sampleState({ clientId: "client-1" }),
      sampleState({ clientId: "client-2" }),
      sampleState(),
    ];
    await catalog.transaction(async (tx) => {
      for (const row of rows) await tx.oauthState.put(row);
    });
    expect(await catalog.transaction((tx) => tx.oauthState.deleteByClient("client-1"))).toBe(2);
    const left = await Promise.all(rows.map(({ model, idHash }) => catalog.read.oauthState.find(model, idHash)));
    expect(left).toEqual([undefined, undefined, rows[2], rows[3]]);
  });

  test("rows of a model are counted, and no further than asked for", async () => {
    await using catalog = await open();
    await catalog.transaction(async (tx) => {
      for (const model of ["A", "A", "A", "B"]) await tx.oauthState.put(sampleState({ model }));
    });
    const counts = [
      ["A", 10],
      ["A", 2],
      ["B", 2],
      ["C", 2],
    ] as const;
    expect(await Promise.all(counts.map(([model, upTo]) => catalog.read.oauthState.count(model, upTo)))).toEqual([
      3, 2, 1, 0,
    ]);
  });

  test("what has expired is deleted, as many as asked for, and what never expires stays", async () => {
    await using catalog = await open();
    const rows = [1, 2, 3, 10, null].map((expiresAtMs) => sampleState({ expiresAtMs }));
    await catalog.transaction(async (tx) => {
      for (const row of rows) await tx.oauthState.put(row);
    });
    const sweep = () => catalog.transaction((tx) => tx.oauthState.deleteExpired(10, 2));
    expect([await sweep(), await sweep(), await sweep()]).toEqual([2, 1, 0]);
    const left = await Promise.all(rows.map(({ model, idHash }) => catalog.read.oauthState.find(model, idHash)));
    expect(left.map((row) => row?.expiresAtMs)).toEqual([undefined, undefined, undefined, 10, null]);
  });

  test("a revocation never goes back: the later moment of two stands", async () => {
    await using catalog = await open();
    const first = sampleRevocation({ type: "subject", id: "usr with spaces" });
    await catalog.transaction(async (tx) => {
      await tx.revocations.put(first);
      await tx.revocations.put({ ...first, beforeMs: first.beforeMs - 5, expiresAtMs: first.expiresAtMs + 5 });
    });
    expect(await catalog.read.revocations.find("subject", "km_1", first.id)).toEqual({
      ...first,
      expiresAtMs: first.expiresAtMs + 5,
    });
    expect(await catalog.read.revocations.find("client", "km_1", first.id)).toBeUndefined();
    expect(await catalog.read.revocations.find("subject", "km_2", first.id)).toBeUndefined();
  });

  test("revocations are listed in pages until they expire, and then deleted", async () => {
    await using catalog = await open();
    const records = [1, 2, 3].map((index) => sampleRevocation({ expiresAtMs: sampleTimeMs + index }));
    await catalog.transaction(async (tx) => {
      for (const record of records) await tx.revocations.put(record);
    });
    const live = (nowMs: number) => everyRow((page) => catalog.read.revocations.live(nowMs, page), 1);
    expect(await live(sampleTimeMs)).toEqual(records);
    expect(await live(sampleTimeMs + 2)).toEqual(records.slice(2));
    expect(await catalog.transaction((tx) => tx.revocations.deleteExpired(sampleTimeMs + 3, 10))).toBe(2);
    expect(await live(sampleTimeMs)).toEqual(records.slice(2));
  });

  test("signing keys come oldest first, retire, and are deleted", async () => {
    await using catalog = await open();
    const old = sampleSigningKey();
    const next = sampleSigningKey({ alg: "RS256", activeFromMs: sampleTimeMs + 10 });
    const retired = { ...old, retiredAtMs: sampleTimeMs + 10 };
    await catalog.transaction(async (tx) => {
      await tx.signingKeys.put(old);
      await tx.signingKeys.put(next);
      await tx.signingKeys.put(retired);
    });
    expect(await catalog.read.signingKeys.all()).toEqual([retired, next]);
    expect(await catalog.transaction((tx) => tx.signingKeys.delete(old.kid))).toBe(true);
    expect(await catalog.read.signingKeys.all()).toEqual([next]);
  });
}
