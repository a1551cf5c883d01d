import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchesTemplate } from "../../../src/mcp/federation/match-template.ts";
import { mergeFacts } from "../../../src/mcp/federation/merge-facts.ts";
import { publicTask, taskOf, withPublicTasks } from "../../../src/mcp/federation/task-ids.ts";

describe("a task's public id", () => {
  test("leads back to the server and the id there, whatever that is", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,30}$/), fc.string(), (member, taskId) => {
        expect(taskOf(publicTask(member, taskId))).toEqual({ member, taskId });
      }),
    );
  });

  test("stands in results and notifications wherever a task is named", () => {
    const related = "io.modelcontextprotocol/related-task";
    expect(
      withPublicTasks("notes", {
        taskId: "1",
        task: { taskId: "2", status: "working" },
        tasks: [{ taskId: "3" }, "odd"],
        _meta: { [related]: { taskId: "4" }, own: 1 },
      }),
    ).toEqual({
      taskId: "notes~1",
      task: { taskId: "notes~2", status: "working" },
      tasks: [{ taskId: "notes~3" }, "odd"],
      _meta: { [related]: { taskId: "notes~4" }, own: 1 },
    });
  });

  test("is nowhere else: what names no task is the same object", () => {
    const result = { content: [{ type: "text", text: "taskId" }] };
    expect(withPublicTasks("notes", result)).toBe(result);
    expect(taskOf("no-server")).toBeUndefined();
    expect(taskOf("~1")).toBeUndefined();
  });
});

describe("what servers are as one", () => {
  const facts = (versions: readonly string[], capabilities: object, instructions?: string) => ({
    serverInfo: { name: "x" },
    capabilities: capabilities as Readonly<Record<string, unknown>>,
    instructions,
    versions,
  });

  test("is all that any of them can, in the versions that all speak", () => {
    const merged = mergeFacts({ name: "all" }, [
      { name: "a", facts: facts(["2026-07-28", "2025-11-25"], { tools: { listChanged: false } }) },
      { name: "b", facts: facts(["2025-11-25"], { tools: { listChanged: true }, logging: {} }) },
    ]);
    expect(merged.versions).toEqual(["2025-11-25"]);
    expect(merged.capabilities).toEqual({ tools: { listChanged: true }, logging: {} });
    expect(merged.serverInfo).toEqual({ name: "all" });
    expect(merged.instructions).toBeUndefined();
  });

  test("tells what each says of itself under its name, and no more than 16,384 characters", () => {
    const merged = mergeFacts({ name: "all" }, [
      { name: "a", facts: facts([], {}, "Be kind.") },
      { name: "b", facts: facts([], {}, "x".repeat(100_000)) },
      { name: "c", facts: facts([], {}, "  ") },
    ]);
    expect(merged.instructions?.startsWith("# a\n\nBe kind.\n\n# b\n\nxxx")).toBe(true);
    expect(merged.instructions?.length).toBeLessThanOrEqual(16_384);
    expect(merged.instructions).not.toContain("# c");
  });

  test("takes no member of a server's for more than it is", () => {
    const merged = mergeFacts({ name: "all" }, [
      { name: "a", facts: facts([], JSON.parse('{"__proto__":{"polluted":true}}') as object) },
    ]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.hasOwn(merged.capabilities, "__proto__")).toBe(true);
  });
});

test.each([
  { template: "note:///{id}", uri: "note:///1", matches: true },
  { template: "note:///{id}/text", uri: "note:///1/text", matches: true },
  { template: "note:///{id}/text", uri: "note:///1/picture", matches: false },
  { template: "note:///{id}", uri: "file:///1", matches: false },
  { template: "file:///plain", uri: "file:///plain", matches: true },
  { template: "file:///plain", uri: "file:///plain/more", matches: false },
  { template: "{+path}", uri: "anything", matches: true },
  { template: "a{b}a", uri: "a", matches: false },
  { template: "broken{", uri: "broken{", matches: false },
])("$uri may be of $template: $matches", ({ template, uri, matches }) => {
  expect(matchesTemplate(template, uri)).toBe(matches);
});
