import { describe, expect, test } from "vitest";
import { deployRevision, listRevisions, publishApi, undeployApi } from "../../src/core/publishing.ts";
import { deleteResource, replaceResource } from "../../src/core/resources.ts";
import type { CoreFixture } from "./core-fixture.ts";
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

const llmApi = kindOf("LlmApi");

function changeChat(core: CoreFixture, spec: object, version: number) {
  return replaceResource(core.context, admin, llmApi, "chat", { metadata: { name: "chat" }, spec }, version);
}

/** Two APIs: kind, context and team. */
interface Overlap {
  readonly name: string;
  readonly first: readonly [string, string, string?];
  readonly second: readonly [string, string, string?];
}

async function publishAt(core: CoreFixture, name: string, [kind, context, team = "default"]: Overlap["first"]) {
  const upstream = { production: { url: "https://mcp.example.com/mcp" }, sandbox: { sameAs: "production" } };
  const { resources } = core.context.catalog.read;
  if ((await resources.find("Team", team)) === undefined) await create(core, "Team", team, {});
  if ((await resources.find("LlmProvider", "openai")) === undefined) {
    await create(core, "LlmProvider", "openai", providerSpec);
  }
  await create(core, kind, name, kind === "McpServer" ? { context, upstream } : llmApiSpec(context), { team });
  return publishApi(core.context, admin, kindOf(kind), name);
}

describe("publishing", () => {
  test("makes the draft live and tells the gateways the whole set under its hash", async () => {
    await using core = await coreFixture();
    await create(core, "LlmProvider", "openai", providerSpec);
    const api = await create(core, "LlmApi", "chat", llmApiSpec("/chat"));
    core.messages.length = 0;
    const published = await publishApi(core.context, admin, llmApi, "chat");
    expect(published).toMatchObject({ revision: 1, changed: true });
    const [message] = core.messages;
    if (message?.type !== "artifacts") return expect.unreachable();
    expect(message.set.hash).toBe(published.configHash);
    expect(message.set.apis).toMatchObject([{ kind: "LlmApi", id: api.id, name: "chat", revision: 1 }]);
    expect(await auditActions(core)).toContain("api.published");
  });

  test("the same draft again changes nothing and sends nothing", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const again = await publishApi(core.context, admin, llmApi, "chat");
    expect(again).toMatchObject({ revision: 1, changed: false });
    expect(core.messages).toEqual([]);
    expect((await auditActions(core)).filter((action) => action === "api.published")).toHaveLength(1);
  });

  test("a changed draft is live only once it is published, as the next revision", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    await changeChat(core, { ...llmApiSpec("/chat"), version: "2.0" }, 1);
    expect(core.messages).toEqual([]);
    expect(await publishApi(core.context, admin, llmApi, "chat")).toMatchObject({ revision: 2, changed: true });
    const { rows } = await listRevisions(core.context, llmApi, "chat", { limit: 10 });
    expect(rows.map(({ number }) => number)).toEqual([1, 2]);
  });

  test("a context that another API has is refused, and says whose it is", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    await create(core, "LlmApi", "second", llmApiSpec("/chat"));
    const error = await rejection(publishApi(core.context, admin, llmApi, "second"));
    expect(error.code).toBe("publish.refused");
    expect(error.issues).toEqual([{ path: "spec.context", message: "/chat belongs to LlmApi/chat already" }]);
    expect((await listRevisions(core.context, llmApi, "second", { limit: 10 })).rows).toEqual([]);
  });

  const overlaps: readonly Overlap[] = [
    { name: "an LLM API at an MCP server's address", first: ["McpServer", "/a"], second: ["LlmApi", "/a/mcp"] },
    { name: "an MCP server whose address is an LLM API's", first: ["LlmApi", "/a/mcp"], second: ["McpServer", "/a"] },
    { name: "an API below an MCP server's address", first: ["McpServer", "/a"], second: ["LlmApi", "/a/mcp/b"] },
    { name: "an API where another's protocol answers", first: ["LlmApi", "/a"], second: ["LlmApi", "/a/v1"] },
    { name: "an API where another's would answer", first: ["LlmApi", "/a/v1"], second: ["LlmApi", "/a"] },
    { name: "an API below another team's", first: ["LlmApi", "/a"], second: ["LlmApi", "/a/b", "rivals"] },
    { name: "an API above another team's", first: ["LlmApi", "/a/b"], second: ["LlmApi", "/a", "rivals"] },
    { name: "an MCP server below another team's", first: ["LlmApi", "/a"], second: ["McpServer", "/a/b", "rivals"] },
    {
      name: "an API above another team's MCP server",
      first: ["McpServer", "/a/b"],
      second: ["LlmApi", "/a", "rivals"],
    },
  ];
  test.each(overlaps)("$name is refused: it would answer for the other", async ({ first, second }) => {
    await using core = await coreFixture();
    await publishAt(core, "first", first);
    const error = await rejection(publishAt(core, "second", second));
    expect(error.code).toBe("publish.refused");
    expect(error.issues).toMatchObject([
      { path: "spec.context", message: expect.stringContaining(`${first[0]}/first`) },
    ]);
  });

  const neighbours: readonly Overlap[] = [
    { name: "beside an MCP server's address", first: ["McpServer", "/a"], second: ["LlmApi", "/a/b", "rivals"] },
    { name: "with a name that begins as another's", first: ["LlmApi", "/a"], second: ["LlmApi", "/a-2", "rivals"] },
    { name: "of a second version", first: ["LlmApi", "/a/1.0"], second: ["LlmApi", "/a/2.0", "rivals"] },
    { name: "of two MCP servers", first: ["McpServer", "/a"], second: ["McpServer", "/a/b", "rivals"] },
    { name: "within one of the same team", first: ["LlmApi", "/a"], second: ["LlmApi", "/a/b"] },
  ];
  test.each(neighbours)("a context $name is taken", async ({ first, second }) => {
    await using core = await coreFixture();
    await publishAt(core, "first", first);
    await publishAt(core, "second", second);
    expect(await core.context.catalog.read.deployments.all()).toHaveLength(2);
  });

  test("a set that does not compile is refused with the API's own paths, and the old revision stays live", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    await changeChat(core, { ...llmApiSpec("/chat"), version: "2.0" }, 1);
    core.compile = () => [{ path: "LlmApi/chat: spec.policies[0].use", message: "unknown" }];
    const error = await rejection(publishApi(core.context, admin, llmApi, "chat"));
    expect([error.code, error.issues[0]?.path]).toEqual(["publish.refused", "spec.policies[0].use"]);
    expect(core.messages).toEqual([]);
    expect(await core.context.catalog.read.deployments.all()).toMatchObject([{ revision: 1 }]);
  });

  test.each([
    { name: "a keyless API is refused in production", production: true, code: "publish.refused" },
    { name: "a keyless API may be published in development", production: false, code: undefined },
  ])("$name", async ({ production, code }) => {
    await using core = await coreFixture({ production });
    await create(core, "LlmProvider", "openai", providerSpec);
    await create(core, "LlmApi", "open", { ...llmApiSpec("/open"), security: { apiKey: false, keyless: true } });
    const outcome = publishApi(core.context, admin, llmApi, "open");
    if (code === undefined) return expect(await outcome).toMatchObject({ changed: true });
    const error = await rejection(outcome);
    expect([error.code, error.issues[0]?.path]).toEqual([code, "spec.security.keyless"]);
    expect(error.issues[0]?.message).toContain("network.allowKeyless");
  });

  test("a kind that is live at once has nothing to publish", async () => {
    await using core = await coreFixture();
    expect((await rejection(publishApi(core.context, admin, kindOf("Team"), "default"))).code).toBe("request.invalid");
  });

  test("an API that does not exist is not found", async () => {
    await using core = await coreFixture();
    expect((await rejection(publishApi(core.context, admin, llmApi, "none"))).code).toBe("resource.not_found");
    expect((await rejection(listRevisions(core.context, llmApi, "none", { limit: 1 }))).code).toBe(
      "resource.not_found",
    );
  });
});

describe("deploying a revision", () => {
  test("brings an older one back, with the same hash as before", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const first = await publishApi(core.context, admin, llmApi, "chat");
    await changeChat(core, { ...llmApiSpec("/chat"), version: "2.0" }, 1);
    const second = await publishApi(core.context, admin, llmApi, "chat");
    const back = await deployRevision(core.context, admin, llmApi, "chat", 1);
    expect(back).toEqual({ revision: 1, changed: true, configHash: first.configHash });
    expect(second.configHash).not.toBe(first.configHash);
    expect(await auditActions(core)).toContain("api.deployed");
  });

  test("is refused when what it refers to is gone", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    await create(core, "LlmProvider", "other", providerSpec);
    await changeChat(core, llmApiSpec("/chat", "other"), 1);
    await publishApi(core.context, admin, llmApi, "chat");
    await deleteResource(core.context, admin, kindOf("LlmProvider"), "openai", 1);
    const error = await rejection(deployRevision(core.context, admin, llmApi, "chat", 1));
    expect(error.code).toBe("publish.refused");
    expect(error.issues[0]?.path).toBe("spec.upstream.production.targets[0].provider");
  });

  test("that was never made is not found", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    expect((await rejection(deployRevision(core.context, admin, llmApi, "chat", 7))).code).toBe("resource.not_found");
  });
});

describe("undeploying", () => {
  test("takes the API off the gateways and frees its context", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    await create(core, "LlmApi", "second", llmApiSpec("/chat"));
    await undeployApi(core.context, admin, llmApi, "chat");
    const [message] = core.messages;
    expect(message?.type === "artifacts" && message.set.apis).toEqual([]);
    expect(await publishApi(core.context, admin, llmApi, "second")).toMatchObject({ changed: true });
    expect(await auditActions(core)).toContain("api.undeployed");
  });

  test("twice does nothing the second time", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    await undeployApi(core.context, admin, llmApi, "chat");
    core.messages.length = 0;
    await undeployApi(core.context, admin, llmApi, "chat");
    expect(core.messages).toEqual([]);
  });
});
