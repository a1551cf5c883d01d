import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { beginSigning } from "../../src/core/append-audit.ts";
import { auditHash } from "../../src/core/audit-chain.ts";
import { makeCheckpoint } from "../../src/core/audit-checkpoint.ts";
import { audit, inWrite } from "../../src/core/write.ts";
import { auditFixture } from "./audit-fixture.ts";
import { rejection } from "./core-fixture.ts";

const columns = [
  "id",
  "at_ms",
  "actor",
  "actor_type",
  "action",
  "kind",
  "resource_id",
  "resource_name",
  "team_id",
  "detail",
  "previous_hash",
  "hash",
] as const;

describe("a chain that nobody touched", () => {
  test("is sound on pages of any size, and says what that proves", async () => {
    await using fixture = await auditFixture(20);
    for (const limit of [1, 5, 20, 21, 1000]) {
      const verified = await fixture.verify({ limit });
      expect(verified.findings).toEqual([]);
      expect(verified.rows).toBe(20);
      expect(verified.guarantee).toMatchObject({ signed: { signedFrom: 1, began: "new" }, anchored: undefined });
      expect(verified.guarantee?.installation).toMatch(/^inst_[0-9a-f]{24}$/);
    }
  });

  test("holds whatever may stand in a detail", async () => {
    await using fixture = await auditFixture();
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (detail) => {
        await fixture.write(1, { ...detail });
        expect((await fixture.verify({ limit: 1000 })).findings).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test("stays one chain when many write at once", async () => {
    await using fixture = await auditFixture();
    const subject = { kind: "Plan", id: "plan_1", name: "p", teamId: "team_1" };
    const writers = Array.from({ length: 40 }, (_, index) =>
      inWrite(fixture.context, { type: "admin", id: `admin-${index % 2}` }, async (write) => {
        await audit(write, "api.deployed", subject, { first: index });
        if (index % 5 === 0) throw new TypeError("given up");
        await audit(write, "api.deployed", subject, { second: index });
      }).catch(() => {}),
    );
    await Promise.all(writers);
    expect(await fixture.verify()).toMatchObject({ rows: 64, findings: [] });
  });

  test("is verified while others write", async () => {
    await using fixture = await auditFixture(30);
    const [verified] = await Promise.all([fixture.verify({ limit: 2 }), fixture.write(30)]);
    expect(verified.findings).toEqual([]);
    expect(verified.rows).toBeGreaterThanOrEqual(30);
  });
});

describe("the database itself", () => {
  test.each([
    "update audit set actor = 'nobody' where seq = 3",
    "delete from audit where seq = 3",
    "delete from audit",
    "replace into audit select * from audit where seq = 3",
    `replace into audit (seq, ${columns.join(", ")}) select seq + 9, ${columns.join(", ")} from audit where seq = 3`,
  ])("refuses: %s", async (statement) => {
    await using fixture = await auditFixture(5);
    const { DatabaseSync } = await import("node:sqlite");
    using database = new DatabaseSync(fixture.path);
    expect(() => database.exec(statement)).toThrow("audit is append-only");
    expect((await fixture.verify()).findings).toEqual([]);
  });
});

describe("with the database alone", () => {
  test("a change of any byte of any column of any row shows", async () => {
    await using fixture = await auditFixture(9);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(...columns),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (seq, column, place, flip) => {
          let before: SQLOutputValue = null;
          fixture.tamper((database) => {
            before = read(database, seq, column);
            const changed = flipped(String(before), place, flip);
            set(database, seq, column, typeof before === "number" ? Number(before) + flip : changed);
          });
          expect((await fixture.verify()).findings).not.toEqual([]);
          fixture.tamper((database) => set(database, seq, column, before));
        },
      ),
      { numRuns: 120 },
    );
    expect((await fixture.verify()).findings).toEqual([]);
  });

  test("another text of the same detail shows: white space, order, a member twice", async () => {
    await using fixture = await auditFixture(3);
    for (const text of [' {"index":1,"version":1}', '{"version":1,"index":1}', '{"index":1,"index":1,"version":1}']) {
      fixture.tamper((database) => set(database, 2, "detail", text));
      expect((await fixture.verify()).findings).toMatchObject([{ type: "changed", seq: 2 }]);
    }
  });

  test("rows that are swapped, taken out, doubled or renumbered show, wherever they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.constantFrom(...moves), async (seq, move) => {
        await using fixture = await auditFixture(9);
        fixture.tamper((database) => database.exec(move(seq)));
        expect((await fixture.verify()).findings).not.toEqual([]);
      }),
      { numRuns: 24 },
    );
  });

  test.each([
    { name: "a changed row", sql: "update audit set actor = 'x' where seq = 4", finding: { type: "changed", seq: 4 } },
    { name: "a removed row", sql: "delete from audit where seq = 4", finding: { type: "removed", seq: 5 } },
    { name: "the first rows", sql: "delete from audit where seq < 4", finding: { type: "removed", seq: 4 } },
    { name: "the last rows", sql: "delete from audit where seq > 6", finding: { type: "truncated", seq: 6 } },
    { name: "all rows", sql: "delete from audit", finding: { type: "truncated", seq: 0 } },
    {
      name: "all rows and their signature",
      sql: "delete from audit; delete from settings where name = 'audit-head'",
      finding: { type: "signature", seq: 0 },
    },
    {
      name: "a signature of nobody's",
      sql: `update settings set value = replace(value, '"mac":"', '"mac":"00') where name = 'audit-head'`,
      finding: { type: "signature", seq: 9 },
    },
    {
      name: "a signature that is gone",
      sql: "delete from settings where name = 'audit-head'",
      finding: { type: "signature", seq: 9 },
    },
  ])("$name is named as what it is", async ({ sql, finding }) => {
    await using fixture = await auditFixture(9);
    fixture.tamper((database) => database.exec(sql));
    expect((await fixture.verify()).findings).toMatchObject([finding]);
  });

  test("a chain made anew from a row on fits in itself, and not its signature", async () => {
    await using fixture = await auditFixture(9);
    fixture.tamper((database) => forge(database, 4));
    expect((await fixture.verify()).findings).toMatchObject([{ type: "signature", seq: 9 }]);
  });

  test("a forged chain is not blessed by the next write, nor by a restart", async () => {
    await using fixture = await auditFixture(9);
    fixture.tamper((database) => forge(database, 4));
    await fixture.write(2);
    await beginSigning(fixture.context);
    expect((await fixture.verify()).findings).toMatchObject([{ type: "signature", seq: 10 }]);
    await fixture.write(2);
    expect((await fixture.verify()).findings).toMatchObject([{ type: "signature", seq: 10 }]);
  });
});

describe("a checkpoint", () => {
  test("shows that nothing was cut off since it was made", async () => {
    await using fixture = await auditFixture(9);
    const checkpoint = await makeCheckpoint(fixture.context);
    await fixture.write(3);
    const verified = await fixture.verify({ checkpoint });
    expect(verified.findings).toEqual([]);
    expect(verified.guarantee?.anchored).toEqual({ seq: 9, atMs: fixture.core.clock.now() });
  });

  test("finds that an older state of the whole database was put back", async () => {
    await using fixture = await auditFixture(4);
    const older = await stateOf(fixture);
    await fixture.write(5);
    const checkpoint = await makeCheckpoint(fixture.context);
    fixture.tamper((database) => {
      database.exec("delete from audit where seq > 4");
      database.prepare("update settings set value = ? where name = 'audit-head'").run(older);
    });
    expect((await fixture.verify()).findings).toEqual([]); // which is why checkpoints are kept elsewhere
    expect((await fixture.verify({ checkpoint })).findings).toMatchObject([{ type: "truncated", seq: 4 }]);
    await fixture.write(8);
    expect((await fixture.verify({ checkpoint })).findings).toMatchObject([{ type: "checkpoint", seq: 9 }]);
  });

  test("is not made of what does not fit its signature", async () => {
    await using fixture = await auditFixture(9);
    fixture.tamper((database) => forge(database, 4));
    expect((await rejection(makeCheckpoint(fixture.context))).code).toBe("resource.invalid");
  });

  test.each([
    { name: "an altered row number", alter: (text: string) => text.replace(".9.", ".8.") },
    { name: "an altered hash", alter: (text: string) => text.replace(/[0-9a-f]{64}(?=\.)/, "0".repeat(64)) },
    { name: "an altered signature", alter: (text: string) => text.replace(/[0-9a-f]{64}$/, "0".repeat(64)) },
    {
      name: "another installation's",
      alter: (text: string) => text.replace(/inst_[0-9a-f]{24}/, `inst_${"0".repeat(24)}`),
    },
    { name: "something else", alter: () => "gac1" },
  ])("$name is refused", async ({ alter }) => {
    await using fixture = await auditFixture(9);
    const checkpoint = alter(await makeCheckpoint(fixture.context));
    expect((await rejection(fixture.verify({ checkpoint }))).code).toBe("request.invalid");
  });
});

test("a cursor of nobody's is refused", async () => {
  await using fixture = await auditFixture(2);
  const { verifyAudit } = await import("../../src/core/verify-audit.ts");
  expect((await rejection(verifyAudit(fixture.context, { limit: 5, cursor: "x" }))).code).toBe("request.invalid");
});

test("rows of before there were signatures are signed once, at a start, and told apart", async () => {
  await using fixture = await auditFixture(5);
  fixture.tamper((database) => database.exec("delete from settings where name = 'audit-head'"));
  await beginSigning(fixture.context);
  await fixture.write(2);
  const { findings, guarantee } = await fixture.verify();
  expect(findings).toEqual([]);
  expect(guarantee?.signed).toMatchObject({ signedFrom: 6, began: "upgraded" });
});

const moves: readonly ((seq: number) => string)[] = [
  (seq) =>
    `update audit set seq = 1000 where seq = ${seq}; update audit set seq = ${seq} where seq = ${seq + 1};` +
    `update audit set seq = ${seq + 1} where seq = 1000`,
  (seq) => `delete from audit where seq = ${seq}`,
  (seq) => `delete from audit where seq = ${seq}; update audit set seq = seq - 1 where seq > ${seq}`,
  (seq) => `update audit set seq = -seq where seq > ${seq}; update audit set seq = 1 - seq where seq < 0`,
  (seq) =>
    "insert into audit (id, at_ms, actor, actor_type, action, kind, resource_id, resource_name, team_id, detail, previous_hash, hash) " +
    `select 'aud_x', at_ms, actor, actor_type, action, kind, resource_id, resource_name, team_id, detail, previous_hash, hash from audit where seq = ${seq}`,
];

function read(database: DatabaseSync, seq: number, column: string): SQLOutputValue {
  return database.prepare(`select ${column} as value from audit where seq = ?`).get(seq)?.["value"] ?? null;
}

function set(database: DatabaseSync, seq: number, column: string, value: SQLOutputValue): void {
  database.prepare(`update audit set ${column} = ? where seq = ?`).run(value, seq);
}

function flipped(text: string, place: number, flip: number): string {
  const bytes = Buffer.from(text, "latin1");
  const at = place % bytes.length;
  bytes[at] = (bytes[at] ?? 0) ^ flip;
  return bytes.toString("latin1");
}

/** Changes a row and makes every hash behind it anew, as somebody would who has the database and the source. */
function forge(database: DatabaseSync, from: number): void {
  let previousHash = String(read(database, from, "previous_hash"));
  for (let seq = from; seq <= 9; seq += 1) {
    if (seq === from) set(database, seq, "actor", "somebody-else");
    const text = (column: string) => String(read(database, seq, column));
    const entry = {
      id: text("id"),
      atMs: Number(read(database, seq, "at_ms")),
      actor: text("actor"),
      actorType: text("actor_type"),
      action: text("action"),
      kind: text("kind"),
      resourceId: text("resource_id"),
      resourceName: text("resource_name"),
      teamId: text("team_id"),
      detail: JSON.parse(text("detail")) as Record<string, unknown>, // as the product wrote it
      clientAddress: null,
      requestId: null,
    };
    const hash = auditHash(entry, seq, previousHash);
    set(database, seq, "previous_hash", previousHash);
    set(database, seq, "hash", hash);
    previousHash = hash;
  }
}

async function stateOf(fixture: Awaited<ReturnType<typeof auditFixture>>): Promise<string> {
  return (await fixture.context.catalog.read.settings.get("audit-head")) ?? "";
}
