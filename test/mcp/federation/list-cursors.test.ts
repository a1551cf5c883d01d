import { createSecretKey, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createListCursors, pageAfter } from "../../../src/mcp/federation/list-cursors.ts";

const cursors = createListCursors(createSecretKey(randomBytes(32)));
const place = { list: "tools", index: 4, after: "notes_add" };

describe("a cursor", () => {
  const cursor = cursors.seal(place, "me");

  test("leads its owner back, through any gateway with the key", () => {
    expect(cursors.open(cursor, "tools", "me")).toEqual(place);
  });

  test("is nothing to others, for another list, or under another key", () => {
    expect(cursors.open(cursor, "tools", "you")).toBeUndefined();
    expect(cursors.open(cursor, "prompts", "me")).toBeUndefined();
    expect(createListCursors(createSecretKey(randomBytes(32))).open(cursor, "tools", "me")).toBeUndefined();
  });

  test("is refused when a byte of it is changed, and what is none too", () => {
    const bytes = Buffer.from(cursor, "base64url");
    for (let at = 0; at < bytes.length; at += 1) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(cursors.open(altered.toString("base64url"), "tools", "me")).toBeUndefined();
    }
    for (const other of ["", "?", "2", "a".repeat(10_000), `${cursor}=`]) {
      expect(cursors.open(other, "tools", "me")).toBeUndefined();
    }
  });
});

const self = (entry: string): string => entry;

test("pages give every entry once and in order, whatever their size", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (entries, size) => {
      const seen: string[] = [];
      let at: { readonly list: string; readonly index: number; readonly after: string } | undefined;
      do {
        const { page, next } = pageAfter(entries, self, size, at);
        seen.push(...page);
        at = next && { list: "tools", ...next };
      } while (at !== undefined);
      expect(seen).toEqual(entries);
    }),
  );
});

test("a page goes on after its entry when others came or went, and where it stood when it has gone itself", () => {
  const at = { list: "tools", index: 1, after: "b" };
  expect(pageAfter(["a", "new", "b", "c"], self, 9, at).page).toEqual(["c"]);
  expect(pageAfter(["b", "c"], self, 9, at).page).toEqual(["c"]);
  expect(pageAfter(["a", "c", "d"], self, 9, at).page).toEqual(["c", "d"]);
  expect(pageAfter([], self, 9, at)).toEqual({ page: [], next: undefined });
});
