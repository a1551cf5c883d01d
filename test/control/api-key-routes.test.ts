import { beforeEach, describe, expect, test } from "vitest";
import { apiKeyViewSchema, generatedApiKeySchema } from "../../src/control/api-key-view-schema.ts";
import { parseApiKey } from "../../src/core/api-key-format.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";

const path = "/api/v1/api-keys";
const request = {
  metadata: { name: "bot-key" },
  spec: { api: { kind: "LlmApi", name: "chat" }, environment: "production", permittedIps: ["10.0.0.0/8"] },
};

let plane: ControlPlane;

beforeEach(async () => {
  plane = await openControlPlane();
  const upstream = { production: { targets: [{ provider: "openai" }] }, sandbox: { sameAs: "production" } };
  for (const [to, body] of [
    ["llm-providers", { metadata: { name: "openai" }, spec: { use: "openai-compatible" } }],
    ["llm-apis", { metadata: { name: "chat" }, spec: { context: "/chat", upstream } }],
    ["llm-apis", { metadata: { name: "other" }, spec: { context: "/other", upstream } }],
    ["applications", { metadata: { name: "bot" }, spec: {} }],
  ] as const) {
    await plane.send("POST", `/api/v1/${to}`, body);
  }
  return () => plane[Symbol.asyncDispose]();
});

/** Everything that is ever answered about a key after it was made, and all that was logged and audited. */
async function everythingShown(): Promise<string> {
  const answers = [await plane.send("GET", path), await plane.send("GET", `${path}/bot-key`)];
  answers.push(await plane.send("GET", "/api/v1/audit?limit=200"));
  return `${answers.map((answer) => answer.text).join()}${JSON.stringify(plane.logged)}`;
}

describe("201", () => {
  test("shows the key once; afterwards only its beginning, and never its hash", async () => {
    const made = await plane.send("POST", path, request);
    expect(made.status).toBe(201);
    expect(made.headers.get("location")).toBe(`${path}/bot-key`);
    expect(made.headers.get("etag")).toBe('"1"');
    expect(made.headers.get("cache-control")).toBe("no-store");
    const { key, ...view } = generatedApiKeySchema.parse(made.body);
    expect(parseApiKey(key)).toBeDefined();
    const read = await plane.send("GET", `${path}/bot-key`);
    expect(apiKeyViewSchema.parse(read.body)).toEqual(view);
    expect(key.startsWith(view.status.masked.slice(0, 6))).toBe(true);

    const row = await plane.context.catalog.read.apiKeys.find("bot-key");
    const shown = await everythingShown();
    expect(shown).toContain("bot-key");
    for (const secret of [key, key.slice(20), row?.hash ?? "no row", row?.publicId ?? "no row"]) {
      expect(shown).not.toContain(secret);
    }
  });

  test("the gateways hear of the new key", async () => {
    await plane.send("POST", path, request);
    expect(plane.messages.at(-1)).toMatchObject({
      type: "credential.put",
      record: { environment: "production", permittedIps: ["10.0.0.0/8"] },
    });
  });
});

describe("200", () => {
  test("lists by API, application and team", async () => {
    await plane.send("POST", path, request);
    const sandbox = {
      ...request.spec,
      api: { kind: "LlmApi", name: "other" },
      environment: "sandbox",
      application: "bot",
    };
    await plane.send("POST", path, { metadata: { name: "other-key" }, spec: sandbox });
    const names = async (query: string): Promise<string[]> =>
      (await plane.send("GET", `${path}${query}`)).body.items.map((item) => item.metadata.name);
    expect(await names("")).toEqual(["bot-key", "other-key"]);
    expect(await names("?api=LlmApi/chat")).toEqual(["bot-key"]);
    expect(await names("?application=bot")).toEqual(["other-key"]);
    expect(await names("?team=default&limit=1")).toEqual(["bot-key"]);
    expect((await plane.send("GET", `${path}?api=chat`)).status).toBe(400);
    expect((await plane.send("GET", `${path}?api=LlmApi/none`)).status).toBe(404);
  });

  test("a regenerated key has another text under the same name, bounds and association", async () => {
    const made = await plane.send("POST", path, { ...request, spec: { ...request.spec, application: "bot" } });
    const again = await plane.send("POST", `${path}/bot-key/regenerate`, undefined, { "if-match": '"1"' });
    const { key, metadata, spec } = generatedApiKeySchema.parse(again.body);
    expect(key).not.toBe(made.body.key);
    expect(again.headers.get("etag")).toBe('"2"');
    expect(metadata.id).toBe(made.body.metadata.id);
    expect(spec).toEqual(made.body.spec);
    expect(plane.messages.slice(-2).map((message) => message.type)).toEqual(["credential.removed", "credential.put"]);
  });

  test("a revoked key stays in the list and cannot be revived", async () => {
    await plane.send("POST", path, request);
    const revoked = await plane.send("POST", `${path}/bot-key/revoke`);
    expect(revoked.body.status).toMatchObject({ state: "revoked", revokedAt: "2026-01-01T00:00:00.000Z" });
    expect(plane.messages.at(-1)?.type).toBe("credential.removed");
    expect((await plane.send("POST", `${path}/bot-key/revoke`)).status).toBe(200);
    for (const action of ["regenerate", "dissociate"]) {
      expect((await plane.send("POST", `${path}/bot-key/${action}`)).status).toBe(422);
    }
    expect((await plane.send("GET", path)).body.items[0]?.status.state).toBe("revoked");
  });

  test("a key is associated with an application and dissociated from it", async () => {
    await plane.send("POST", path, request);
    const bound = await plane.send("POST", `${path}/bot-key/associate`, { application: "bot" });
    expect(bound.body.spec.application).toBe("bot");
    const free = await plane.send("POST", `${path}/bot-key/dissociate`);
    expect(free.body.spec.application).toBeUndefined();
    expect(free.headers.get("etag")).toBe('"3"');
  });

  test("what was read can be changed and sent back", async () => {
    await plane.send("POST", path, request);
    const { body } = await plane.send("GET", `${path}/bot-key`);
    const edited = { ...body, spec: { ...body.spec, permittedIps: ["192.168.0.0/16"] } };
    const changed = await plane.send("PUT", `${path}/bot-key`, edited, { "if-match": '"1"' });
    expect(changed.status).toBe(200);
    expect(apiKeyViewSchema.parse(changed.body).spec.permittedIps).toEqual(["192.168.0.0/16"]);
    expect(changed.headers.get("etag")).toBe('"2"');
  });

  test("the last use that gateways report is shown", async () => {
    const made = await plane.send("POST", path, request);
    const atMs = plane.clock.now();
    await plane.context.catalog.transaction((write) => write.apiKeys.touch([{ id: made.body.metadata.id, atMs }]));
    expect((await plane.send("GET", `${path}/bot-key`)).body.status.lastUsedAt).toBe("2026-01-01T00:00:00.000Z");
  });
});

describe("204", () => {
  test("a deleted key is gone, and dead at the gateways", async () => {
    await plane.send("POST", path, request);
    expect((await plane.send("DELETE", `${path}/bot-key`, undefined, { "if-match": '"1"' })).status).toBe(204);
    expect(plane.messages.at(-1)?.type).toBe("credential.removed");
    expect((await plane.send("GET", `${path}/bot-key`)).status).toBe(404);
  });
});

describe("404", () => {
  test.each(["regenerate", "revoke", "dissociate"])("%s of a key that does not exist", async (action) => {
    expect((await plane.send("POST", `${path}/none/${action}`)).body.code).toBe("resource.not_found");
  });
});

describe("409", () => {
  test("a name that is taken", async () => {
    await plane.send("POST", path, request);
    expect((await plane.send("POST", path, request)).body.code).toBe("resource.conflict");
  });

  test("an API that has keys is not deleted, and they are named", async () => {
    await plane.send("POST", path, request);
    const answer = await plane.send("DELETE", "/api/v1/llm-apis/chat", undefined, { "if-match": '"1"' });
    expect(answer.body.code).toBe("resource.in_use");
    expect(answer.body.detail).toContain("bot-key");
  });
});

describe("412 and 428", () => {
  test("changing and deleting ask for the version that was read", async () => {
    await plane.send("POST", path, request);
    const change = { spec: { displayName: "Bot" } };
    for (const [ifMatch, status] of [
      [null, 428],
      ['"2"', 412],
    ] as const) {
      const headers = { "if-match": ifMatch };
      expect((await plane.send("PUT", `${path}/bot-key`, change, headers)).status).toBe(status);
      expect((await plane.send("DELETE", `${path}/bot-key`, undefined, headers)).status).toBe(status);
    }
    for (const [action, body] of [
      ["regenerate"],
      ["revoke"],
      ["associate", { application: "bot" }],
      ["dissociate"],
    ] as const) {
      const stale = await plane.send("POST", `${path}/bot-key/${action}`, body, { "if-match": '"2"' });
      expect([action, stale.status]).toEqual([action, 412]);
    }
    expect((await plane.send("GET", `${path}/bot-key`)).body.metadata.version).toBe(1);
    expect((await plane.send("POST", `${path}/bot-key/revoke`, undefined, { "if-match": '"1"' })).status).toBe(200);
  });
});

describe("422", () => {
  test.each([
    { name: "an API that does not exist", spec: { api: { kind: "LlmApi", name: "none" } }, at: "spec.api" },
    { name: "an unknown environment", spec: { environment: "staging" }, at: "spec.environment" },
    { name: "an address that is none", spec: { permittedIps: ["10.0.0.0/99"] }, at: "spec.permittedIps[0]" },
    { name: "two expiries", spec: { validitySeconds: 60, expiresAt: null }, at: "spec.expiresAt" },
    { name: "a moment that has passed", spec: { expiresAt: "2020-01-01T00:00:00Z" }, at: "spec.expiresAt" },
    { name: "an application that does not exist", spec: { application: "none" }, at: "spec.application" },
    { name: "a key that the sender made", spec: { key: "gh_mine" }, at: "spec.key" },
  ])("refuses $name, naming $at", async ({ spec, at }) => {
    const answer = await plane.send("POST", path, { ...request, spec: { ...request.spec, ...spec } });
    expect(answer.body).toMatchObject({ status: 422, code: "resource.invalid" });
    expect(answer.body.errors.map((error) => error.path)).toContain(at);
  });

  test("a key cannot be moved to another API", async () => {
    await plane.send("POST", path, request);
    const change = { spec: { api: { kind: "LlmApi", name: "other" } } };
    expect((await plane.send("PUT", `${path}/bot-key`, change, { "if-match": '"1"' })).status).toBe(422);
  });
});
