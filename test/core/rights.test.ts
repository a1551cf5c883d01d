import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TeamRoles } from "../../src/core/identity-tables.ts";
import type { Rights } from "../../src/core/rights.ts";
import {
  covers,
  everyRight,
  holds,
  narrow,
  noRight,
  rightsOf,
  rightsOfRoles,
  teamsWith,
} from "../../src/core/rights.ts";
import { allPermissions, permissions, roleNames } from "../../src/core/roles.ts";

const role = fc.constantFrom(...roleNames);
const teamIds = ["team_a", "team_b", "team_c"] as const;
const teamRoles: fc.Arbitrary<readonly TeamRoles[]> = fc.array(
  fc.record({ teamId: fc.constantFrom(...teamIds), roles: fc.array(role, { maxLength: 3 }) }),
  { maxLength: 3 },
);
const rights = fc.record({ roles: fc.array(role, { maxLength: 2 }), teams: teamRoles }).map(rightsOfRoles);
const narrowing = fc.record({
  permissions: fc.option(fc.subarray([...allPermissions])),
  teamIds: fc.option(fc.subarray([...teamIds])),
});

/** Everything that somebody may do, one by one. */
const deeds = (held: Rights) =>
  allPermissions.flatMap((permission) =>
    [undefined, ...teamIds].filter((team) => holds(held, permission, team)).map((team) => `${permission} ${team}`),
  );

describe("rights", () => {
  test("a token never may more than its user, whatever it names", () => {
    fc.assert(
      fc.property(rights, narrowing, (held, only) => {
        const left = narrow(held, only);
        expect(covers(held, left)).toBe(true);
        expect(deeds(held)).toEqual(expect.arrayContaining(deeds(left)));
      }),
    );
  });

  test("a token of a token may no more than both", () => {
    fc.assert(
      fc.property(rights, narrowing, narrowing, (held, first, second) => {
        const left = narrow(narrow(held, first), second);
        expect(covers(narrow(held, first), left)).toBe(true);
        if (first.teamIds === null) expect(covers(narrow(held, second), left)).toBe(true);
      }),
    );
  });

  test("who covers somebody may do all that they may, and who does not lacks something", () => {
    fc.assert(
      fc.property(rights, rights, (one, other) => {
        const lacking = deeds(other).filter((deed) => !deeds(one).includes(deed));
        expect(covers(one, other)).toBe(lacking.length === 0);
      }),
    );
  });

  test("a role for a team gives nothing of the whole installation", () => {
    fc.assert(
      fc.property(teamRoles, (teams) => {
        const held = rightsOfRoles({ roles: [], teams });
        expect(held.installation.size).toBe(0);
        for (const ofTeam of held.teams.values()) {
          expect([...ofTeam].filter((permission) => permissions[permission].per === "installation")).toEqual([]);
        }
      }),
    );
  });

  test("a list of teams is of exactly those for which it is held", () => {
    fc.assert(
      fc.property(rights, fc.constantFrom(...allPermissions), (held, permission) => {
        const teams = teamsWith(held, permission);
        const each = teamIds.filter((team) => holds(held, permission, team));
        expect(teams === "all" ? [...teamIds] : [...teams].toSorted()).toEqual(each);
      }),
    );
  });

  test("an actor whose rights were not said has none, and only the product and the admin token have all", () => {
    expect(rightsOf({ type: "admin" })).toBe(everyRight);
    expect(rightsOf({ type: "system" })).toBe(everyRight);
    for (const type of ["user", "token", "anonymous"] as const) expect(rightsOf({ type })).toBe(noRight);
  });
});
