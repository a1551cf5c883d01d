import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ListKind, MemberEntries } from "../../../src/mcp/federation/merge-entries.ts";
import { mergeEntries } from "../../../src/mcp/federation/merge-entries.ts";

function listOf(member: string, names: readonly string[], { by = "name", prefix = "" } = {}): MemberEntries {
  const entries = names.map((name) => ({ [by]: name, of: member }));
  return { member, entries, takes: () => true, rename: (name) => prefix + name };
}

function shown(kind: ListKind, lists: readonly MemberEntries[]): readonly unknown[] {
  return mergeEntries(kind, lists).entries.map((entry) => entry["name"] ?? entry["uri"]);
}

describe("lists of several servers", () => {
  test("are one, in the order of the servers and of their own lists", () => {
    expect(shown("tools", [listOf("b", ["z", "a"]), listOf("a", ["m"])])).toEqual(["z", "a", "m"]);
  });

  test("know whose a name is, and what it is called there", () => {
    const { owners } = mergeEntries("tools", [listOf("notes", ["add"], { prefix: "notes_" })]);
    expect(owners.get("notes_add")).toEqual({ member: "notes", name: "add" });
    expect(owners.get("add")).toBeUndefined();
  });

  test("leave a name to the first who claims it, and tell of the others", () => {
    const merged = mergeEntries("tools", [listOf("one", ["add"]), listOf("two", ["ADD", "a\u0501d", "sub"])]);
    expect(merged.entries.map(({ name }) => name)).toEqual(["add", "sub"]);
    expect(merged.dropped).toEqual([
      { member: "two", name: "ADD", why: "taken", by: "one" },
      { member: "two", name: "a\u0501d", why: "taken", by: "one" },
    ]);
  });

  test("show no name of the gateway's own", () => {
    const { dropped } = mergeEntries("tools", [listOf("one", ["call_tool", "Search-Tools"])]);
    expect(dropped.map(({ why }) => why)).toEqual(["reserved", "reserved"]);
  });

  test("leave a resource's URI to the first who has it", () => {
    const lists = [
      listOf("one", ["file:///a"], { by: "uri" }),
      listOf("two", ["file:///a", "file:///b"], { by: "uri" }),
    ];
    const merged = mergeEntries("resources", lists);
    expect(merged.entries.map(({ uri, of }) => [uri, of])).toEqual([
      ["file:///a", "one"],
      ["file:///b", "two"],
    ]);
  });

  test("leave out what has no name, and what is not taken", () => {
    const odd = { ...listOf("one", ["a", "b"]), takes: (name: string) => name === "a" };
    const entries = [...odd.entries, { title: "nameless" }, { name: 7 }, { name: "" }];
    expect(shown("tools", [{ ...odd, entries }])).toEqual(["a"]);
  });

  test("show no name twice, and lead each to one server that has it", () => {
    const names = fc.array(fc.stringMatching(/^[a-cA-C_]{1,2}$/), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 4 }), (all) => {
        const lists = all.map((own, at) => listOf(`s${at}`, own));
        const { entries, owners, dropped } = mergeEntries("tools", lists);
        const given = entries.map(({ name }) => String(name));
        expect(new Set(given).size).toBe(given.length);
        expect(given.length + dropped.length).toBe(all.flat().length);
        for (const name of given) {
          const owner = owners.get(name);
          const at = Number(owner?.member.slice(1));
          expect(all[at]).toContain(owner?.name);
        }
      }),
    );
  });
});
