import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { routes } from "../../src/control/routes.ts";
import { permissions } from "../../src/core/roles.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import type { Answer, ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const llmProvider = { use: "openai", with: { baseUrl: "https://llm.example.com/v1", apiKey: "${secret:red-secret}" } };

const sandbox = { sameAs: "production" } as const;

/** What the team `red` has, by the path of its kind; applied in this order. */
const owned: Readonly<Record<string, object>> = {
  "llm-providers": llmProvider,
  plans: {},
  applications: {},
  "llm-apis": {
    context: "/red",
    upstream: { production: { targets: [{ provider: "red-thing" }] }, sandbox },
    security: { apiKey: {} },
  },
  "mcp-servers": { context: "/red-mcp", upstream: { production: { url: "https://mcp.example.com/mcp" }, sandbox } },
  "rest-apis": {
    context: "/red-rest",
    definition: { openapi: "3.1.0", info: { title: "Red", version: "1.0" }, paths: {} },
    upstream: { production: { url: "https://rest.example.com" }, sandbox },
  },
  "async-apis": {
    context: "/red-async",
    definition: { asyncapi: "3.0.0", info: { title: "Red", version: "1.0" } },
  },
  rulesets: { artifacts: ["LlmApi"], ruleset: { rules: {} } },
  "governance-policies": { rulesets: ["red-thing"], targets: ["global"] },
  exemptions: { artifact: { kind: "LlmApi", name: "red-thing" }, rule: "any", reason: "a test", approver: "red" },
  alerts: { question: "errors", field: "count", condition: { above: 0 } },
  subscriptions: { application: "red-thing", api: { kind: "LlmApi", name: "red-thing" }, plan: "red-thing" },
};

let plane: ControlPlane;
let blue: string;
const as = (method: string, path: string, body?: unknown): Promise<Answer> =>
  plane.send(method, path, body, { ...bearer(blue), "if-match": "*" });

beforeAll(async () => {
  plane = await openControlPlane();
  await createTeam(plane, "blue");
  await createTeam(plane, "red");
  await plane.send("PUT", "/api/v1/secrets/red-secret", { value: "s3cret", team: "red" });
  for (const [path, spec] of Object.entries(owned)) {
    const body = { metadata: { name: "red-thing", team: "red" }, spec };
    const made = await plane.send("POST", `/api/v1/${path}`, body);
    expect(made.status).toBe(201);
  }
  const key = {
    metadata: { name: "red-thing", team: "red" },
    spec: { api: { kind: "LlmApi", name: "red-thing" }, environment: "production" },
  };
  const generated = await plane.send("POST", "/api/v1/api-keys", key);
  expect(generated.status).toBe(201);
  await makeUser(plane, "robot", { teams: [{ team: "blue", roles: ["admin"] }] }, {});
  blue = (await makeToken(plane.send, { user: "robot" })).token;
}, 60_000);
afterAll(() => plane[Symbol.asyncDispose]());

const ofTeams = routes().flatMap(({ method, path, access }) =>
  typeof access === "object" && permissions[access.permission].per === "team" && path.includes("{name}")
    ? [{ method: method.toUpperCase(), path }]
    : [],
);

/** Bodies that would do what is asked if the name were theirs. */
function bodyOf(method: string, path: string): unknown {
  if (method === "GET" || method === "DELETE") return undefined;
  const [, collection = "", last] = /^\/api\/v1\/([\w-]+).*?(\w+-?\w*)\}?$/.exec(path) ?? [];
  if (collection === "secrets") return { value: "stolen" };
  if (method === "PUT" && collection === "api-keys") return { spec: {} };
  if (method === "PUT" && owned[collection] !== undefined && !path.includes("clientId")) {
    return { metadata: { name: "red-thing" }, spec: owned[collection] };
  }
  if (path.endsWith("/{clientId}/secrets")) return {};
  if (last === "deploy") return { revision: 1 };
  if (last === "approve") return { pin: "x", seenHash: "0".repeat(64) };
  if (path.endsWith(":forget")) return {};
  if (last === "associate") return { application: "red-thing" };
  return { spec: { environment: "production" } };
}

describe("an admin of another team", () => {
  test.each(ofTeams)("$method $path: what is not theirs is not there", async ({ method, path }) => {
    const name = path.includes("/secrets/") ? "red-secret" : "red-thing";
    const query = path.endsWith("/client-config") ? "?client=codex" : "";
    const place = `${path.replace("{name}", name).replaceAll(/\{\w+\}/g, "x")}${query}`;
    const answer = await as(method, place, bodyOf(method, path));
    // `If-Match: *` asks for one that is there (RFC 9110, 13.1.1), and for them it is not.
    expect(answer.status).toBe(`${method} ${path}` === "PUT /api/v1/secrets/{name}" ? 412 : 404);
  });

  test("nothing of it was changed by trying", async () => {
    for (const path of [...Object.keys(owned), "api-keys"]) {
      const { metadata } = (await plane.send("GET", `/api/v1/${path}/red-thing`)).body;
      expect({ path, version: metadata.version }).toEqual({ path, version: 1 });
    }
    const secret = await plane.context.catalog.read.secrets.find("red-secret");
    expect(secret?.version).toBe(1);
  });

  test.each([...Object.keys(owned), "api-keys", "secrets"])("lists none of it: %s", async (path) => {
    const answer = await as("GET", `/api/v1/${path}`);
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain("red");
  });

  test("sees the own team and the shared one", async () => {
    const names = (await as("GET", "/api/v1/teams")).body.items.map(({ metadata }) => metadata.name);
    expect(names).toEqual(["default", "blue"]);
  });

  test("makes things for the own team, and for no other", async () => {
    const make = (team?: string) =>
      as("POST", "/api/v1/plans", { metadata: { name: `of-${team}`, ...(team && { team }) }, spec: {} });
    expect((await make("blue")).status).toBe(201);
    expect((await make(undefined)).status).toBe(403);
    expect((await make("red")).body.errors).toEqual([{ path: "metadata.team", detail: "there is no Team named red" }]);
  });

  test("reads what the shared team has, and changes none of it", async () => {
    await plane.send("POST", "/api/v1/plans", { metadata: { name: "shared" }, spec: {} });
    await plane.send("PUT", "/api/v1/secrets/shared-secret", { value: "s3cret" });
    expect((await as("GET", "/api/v1/plans/shared")).status).toBe(200);
    expect((await as("DELETE", "/api/v1/plans/shared")).status).toBe(403);
    expect((await as("PUT", "/api/v1/plans/shared", { metadata: { name: "shared" }, spec: {} })).status).toBe(403);
    expect((await as("GET", "/api/v1/secrets")).text).not.toContain("shared");
  });

  test.each([
    { name: "a provider", path: "llm-apis", spec: { ...owned["llm-apis"], context: "/mine" } },
    { name: "a secret", path: "llm-providers", spec: llmProvider },
    { name: "an application", path: "subscriptions", spec: owned["subscriptions"] },
    {
      name: "a shared secret",
      path: "llm-providers",
      spec: { ...llmProvider, with: { ...llmProvider.with, apiKey: "${secret:shared-secret}" } },
    },
  ])("cannot refer to $name of others: that would be using it", async ({ path, spec }) => {
    const answer = await as("POST", `/api/v1/${path}`, { metadata: { name: "mine", team: "blue" }, spec });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("there is no");
  });

  test("gets no key for an API that is not theirs, and none for another team", async () => {
    const spec = { api: { kind: "LlmApi", name: "red-thing" }, environment: "production" };
    for (const metadata of [{ team: "blue" }, { team: "red" }, {}]) {
      expect([403, 422]).toContain((await as("POST", "/api/v1/api-keys", { metadata, spec })).status);
    }
  });

  test("cannot change it by applying a file", async () => {
    const value = { apiVersion: "gatehouse/v1", kind: "Plan", metadata: { name: "red-thing", team: "red" }, spec: {} };
    const documents = [{ source: "f.yaml", line: 1, value }];
    const answer = await as("POST", "/api/v1/apply", { documents });
    expect([403, 409, 422]).toContain(answer.status);
    expect((await plane.send("GET", "/api/v1/plans/red-thing")).body.metadata.version).toBe(1);
  });
});
