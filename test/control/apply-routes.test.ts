import { beforeEach, describe, expect, test } from "vitest";
import { appliedSchema } from "../../src/control/apply-routes.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";

const head = { apiVersion: "gatehouse/v1" };
const provider = { ...head, kind: "LlmProvider", metadata: { name: "openai" }, spec: { use: "openai-compatible" } };
const upstream = { production: { targets: [{ provider: "openai" }] }, sandbox: { sameAs: "production" } };
const chat = { ...head, kind: "LlmApi", metadata: { name: "chat" }, spec: { context: "/chat", upstream } };
const documents = [
  { source: "chat.yaml", line: 1, value: chat },
  { source: "chat.yaml", line: 20, value: provider },
];

let plane: ControlPlane;

beforeEach(async () => {
  plane = await openControlPlane();
  return () => plane[Symbol.asyncDispose]();
});

describe("200", () => {
  test("creates and publishes in the order of references, and a second time changes nothing", async () => {
    const first = await plane.send("POST", "/api/v1/apply", { documents });
    expect(appliedSchema.parse(first.body)).toEqual({
      dryRun: false,
      applied: [
        { kind: "LlmProvider", name: "openai", change: "created" },
        { kind: "LlmApi", name: "chat", change: "created", revision: 1, published: true },
      ],
    });
    const second = await plane.send("POST", "/api/v1/apply", { documents });
    expect(appliedSchema.parse(second.body).applied).toEqual([
      { kind: "LlmProvider", name: "openai", change: "unchanged" },
      { kind: "LlmApi", name: "chat", change: "unchanged", revision: 1, published: false },
    ]);
  });

  test("a dry run says what would happen and leaves no trace", async () => {
    const { body } = await plane.send("POST", "/api/v1/apply", { documents, dryRun: true });
    expect(body).toMatchObject({ dryRun: true, applied: [{ change: "created" }, { change: "created" }] });
    expect((await plane.send("GET", "/api/v1/llm-apis/chat")).status).toBe(404);
    expect(plane.messages).toEqual([]);
  });

  test("a draft is not published", async () => {
    await plane.send("POST", "/api/v1/apply", { documents, draft: true });
    expect((await plane.send("GET", "/api/v1/llm-apis/chat")).body.status.deployed).toBeNull();
  });
});

describe("422", () => {
  test("one bad document applies nothing, and file, line and field are named", async () => {
    const bad = { ...chat, spec: { ...chat.spec, contxt: "/chat" } };
    const answer = await plane.send("POST", "/api/v1/apply", {
      documents: [documents[1], { source: "chat.yaml", line: 1, value: bad, lines: { "spec.contxt": 9 } }],
    });
    expect(answer.body).toMatchObject({ status: 422, code: "resource.invalid" });
    expect(answer.body.detail).toContain("chat.yaml:9 spec.contxt");
    expect((await plane.send("GET", "/api/v1/llm-providers/openai")).status).toBe(404);
  });

  test("without the lines of fields, the document's own is named", async () => {
    const value = { ...provider, spec: {} };
    const answer = await plane.send("POST", "/api/v1/apply", { documents: [{ source: "a.yaml", line: 7, value }] });
    expect(answer.body.detail).toContain("a.yaml:7 spec.use");
  });

  test.each([
    { name: "no documents", body: { documents: [] }, at: "documents" },
    {
      name: "a document without its source",
      body: { documents: [{ line: 1, value: chat }] },
      at: "documents[0].source",
    },
    { name: "an unknown option", body: { documents, force: true }, at: "force" },
    { name: "a list", body: [], at: "" },
  ])("refuses $name", async ({ body, at }) => {
    const answer = await plane.send("POST", "/api/v1/apply", body);
    expect(answer.body).toMatchObject({ code: "resource.invalid", errors: [{ path: at }] });
  });
});
