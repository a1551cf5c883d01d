import { beforeEach, describe, expect, test } from "vitest";
import { deployedSchema, revisionSchema } from "../../src/control/publishing-routes.ts";
import { deploymentStatusSchema } from "../../src/control/resource-view.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";

const provider = { metadata: { name: "openai" }, spec: { use: "openai-compatible", with: {} } };
const upstream = { production: { targets: [{ provider: "openai" }] }, sandbox: { sameAs: "production" } };
const chat = { metadata: { name: "chat" }, spec: { context: "/chat", upstream } };
const path = "/api/v1/llm-apis";

let plane: ControlPlane;
let refused: string | undefined;

beforeEach(async () => {
  refused = undefined;
  const check = async () => (refused === undefined ? [] : [{ path: "spec.policies[0].use", message: refused }]);
  plane = await openControlPlane({ core: { check } });
  await plane.send("POST", "/api/v1/llm-providers", provider);
  await plane.send("POST", path, chat);
  return () => plane[Symbol.asyncDispose]();
});

async function redraft(description: string): Promise<void> {
  const spec = { ...chat.spec, description };
  expect((await plane.send("PUT", `${path}/chat`, { ...chat, spec }, { "if-match": "*" })).status).toBe(200);
}

describe("200", () => {
  test("publishing makes a revision and tells the gateways; publishing the same again makes none", async () => {
    const first = await plane.send("POST", `${path}/chat/publish`);
    expect(deployedSchema.parse(first.body)).toMatchObject({ revision: 1, changed: true });
    const sent = plane.messages.filter((message) => message.type === "artifacts").at(-1);
    expect(sent?.set.hash).toBe(first.body.configHash);
    const again = await plane.send("POST", `${path}/chat/publish`);
    expect(again.body).toEqual({ revision: 1, changed: false, configHash: first.body.configHash });
  });

  test("an API shows where it is live, and its draft leaves that alone", async () => {
    const before = await plane.send("GET", `${path}/chat`);
    expect(deploymentStatusSchema.parse(before.body.status)).toEqual({ deployed: null, served: true });
    await plane.send("POST", `${path}/chat/publish`);
    await redraft("a draft");
    const { body } = await plane.send("GET", `${path}/chat`);
    expect(body.spec.description).toBe("a draft");
    expect(deploymentStatusSchema.parse(body.status)).toEqual({
      deployed: {
        revision: 1,
        context: "/chat",
        urls: ["http://127.0.0.1:8080/chat/v1"],
        deployedAt: "2026-01-01T00:00:00.000Z",
      },
      served: true,
    });
  });

  test("a kind that this installation does not serve says so and shows no address", async () => {
    const notes = {
      metadata: { name: "notes" },
      spec: {
        context: "/notes",
        upstream: { production: { url: "http://127.0.0.1:1/mcp" }, sandbox: { sameAs: "production" } },
      },
    };
    await plane.send("POST", "/api/v1/mcp-servers", notes);
    expect((await plane.send("POST", "/api/v1/mcp-servers/notes/publish")).status).toBe(200);
    const { body } = await plane.send("GET", "/api/v1/mcp-servers/notes");
    expect(body.status).toMatchObject({ served: false, deployed: { revision: 1, context: "/notes", urls: [] } });
  });

  test("an older revision can be deployed again, and all revisions are listed", async () => {
    await plane.send("POST", `${path}/chat/publish`);
    plane.clock.advance(1_000);
    await redraft("two");
    expect((await plane.send("POST", `${path}/chat/publish`)).body.revision).toBe(2);
    const back = await plane.send("POST", `${path}/chat/deploy`, { revision: 1 });
    expect(back.body).toMatchObject({ revision: 1, changed: true });
    expect((await plane.send("GET", `${path}/chat`)).body.status.deployed?.revision).toBe(1);

    const list = await plane.send("GET", `${path}/chat/revisions?limit=1`);
    expect(revisionSchema.parse(list.body.items[0])).toMatchObject({ revision: 1, createdBy: "admin" });
    const rest = await plane.send("GET", `${path}/chat/revisions?limit=1&cursor=${list.body.next}`);
    expect(rest.body.items).toMatchObject([{ revision: 2, spec: { description: "two" } }]);
    expect(rest.body.next).toBeUndefined();
  });
});

describe("204", () => {
  test("undeploying takes the API off the gateways, and again changes nothing", async () => {
    await plane.send("POST", `${path}/chat/publish`);
    for (const _ of [1, 2]) expect((await plane.send("POST", `${path}/chat/undeploy`)).status).toBe(204);
    expect((await plane.send("GET", `${path}/chat`)).body.status.deployed).toBeNull();
    const sent = plane.messages.filter((message) => message.type === "artifacts").at(-1);
    expect(sent?.set.apis).toEqual([]);
  });
});

describe("404", () => {
  test.each(["publish", "undeploy"])("%s of an API that does not exist", async (action) => {
    expect((await plane.send("POST", `${path}/none/${action}`)).body.code).toBe("resource.not_found");
  });

  test("deploying a revision that does not exist", async () => {
    const answer = await plane.send("POST", `${path}/chat/deploy`, { revision: 9 });
    expect(answer.body).toMatchObject({ status: 404, code: "resource.not_found" });
  });

  test("kinds that are live at once cannot be published", async () => {
    expect((await plane.send("POST", "/api/v1/plans/gold/publish")).body.code).toBe("route.not_found");
  });
});

describe("422", () => {
  test("what would not compile is refused with its fields, and what was live stays live", async () => {
    await plane.send("POST", `${path}/chat/publish`);
    await redraft("two");
    refused = "there is no policy rate-limlt";
    const answer = await plane.send("POST", `${path}/chat/publish`);
    expect(answer.body).toMatchObject({
      status: 422,
      code: "publish.refused",
      errors: [{ path: "spec.policies[0].use", detail: refused }],
    });
    expect((await plane.send("GET", `${path}/chat`)).body.status.deployed?.revision).toBe(1);
    expect((await plane.send("GET", `${path}/chat/revisions`)).body.items.length).toBe(1);
  });

  test("a context that another API has is refused", async () => {
    await plane.send("POST", `${path}/chat/publish`);
    await plane.send("POST", path, { metadata: { name: "other" }, spec: chat.spec });
    const answer = await plane.send("POST", `${path}/other/publish`);
    expect(answer.body).toMatchObject({ status: 422, code: "publish.refused", errors: [{ path: "spec.context" }] });
  });

  test.each([{}, { revision: "1" }, { revision: 0 }, { revision: 1, force: true }])(
    "deploying by %j is refused",
    async (body) => {
      expect((await plane.send("POST", `${path}/chat/deploy`, body)).body.code).toBe("resource.invalid");
    },
  );
});

describe("412", () => {
  test.each([
    { action: "publish", body: undefined },
    { action: "deploy", body: { revision: 1 } },
    { action: "undeploy", body: undefined },
  ])("$action of a draft that was changed meanwhile is refused, and that of the one seen is not", async (row) => {
    await plane.send("POST", `${path}/chat/publish`);
    await redraft("changed meanwhile");
    const act = (tag: string) => plane.send("POST", `${path}/chat/${row.action}`, row.body, { "if-match": tag });
    const stale = await act('"1"');
    expect([stale.status, stale.body.code]).toEqual([412, "resource.changed"]);
    expect((await plane.send("GET", `${path}/chat`)).body.status.deployed?.revision).toBe(1);
    expect((await act('"2"')).status).toBeLessThan(300);
    expect((await act("*")).status).toBeLessThan(300);
  });
});
