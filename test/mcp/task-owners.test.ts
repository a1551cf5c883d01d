import { describe, expect, test } from "vitest";
import { createTaskOwners } from "../../src/mcp/task-owners.ts";

describe("the owners of tasks", () => {
  test("a task is its owner's at its API, as long as the owner may call the tool", () => {
    const tasks = createTaskOwners();
    tasks.began("api-1", "t", "ada", "read");
    expect(tasks.reach("api-1", "t", "ada", undefined)).toBe("own");
    expect(tasks.reach("api-1", "t", "ada", (tool) => tool === "read")).toBe("own");
    expect(tasks.reach("api-1", "t", "ada", (tool) => tool === "write")).toBe("hidden");
    expect(tasks.reach("api-1", "t", "bob", undefined)).toBe("hidden");
    expect(tasks.reach("api-2", "t", "ada", undefined)).toBe("unknown");
  });

  test("what began long ago, or has an id without end, is unknown, and memory stays bounded", () => {
    const tasks = createTaskOwners();
    tasks.began("api", "x".repeat(10_000), "ada", "read");
    expect(tasks.reach("api", "x".repeat(10_000), "ada", undefined)).toBe("unknown");
    for (let at = 0; at <= 100_000; at += 1) tasks.began("api", `t-${at}`, "ada", "read");
    expect(tasks.reach("api", "t-0", "ada", undefined)).toBe("unknown");
    expect(tasks.reach("api", "t-100000", "ada", undefined)).toBe("own");
  });
});
