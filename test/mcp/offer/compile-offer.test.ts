import { describe, expect, test } from "vitest";
import type { McpOffer } from "../../../src/core/mcp-offer.ts";
import { mcpOfferSchema } from "../../../src/core/mcp-offer.ts";
import type { FieldIssue } from "../../../src/kernel/errors.ts";
import { compileOffer } from "../../../src/mcp/offer/compile-offer.ts";
import { withGiven } from "../../../src/mcp/offer/show-entry.ts";

function offerOf(given: object, faults: FieldIssue[] = []) {
  const spec: McpOffer = mcpOfferSchema.parse(given);
  return compileOffer(spec, (issue) => faults.push(issue));
}

describe("what is offered", () => {
  test("is all of it where nothing is listed", () => {
    const offer = offerOf({});
    const entry = { name: "add" };
    expect(offer.show("tools", entry)).toBe(entry);
    expect(offer.find("tools", "add")).toEqual({ name: "add", entry: undefined });
    expect(offer.takes("file:///a")).toBe(true);
  });

  test("is only what is listed, of a kind that is listed at all", () => {
    const offer = offerOf({ tools: [{ name: "add" }, { match: "list_*" }] });
    expect(offer.show("tools", { name: "list_all" })).toEqual({ name: "list_all" });
    expect(offer.show("tools", { name: "drop" })).toBeUndefined();
    expect(offer.find("tools", "drop")).toBeUndefined();
    expect(offer.find("prompts", "drop")).toBeDefined();
  });

  test("is the rest too where that is allowed", () => {
    const offer = offerOf({ tools: [{ name: "drop", hidden: true }], unlisted: "allow" });
    expect(offer.show("tools", { name: "add" })).toEqual({ name: "add" });
    expect(offer.show("tools", { name: "drop" })).toBeUndefined();
    expect(offer.find("tools", "drop")).toBeUndefined();
  });

  test("is decided by the first entry that names it", () => {
    const offer = offerOf({ tools: [{ match: "admin_*", hidden: true }, { name: "admin_list" }, { match: "*" }] });
    expect(offer.find("tools", "admin_list")).toBeUndefined();
    expect(offer.find("tools", "list")).toBeDefined();
  });

  test("has resources by URI, and those of a template by the template", () => {
    const offer = offerOf({ resources: [{ name: "note:///{id}" }, { match: "file:///public/*" }] });
    expect(offer.takes("note:///1")).toBe(true);
    expect(offer.takes("file:///public/a")).toBe(true);
    expect(offer.takes("file:///secret")).toBe(false);
    expect(offer.show("templates", { uriTemplate: "note:///{id}" })).toEqual({ uriTemplate: "note:///{id}" });
  });
});

describe("another name", () => {
  const offer = offerOf({ tools: [{ name: "add", as: "sum" }], unlisted: "allow" });

  test("is the only one that clients may use", () => {
    expect(offer.show("tools", { name: "add", title: "Add" })).toEqual({ name: "sum", title: "Add" });
    expect(offer.find("tools", "sum")?.name).toBe("add");
    expect(offer.find("tools", "add")).toBeUndefined();
  });

  test("hides the tool that has it, or one that looks like it, by itself", () => {
    expect(offer.show("tools", { name: "sum" })).toBeUndefined();
    expect(offer.show("tools", { name: "SUM" })).toBeUndefined();
    expect(offer.find("tools", "SUM")).toBeUndefined();
  });

  test("is refused where it is the gateway's own, or looks like another", () => {
    const faults: FieldIssue[] = [];
    offerOf(
      {
        tools: [
          { name: "a", as: "search_tools" },
          { name: "b", as: "note" },
          { name: "c", as: "n0te" },
        ],
      },
      faults,
    );
    expect(faults.map(({ path }) => path)).toEqual(["spec.offer.tools[0].as", "spec.offer.tools[2].as"]);
  });

  test("is refused for a pattern, and twice", () => {
    expect(mcpOfferSchema.safeParse({ tools: [{ match: "a*", as: "b" }] }).success).toBe(false);
    const twice = [
      { name: "a", as: "x" },
      { name: "b", as: "X" },
    ];
    expect(mcpOfferSchema.safeParse({ tools: twice }).success).toBe(false);
    expect(mcpOfferSchema.safeParse({ tools: [{ as: "x" }] }).success).toBe(false);
  });
});

test("words are put over the server's own, and the rest of an entry stays", () => {
  const annotations = { readOnlyHint: true };
  const offer = offerOf({ tools: [{ name: "add", title: "Sum", description: "Adds.", annotations }] });
  const entry = { name: "add", description: "?", annotations: { openWorldHint: false }, icons: [{ src: "x" }] };
  expect(offer.show("tools", entry)).toEqual({
    name: "add",
    title: "Sum",
    description: "Adds.",
    annotations: { openWorldHint: false, readOnlyHint: true },
    icons: [{ src: "x" }],
  });
});

describe("arguments that are given", () => {
  const given = { region: { value: "eu", fixed: true }, limit: { value: 10, fixed: false } };
  const offer = offerOf({ tools: [{ name: "find", arguments: given }], prompts: [{ name: "ask", arguments: given }] });

  test("are gone from the schema where they are fixed, and optional where not", () => {
    const inputSchema = {
      type: "object",
      properties: { region: { type: "string" }, limit: { type: "integer" }, q: { type: "string" } },
      required: ["region", "limit", "q"],
    };
    expect(offer.show("tools", { name: "find", inputSchema })?.["inputSchema"]).toEqual({
      type: "object",
      properties: { limit: { type: "integer", default: 10 }, q: { type: "string" } },
      required: ["q"],
    });
    const prompt = {
      name: "ask",
      arguments: [
        { name: "region", required: true },
        { name: "limit", required: true },
      ],
    };
    expect(offer.show("prompts", prompt)?.["arguments"]).toEqual([{ name: "limit", required: false }]);
  });

  test("are sent with a call; a caller changes only what is not fixed", () => {
    expect(withGiven({ q: "a" }, given)).toEqual({ q: "a", region: "eu", limit: 10 });
    expect(withGiven({ region: "us", limit: 3 }, given)).toEqual({ region: "eu", limit: 3 });
    expect(withGiven(undefined, given)).toEqual({ region: "eu", limit: 10 });
    const sent = { q: "a" };
    expect(withGiven(sent, {})).toBe(sent);
  });
});
