import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { routes } from "../../src/control/routes.ts";
import { resourceKinds } from "../../src/core/kinds.ts";
import type { Permission, Role } from "../../src/core/roles.ts";
import { allPermissions, kindPermissions, permissions, roleNames, roles } from "../../src/core/roles.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const guarded = routes().flatMap(({ method, path, access }) =>
  typeof access === "object" ? [{ method: method.toUpperCase(), path, permission: access.permission }] : [],
);
const rolesOf = (role: Role): readonly Permission[] => roles[role].permissions;
/** Names something that is not there: whoever is let in gets no further than that. */
const nowhere = (path: string): string => path.replaceAll(/\{\w+\}/g, "nothing-here");

/** Automation of each role, in the installation and for the team `blue`. */
interface Callers extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly tokens: ReadonlyMap<string, string>;
}

async function openCallers(): Promise<Callers> {
  const plane = await openControlPlane();
  await createTeam(plane, "blue");
  await createTeam(plane, "red");
  const tokens = new Map<string, string>();
  const add = async (name: string, spec: object): Promise<void> => {
    await makeUser(plane, name, spec, {});
    tokens.set(name, (await makeToken(plane.send, { user: name })).token);
  };
  await add("nobody", {});
  for (const role of roleNames) {
    await add(role, { roles: [role] });
    await add(`blue-${role}`, { teams: [{ team: "blue", roles: [role] }] });
  }
  return { plane, tokens, [Symbol.asyncDispose]: () => plane[Symbol.asyncDispose]() };
}

let callers: Callers;
beforeAll(async () => {
  callers = await openCallers();
}, 60_000);
afterAll(() => callers[Symbol.asyncDispose]());

const call = async (who: string | null, method: string, path: string) => {
  const headers = who === null ? { authorization: null } : bearer(callers.tokens.get(who) ?? "");
  const body = method === "POST" || method === "PUT" ? {} : undefined;
  return callers.plane.send(method, path, body, { ...headers, "if-match": '"1"' });
};

describe("every route with every role", () => {
  test("there are many of both", () => {
    expect(guarded.length).toBeGreaterThan(80);
    expect(roleNames.length).toBe(6);
  });

  test.each(guarded)("$method $path lets in who has $permission, and nobody else", async (route) => {
    const wrong: string[] = [];
    const expectFrom = async (who: string | null, isLetIn: boolean): Promise<void> => {
      const { status, body } = await call(who, route.method, nowhere(route.path));
      const refused = who === null ? status === 401 : status === 403 && body.detail.includes(route.permission);
      if (refused === isLetIn || status === 500) wrong.push(`${who}: ${status} ${body.detail}`);
    };
    await expectFrom(null, false);
    await expectFrom("nobody", route.permission === "account:self");
    for (const role of roleNames) {
      const has = rolesOf(role).includes(route.permission);
      const self = route.permission === "account:self";
      await expectFrom(role, has || self);
      await expectFrom(`blue-${role}`, (has && permissions[route.permission].per === "team") || self);
    }
    expect(wrong).toEqual([]);
  });
});

/** Asked for inside a route, where a member changes that others may not. */
const byField: ReadonlySet<string> = new Set(["limits:write"]);

describe("the table of roles", () => {
  test("every permission is asked for by a route, or guards a kind that is to come", () => {
    const asked = new Set<string>(guarded.map(({ permission }) => permission));
    const open = allPermissions.filter(
      (permission) => !asked.has(permission) && !byField.has(permission) && !permission.startsWith("governance:"),
    );
    expect(open).toEqual([]);
  });

  test("every kind has permissions of its own, and the routes of its resources ask for them", () => {
    for (const kind of resourceKinds) {
      const { read, write } = kindPermissions(kind.kind);
      expect(read).not.toBe("encryption:write");
      const of = guarded.filter(({ path }) => path === `/api/v1/${kind.path}/{name}`);
      expect(of.map(({ method, permission }) => `${method} ${permission}`)).toEqual([
        `GET ${read}`,
        `PUT ${write}`,
        `DELETE ${write}`,
      ]);
    }
  });

  test("a kind that the table forgot is for admins alone", () => {
    const { read, write } = kindPermissions("constructor");
    expect(roleNames.filter((role) => rolesOf(role).includes(read) || rolesOf(role).includes(write))).toEqual([
      "admin",
    ]);
  });

  test("read-only writes nothing", () => {
    expect(rolesOf("read-only").filter((permission) => !permission.endsWith(":read"))).toEqual(["account:self"]);
  });
});
