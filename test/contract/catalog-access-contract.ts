import { expect, test } from "vitest";
import type { AccessTokenRow, SessionRow } from "../../src/core/access-tables.ts";
import type { Catalog } from "../../src/core/catalog.ts";
import type { Id } from "../../src/kernel/ids.ts";
import { newId } from "../../src/kernel/ids.ts";
import { everyRow } from "./every-row.ts";
import { sampleResource, sampleTimeMs, sampleUser } from "./sample-rows.ts";

const ada = newId("user");
const bob = newId("user");

/** Sessions, access tokens, and what users have of roles. */
export function catalogAccessContract(open: () => Promise<Catalog>): void {
  test("a session comes back by its hash and id, is seen later and never earlier, and ends", async () => {
    await using catalog = await open();
    const session = sampleSession(ada);
    await catalog.transaction((tx) => tx.sessions.insert(session));
    expect(await catalog.read.sessions.find(session.idHash)).toEqual(session);
    await catalog.transaction((tx) => tx.sessions.touch(session.id, sampleTimeMs + 5));
    await catalog.transaction((tx) => tx.sessions.touch(session.id, sampleTimeMs + 3));
    expect((await catalog.read.sessions.findById(session.id))?.lastSeenAtMs).toBe(sampleTimeMs + 5);
    expect(await catalog.transaction((tx) => tx.sessions.delete(session.id))).toBe(true);
    expect(await catalog.transaction((tx) => tx.sessions.delete(session.id))).toBe(false);
    expect(await catalog.read.sessions.find(session.idHash)).toBeUndefined();
  });

  test("sessions are listed by user, ended but for one, and swept when over or idle", async () => {
    await using catalog = await open();
    const rows = [sampleSession(ada), sampleSession(ada), sampleSession(bob)] as const;
    for (const row of rows) await catalog.transaction((tx) => tx.sessions.insert(row));
    const { sessions } = catalog.read;
    expect(await everyRow((page) => sessions.list({ userId: ada }, page), 1)).toEqual([rows[0], rows[1]]);
    expect(await everyRow((page) => sessions.list({}, page), 2)).toEqual(rows);
    expect(await catalog.transaction((tx) => tx.sessions.deleteOf(ada, rows[1].id))).toBe(1);
    const over = { ...sampleSession(bob), expiresAtMs: sampleTimeMs + 1 };
    const idle = { ...sampleSession(bob), lastSeenAtMs: sampleTimeMs - 10 };
    for (const row of [over, idle]) await catalog.transaction((tx) => tx.sessions.insert(row));
    expect(await catalog.transaction((tx) => tx.sessions.deleteExpired(sampleTimeMs + 1, sampleTimeMs - 9))).toBe(2);
    expect((await sessions.list({}, { limit: 10 })).rows).toEqual([rows[1], rows[2]]);
  });

  test("an access token comes back as stored, is counted while it lives, and is revoked once", async () => {
    await using catalog = await open();
    const token = { ...sampleToken(ada), permissions: ["plans:read"], teamIds: ["team_1"] } as const;
    const wide = sampleToken(ada);
    for (const row of [token, wide, sampleToken(bob)]) await catalog.transaction((tx) => tx.accessTokens.insert(row));
    const { accessTokens } = catalog.read;
    expect(await accessTokens.findByPublicId(token.publicId)).toEqual(token);
    expect(await accessTokens.findById(wide.id)).toEqual(wide);
    expect(await everyRow((page) => accessTokens.list({ userId: ada }, page), 1)).toEqual([token, wide]);
    expect(await accessTokens.count(ada, sampleTimeMs)).toBe(2);
    expect(await accessTokens.count(ada, wide.expiresAtMs)).toBe(0);
    expect(await catalog.transaction((tx) => tx.accessTokens.revoke(token.id, 7))).toBe(true);
    expect(await catalog.transaction((tx) => tx.accessTokens.revoke(token.id, 8))).toBe(false);
    expect((await accessTokens.findById(token.id))?.revokedAtMs).toBe(7);
    expect(await catalog.transaction((tx) => tx.accessTokens.revokeOf(ada, 9))).toBe(1);
    expect(await accessTokens.count(ada, sampleTimeMs)).toBe(0);
    await catalog.transaction((tx) => tx.accessTokens.touch([{ id: wide.id, atMs: 5 }]));
    await catalog.transaction((tx) => tx.accessTokens.touch([{ id: wide.id, atMs: 4 }]));
    expect((await accessTokens.findById(wide.id))?.lastUsedAtMs).toBe(5);
    await catalog.transaction((tx) => tx.accessTokens.deleteOf(ada));
    expect((await accessTokens.list({}, { limit: 10 })).rows).toHaveLength(1);
  });

  test("admins are those who are enabled and have the role in the installation", async () => {
    await using catalog = await open();
    const admin = sampleUser({ name: "root", roles: ["read-only", "admin"] });
    const others = [
      sampleUser({ name: "gone", roles: ["admin"], disabled: true }),
      sampleUser({ name: "team", teams: [{ teamId: "team_1", roles: ["admin"] }] }),
      sampleUser({ name: "other", roles: ["governance-admin"] }),
    ];
    for (const row of [admin, ...others]) await catalog.transaction((tx) => tx.users.insert(row));
    expect(await catalog.read.users.admins(10)).toEqual([admin]);
    expect((await catalog.read.users.list({ limit: 10 })).rows).toEqual([admin, ...others]);
  });

  test("somebody elsewhere is one user", async () => {
    await using catalog = await open();
    const sso = { ssoIssuer: "https://login.example.com", ssoSubject: "u-1" } as const;
    const user = sampleUser({ name: "ada", ...sso });
    await catalog.transaction((tx) => tx.users.insert(user));
    for (const name of ["bob", "carol"]) await catalog.transaction((tx) => tx.users.insert(sampleUser({ name })));
    expect(await catalog.read.users.findSso(sso.ssoIssuer, sso.ssoSubject)).toEqual(user);
    expect(await catalog.read.users.findSso(sso.ssoIssuer, "u-2")).toBeUndefined();
    const twin = catalog.transaction((tx) => tx.users.insert(sampleUser({ name: "twin", ...sso })));
    await expect(twin).rejects.toMatchObject({ code: "resource.conflict" });
  });

  test("lists are narrowed to several teams, and to ids", async () => {
    await using catalog = await open();
    const rows = ["team_1", "team_2", "team_3"].map((teamId) => sampleResource({ teamId }));
    for (const row of rows) await catalog.transaction((tx) => tx.resources.insert(row));
    const [first, second] = rows;
    const kind = first?.kind ?? "";
    const { resources } = catalog.read;
    const teamIds = ["team_1", "team_2"];
    expect(await everyRow((page) => resources.list({ kind, teamIds }, page), 1)).toEqual([first, second]);
    const ids = [rows[2]?.id ?? ""];
    expect((await resources.list({ kind, ids }, { limit: 10 })).rows).toEqual([rows[2]]);
  });
}

function sampleSession(userId: Id<"user">): SessionRow {
  const id = newId("session");
  return {
    id,
    idHash: `${id}-hash`,
    userId,
    method: "password",
    clientAddress: "192.0.2.1",
    userAgent: "test",
    createdAtMs: sampleTimeMs,
    lastSeenAtMs: sampleTimeMs,
    expiresAtMs: sampleTimeMs + 60_000,
  };
}

function sampleToken(userId: Id<"user">): AccessTokenRow {
  const id = newId("accessToken");
  return {
    id,
    userId,
    name: "ci",
    publicId: `pub-${id}`,
    hash: "ab".repeat(32),
    pepperId: "pepper-1",
    permissions: null,
    teamIds: null,
    createdBy: userId,
    createdAtMs: sampleTimeMs,
    expiresAtMs: sampleTimeMs + 60_000,
    revokedAtMs: null,
    lastUsedAtMs: null,
  };
}
