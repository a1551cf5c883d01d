import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldName, isReservedName, longestName, publicName } from "../../../src/mcp/federation/public-names.ts";

const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,128}$/);
const prefix = fc.stringMatching(/^[A-Za-z0-9_.-]{0,63}$/);

describe("a public name", () => {
  test("is never longer than APIs of models take, and of their characters", () => {
    fc.assert(
      fc.property(prefix, name, (start, own) => {
        const made = publicName(start, own);
        expect(made.length).toBeLessThanOrEqual(longestName);
        expect(made).toMatch(/^[A-Za-z0-9_.-]+$/);
      }),
    );
  });

  test("is the plain one wherever that is short enough", () => {
    fc.assert(
      fc.property(prefix, name, (start, own) => {
        fc.pre(start.length + own.length <= longestName);
        expect(publicName(start, own)).toBe(start + own);
      }),
    );
  });

  test("differs where the names differ, and is the same each time", () => {
    fc.assert(
      fc.property(prefix, fc.uniqueArray(name, { minLength: 2, maxLength: 50 }), (start, names) => {
        const made = names.map((own) => publicName(start, own));
        expect(new Set(made).size).toBe(names.length);
        expect(names.map((own) => publicName(start, own))).toEqual(made);
      }),
    );
  });

  test("cuts no character in two", () => {
    const made = publicName("", "\u{1F600}".repeat(40));
    expect(made.isWellFormed()).toBe(true);
    expect(made.length).toBeLessThanOrEqual(longestName);
  });
});

describe("names that look alike", () => {
  test.each([
    { name: "case", one: "Search", other: "sEARCH" },
    { name: "letters of another script", one: "search", other: "s\u0435arch" },
    { name: "digits for letters", one: "tool_l0", other: "tool_1o" },
    { name: "full width", one: "search", other: "\uff53earch" },
    { name: "accents", one: "search", other: "se\u0301arch" },
    { name: "invisible characters", one: "search", other: "sea\u200brch" },
    { name: "a hyphen for an underscore", one: "call_tool", other: "call-tool" },
  ])("are one in $name", ({ one, other }) => {
    expect(foldName(one)).toBe(foldName(other));
  });

  test("are the gateway's own too", () => {
    expect(isReservedName("search_tools")).toBe(true);
    expect(isReservedName("Cal\u04cf_Tool")).toBe(true);
    expect(isReservedName("search_tool")).toBe(false);
  });

  test("stay what they are when they are folded again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(foldName(foldName(text))).toBe(foldName(text));
      }),
    );
  });
});
