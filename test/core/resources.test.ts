import { describe, expect, test } from "vitest";
import { resourceKinds } from "../../src/core/kinds.ts";
import { publishApi, undeployApi } from "../../src/core/publishing.ts";
import {
  createResource,
  deleteResource,
  getResource,
  listResources,
  replaceResource,
} from "../../src/core/resources.ts";
import { putSecret } from "../../src/core/secrets.ts";
import {
  admin,
  auditActions,
  coreFixture,
  create,
  kindOf,
  llmApiSpec,
  providerSpec,
  rejection,
  withChatApi,
} from "./core-fixture.ts";

describe("creating", () => {
  test("a resource gets an id of its kind, version 1, the default team and the times of the clock", async () => {
    await using core = await coreFixture();
    const bot = await create(core, "Application", "bot", { displayName: "Bot" }, { labels: { tier: "gold" } });
    const team = await getResource(core.context, kindOf("Team"), "default");
    expect(bot).toMatchObject({ version: 1, teamId: team.id, labels: { tier: "gold" }, createdAtMs: core.clock.now() });
    expect(bot.id).toMatch(/^app_[0-9a-f]{24}$/);
    expect(await getResource(core.context, kindOf("Application"), "bot")).toEqual(bot);
  });

  test("every kind's own examples can be created, once what they refer to is there", async () => {
    await using core = await coreFixture();
    await putSecret(core.context, admin, { name: "llm-key", value: "canary" });
    await putSecret(core.context, admin, { name: "hook-key", value: "canary" });
    await create(core, "LlmProvider", "openai", providerSpec);
    await create(core, "Application", "support-bot", {});
    await create(core, "Plan", "gold", {});
    await create(core, "LlmApi", "chat", llmApiSpec("/chat"));
    for (const server of ["notes", "tickets"]) {
      const upstream = { production: { url: "https://mcp.example.com/mcp" }, sandbox: { sameAs: "production" } };
      await create(core, "McpServer", server, { context: `/${server}-server`, upstream });
    }
    for (const kind of resourceKinds) {
      for (const [index, spec] of kind.examples.entries()) {
        const name = `example-${index}`;
        await createResource(core.context, admin, kind, { kind: kind.kind, metadata: { name }, spec });
      }
    }
    expect((await auditActions(core)).length).toBeGreaterThan(resourceKinds.length);
  });

  test("a name that is taken is a conflict, and leaves no audit row", async () => {
    await using core = await coreFixture();
    await create(core, "Application", "bot", {});
    const before = await auditActions(core);
    expect((await rejection(create(core, "Application", "bot", {}))).code).toBe("resource.conflict");
    expect(await auditActions(core)).toEqual(before);
  });

  test("names that do not exist are told together, each with its path", async () => {
    await using core = await coreFixture();
    const spec = { ...llmApiSpec("/chat", "nobody"), description: "see ${secret:absent}" };
    const error = await rejection(create(core, "LlmApi", "chat", spec, { team: "nowhere" }));
    expect(error.code).toBe("resource.invalid");
    expect(error.issues).toEqual([
      { path: "metadata.team", message: "there is no Team named nowhere" },
      { path: "spec.upstream.production.targets[0].provider", message: "there is no LlmProvider named nobody" },
      { path: "spec.description", message: expect.stringContaining("gatehouse secrets set absent") },
    ]);
  });
});

describe("replacing", () => {
  test("counts the version up and keeps id, team and time of creation", async () => {
    await using core = await coreFixture();
    await create(core, "Team", "payments", {});
    const first = await create(core, "Application", "bot", {}, { team: "payments" });
    core.clock.advance(1_000);
    const input = { metadata: { name: "bot" }, spec: { displayName: "New" } };
    const second = await replaceResource(core.context, admin, kindOf("Application"), "bot", input, 1);
    expect(second).toMatchObject({ id: first.id, teamId: first.teamId, version: 2, createdAtMs: first.createdAtMs });
    expect(second.updatedAtMs).toBe(first.updatedAtMs + 1_000);
    expect(second.spec).toEqual({ displayName: "New" });
    expect((await auditActions(core)).slice(-2)).toEqual(["application.created", "application.updated"]);
  });

  test.each([
    { name: "refuses another version than the stored one", path: "bot", version: 2, code: "resource.changed" },
    { name: "refuses a name that does not exist", path: "bat", version: 1, code: "resource.not_found" },
  ])("$name", async ({ path, version, code }) => {
    await using core = await coreFixture();
    await create(core, "Application", "bot", {});
    const input = { metadata: { name: path }, spec: {} };
    const error = await rejection(replaceResource(core.context, admin, kindOf("Application"), path, input, version));
    expect(error.code).toBe(code);
  });

  test("neither renames nor moves to another team", async () => {
    await using core = await coreFixture();
    await create(core, "Team", "payments", {});
    await create(core, "Application", "bot", {});
    const input = { metadata: { name: "bat", team: "payments" }, spec: {} };
    const error = await rejection(replaceResource(core.context, admin, kindOf("Application"), "bot", input, 1));
    expect(error.issues.map(({ path }) => path)).toEqual(["metadata.name", "metadata.team"]);
  });

  test("of two writers who read the same version, one wins and the other is told", async () => {
    await using core = await coreFixture();
    await create(core, "Application", "bot", {});
    const replace = (displayName: string) =>
      replaceResource(
        core.context,
        admin,
        kindOf("Application"),
        "bot",
        { metadata: { name: "bot" }, spec: { displayName } },
        1,
      );
    const results = await Promise.allSettled([replace("a"), replace("b"), replace("c")]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected", "rejected"]);
    expect((await getResource(core.context, kindOf("Application"), "bot")).version).toBe(2);
  });
});

describe("what gateways serve at once", () => {
  test.each(["LlmProvider", "Plan", "Gateway"])("a written %s is sent to the gateways", async (kind) => {
    await using core = await coreFixture();
    await create(core, kind, "new", kind === "LlmProvider" ? providerSpec : {});
    const [message] = core.messages;
    expect(core.messages).toHaveLength(1);
    expect(message?.type === "artifacts" && message.set.supporting.map(({ name }) => name)).toContain("new");
  });

  test("a write that would not compile is refused with the resource's own paths, and nothing stays of it", async () => {
    await using core = await coreFixture();
    core.compile = (set) =>
      set.supporting.some(({ name }) => name === "bad")
        ? [{ path: "Plan/bad: spec.policies[0].use", message: "there is no policy named nothing" }]
        : [];
    const error = await rejection(create(core, "Plan", "bad", { policies: [{ use: "nothing" }] }));
    expect(error.code).toBe("resource.invalid");
    expect(error.issues).toEqual([{ path: "spec.policies[0].use", message: "there is no policy named nothing" }]);
    expect((await rejection(getResource(core.context, kindOf("Plan"), "bad"))).code).toBe("resource.not_found");
    expect(await auditActions(core)).not.toContain("plan.created");
    expect(core.messages).toEqual([]);
  });

  test("a draft of an API is not", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    await create(core, "LlmApi", "draft", llmApiSpec("/draft"));
    expect(core.messages).toEqual([]);
  });
});

describe("deleting", () => {
  const remove = (core: Awaited<ReturnType<typeof coreFixture>>, kind: string, name: string, version = 1) =>
    deleteResource(core.context, admin, kindOf(kind), name, version);

  test("what is in use is refused, and says by whom and where", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const error = await rejection(remove(core, "LlmProvider", "openai"));
    expect(error.code).toBe("resource.in_use");
    expect(error.message).toContain("LlmApi/chat");
    expect(error.issues).toEqual([
      expect.objectContaining({ path: "LlmApi/chat: spec.upstream.production.targets[0].provider" }),
      expect.objectContaining({ path: "LlmApi/chat: spec.upstream.production.targets[0].provider" }),
    ]);
  });

  test("what only a deployed revision refers to is in use too, until it is undeployed", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    await create(core, "LlmProvider", "other", providerSpec);
    const draft = { metadata: { name: "chat" }, spec: llmApiSpec("/chat", "other") };
    await replaceResource(core.context, admin, kindOf("LlmApi"), "chat", draft, 1);
    const error = await rejection(remove(core, "LlmProvider", "openai"));
    expect(error.issues.map(({ message }) => message)).toEqual(["its deployed revision refers to it"]);
    await undeployApi(core.context, admin, kindOf("LlmApi"), "chat");
    await remove(core, "LlmProvider", "openai");
    expect((await rejection(remove(core, "LlmProvider", "other"))).code).toBe("resource.in_use");
  });

  test("an API goes only when it is undeployed and nothing refers to it", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const deployed = await rejection(remove(core, "LlmApi", "chat"));
    expect(deployed.message).toContain("deployed at /chat");
    await create(core, "Plan", "gold", {});
    const spec = { application: "bot", api: { kind: "LlmApi", name: "chat" }, plan: "gold" };
    await create(core, "Subscription", "bot-chat", spec);
    await undeployApi(core.context, admin, kindOf("LlmApi"), "chat");
    expect((await rejection(remove(core, "LlmApi", "chat"))).message).toContain("Subscription/bot-chat");
    expect((await rejection(remove(core, "Application", "bot"))).message).toContain("Subscription/bot-chat");
    expect((await rejection(remove(core, "Plan", "gold"))).message).toContain("Subscription/bot-chat");
    await remove(core, "Subscription", "bot-chat");
    await remove(core, "LlmApi", "chat");
    await remove(core, "Plan", "gold");
  });

  test.each(["Team", "Gateway"])("the default %s stays", async (kind) => {
    await using core = await coreFixture();
    expect((await rejection(remove(core, kind, "default"))).code).toBe("resource.in_use");
  });

  test("a team stays while it owns a resource or a secret", async () => {
    await using core = await coreFixture();
    await create(core, "Team", "payments", {});
    await create(core, "Application", "bot", {}, { team: "payments" });
    await putSecret(core.context, admin, { name: "token", value: "x", team: "payments" });
    const error = await rejection(remove(core, "Team", "payments"));
    expect(error.issues.map(({ path }) => path).toSorted()).toEqual([
      "Application/bot: metadata.team",
      "Secret/token: metadata.team",
    ]);
  });

  test("a name made again gets another id and inherits no revision", async () => {
    await using core = await coreFixture();
    const { api } = await withChatApi(core);
    await undeployApi(core.context, admin, kindOf("LlmApi"), "chat");
    await remove(core, "LlmApi", "chat");
    const again = await create(core, "LlmApi", "chat", { ...llmApiSpec("/chat"), version: "2.0" });
    expect(again.id).not.toBe(api.id);
    expect(await publishApi(core.context, admin, kindOf("LlmApi"), "chat")).toMatchObject({ revision: 1 });
  });

  test("another version than the stored one is refused", async () => {
    await using core = await coreFixture();
    await create(core, "Application", "bot", {});
    expect((await rejection(remove(core, "Application", "bot", 2))).code).toBe("resource.changed");
  });
});

test("a list holds one kind, and one team where it is asked for", async () => {
  await using core = await coreFixture();
  const payments = await create(core, "Team", "payments", {});
  await create(core, "Application", "a", {});
  await create(core, "Application", "b", {}, { team: "payments" });
  const names = async (filter: { teamId?: string }) =>
    (await listResources(core.context, kindOf("Application"), filter, { limit: 10 })).rows.map(({ name }) => name);
  expect(await names({})).toEqual(["a", "b"]);
  expect(await names({ teamId: payments.id })).toEqual(["b"]);
});
