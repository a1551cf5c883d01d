import { beforeEach, describe, expect, test } from "vitest";
import { resourceKinds } from "../../src/core/kinds.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";

const provider = { metadata: { name: "openai" }, spec: { use: "openai-compatible", with: {} } };
const chat = {
  metadata: { name: "chat" },
  spec: {
    context: "/chat",
    upstream: { production: { targets: [{ provider: "openai" }] }, sandbox: { sameAs: "production" } },
  },
};

/** Everything that the examples of the kinds refer to. */
async function withExamplesNeeds(plane: ControlPlane): Promise<void> {
  expect((await plane.send("PUT", "/api/v1/secrets/llm-key", { value: "sk-1" })).status).toBe(201);
  expect((await plane.send("PUT", "/api/v1/secrets/hook-key", { value: "sk-1" })).status).toBe(201);
  for (const [path, body] of [
    ["/api/v1/llm-providers", provider],
    ["/api/v1/llm-apis", chat],
    ["/api/v1/applications", { metadata: { name: "support-bot" }, spec: {} }],
    ["/api/v1/plans", { metadata: { name: "gold" }, spec: {} }],
  ] as const) {
    expect((await plane.send("POST", path, body)).status).toBe(201);
  }
}

describe.each(resourceKinds.map((kind) => ({ kind, name: kind.kind, path: `/api/v1/${kind.path}` })))(
  "$name at $path",
  ({ kind, path }) => {
    const body = { metadata: { name: "sample", labels: { tier: "one" } }, spec: kind.examples[0] };

    test("is created, read, replaced and deleted under the ETag of each version", async () => {
      await using plane = await openControlPlane();
      await withExamplesNeeds(plane);
      const created = await plane.send("POST", path, body);
      expect(created.status).toBe(201);
      expect(created.headers.get("location")).toBe(`${path}/sample`);
      expect(created.headers.get("etag")).toBe('"1"');
      expect(created.body).toMatchObject({
        apiVersion: "gatehouse/v1",
        kind: kind.kind,
        metadata: { name: "sample", team: "default", labels: { tier: "one" }, version: 1 },
        spec: kind.examples[0],
      });

      const read = await plane.send("GET", `${path}/sample`);
      expect(read.headers.get("etag")).toBe('"1"');
      expect(read.body).toMatchObject(created.body);

      plane.clock.advance(1_000);
      const edited = { ...read.body, metadata: { ...read.body.metadata, labels: { tier: "two" } } };
      const replaced = await plane.send("PUT", `${path}/sample`, edited, { "if-match": '"1"' });
      expect(replaced.status).toBe(200);
      expect(replaced.headers.get("etag")).toBe('"2"');
      expect(replaced.body.metadata.labels).toEqual({ tier: "two" });
      expect(replaced.body.metadata.createdAt).toBe(created.body.metadata.createdAt);
      expect(replaced.body.metadata.updatedAt).not.toBe(created.body.metadata.updatedAt);

      const deleted = await plane.send("DELETE", `${path}/sample`, undefined, { "if-match": '"2"' });
      expect(deleted).toMatchObject({ status: 204, text: "" });
      expect((await plane.send("GET", `${path}/sample`)).status).toBe(404);
    });

    test("takes back the file form with apiVersion and kind, and refuses those of something else", async () => {
      await using plane = await openControlPlane();
      await withExamplesNeeds(plane);
      for (const wrong of [{ apiVersion: "gatehouse/v2" }, { kind: "Plan2" }]) {
        const answer = await plane.send("POST", path, {
          apiVersion: "gatehouse/v1",
          kind: kind.kind,
          ...body,
          ...wrong,
        });
        expect(answer.status).toBe(422);
        expect(answer.body.errors).toEqual([{ path: Object.keys(wrong)[0], detail: expect.any(String) }]);
      }
      const whole = { apiVersion: "gatehouse/v1", kind: kind.kind, ...body };
      expect((await plane.send("POST", path, whole)).status).toBe(201);
    });
  },
);

describe("applications", () => {
  let plane: ControlPlane;
  const path = "/api/v1/applications";
  const bot = { metadata: { name: "bot" }, spec: { displayName: "Bot" } };

  beforeEach(async () => {
    plane = await openControlPlane();
    return () => plane[Symbol.asyncDispose]();
  });

  describe("200", () => {
    test("lists in pages that hold every resource once, in the order of creation", async () => {
      const names = Array.from({ length: 7 }, (_, at) => `bot-${9 - at}`);
      for (const name of names) await plane.send("POST", path, { metadata: { name }, spec: {} });
      const seen: string[] = [];
      let next: string | undefined = `${path}?limit=3&team=default`;
      const teams = new Set<string | null>();
      let pages = 0;
      while (next !== undefined) {
        const page: Awaited<ReturnType<ControlPlane["send"]>> = await plane.send("GET", next);
        expect(page.status).toBe(200);
        expect(page.body.items.length).toBeLessThanOrEqual(3);
        seen.push(...page.body.items.map((item) => item.metadata.name));
        const link = page.headers.get("link");
        expect(link === null).toBe(page.body.next === undefined);
        next = link === null ? undefined : /^<([^>]+)>; rel="next"$/.exec(link)?.[1];
        teams.add(new URL(next ?? "/?team=default", "http://localhost").searchParams.get("team"));
        pages += 1;
      }
      expect(seen).toEqual(names);
      expect(pages).toBe(3);
      expect(teams).toEqual(new Set(["default"]));
    });

    test("lists what one team owns", async () => {
      await plane.send("POST", "/api/v1/teams", { metadata: { name: "red" }, spec: {} });
      await plane.send("POST", path, { ...bot, metadata: { name: "red-bot", team: "red" } });
      await plane.send("POST", path, bot);
      const { body } = await plane.send("GET", `${path}?team=red`);
      expect(body).toEqual({
        items: [expect.objectContaining({ metadata: expect.objectContaining({ team: "red" }) })],
      });
    });

    test("replaces whatever version there is when If-Match is *", async () => {
      await plane.send("POST", path, bot);
      expect((await plane.send("PUT", `${path}/bot`, bot, { "if-match": "*" })).status).toBe(200);
    });
  });

  describe("404", () => {
    test.each([
      { method: "GET", name: "none" },
      { method: "GET", name: "NONE" },
      { method: "PUT", name: "none" },
      { method: "DELETE", name: "none" },
    ])("$method of $name, which does not exist", async ({ method, name }) => {
      const sent = method === "PUT" ? { metadata: { name: "none" }, spec: {} } : undefined;
      const answer = await plane.send(method, `${path}/${name}`, sent, { "if-match": '"1"' });
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status: 404, code: "resource.not_found" });
    });

    test("a list of an unknown team", async () => {
      expect((await plane.send("GET", `${path}?team=none`)).body.code).toBe("resource.not_found");
    });

    test("one kind's name is not another's", async () => {
      await plane.send("POST", path, bot);
      expect((await plane.send("GET", "/api/v1/plans/bot")).status).toBe(404);
    });
  });

  describe("409", () => {
    test("a name that is taken", async () => {
      await plane.send("POST", path, bot);
      expect((await plane.send("POST", path, bot)).body).toMatchObject({ status: 409, code: "resource.conflict" });
    });

    test("deleting what is in use says by whom", async () => {
      await withExamplesNeeds(plane);
      const answer = await plane.send("DELETE", "/api/v1/llm-providers/openai", undefined, { "if-match": '"1"' });
      expect(answer.body).toMatchObject({ status: 409, code: "resource.in_use" });
      expect(answer.body.detail).toContain("LlmApi/chat");
      expect(answer.body.errors[0]?.path).toBe("LlmApi/chat: spec.upstream.production.targets[0].provider");
    });
  });

  describe("412", () => {
    test("two admins who read the same version cannot overwrite each other", async () => {
      await plane.send("POST", path, bot);
      const write = (displayName: string) =>
        plane.send("PUT", `${path}/bot`, { ...bot, spec: { displayName } }, { "if-match": '"1"' });
      const answers = await Promise.all([write("first"), write("second")]);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 412]));
      const winner = answers.find(({ status }) => status === 200)?.body.spec.displayName;
      expect((await plane.send("GET", `${path}/bot`)).body.spec.displayName).toBe(winner);
      expect(answers.find(({ status }) => status === 412)?.body.code).toBe("resource.changed");
    });

    test("a stale or weak tag neither replaces nor deletes", async () => {
      await plane.send("POST", path, bot);
      for (const tag of ['"2"', 'W/"1"', '"abc"']) {
        expect((await plane.send("PUT", `${path}/bot`, bot, { "if-match": tag })).status).toBe(412);
        expect((await plane.send("DELETE", `${path}/bot`, undefined, { "if-match": tag })).status).toBe(412);
      }
      expect((await plane.send("GET", `${path}/bot`)).headers.get("etag")).toBe('"1"');
    });
  });

  describe("422", () => {
    test("names every field at fault", async () => {
      const answer = await plane.send("POST", path, {
        metadata: { name: "Not A Name" },
        spec: { displayName: 7, colour: "red" },
      });
      expect(answer.body).toMatchObject({ status: 422, code: "resource.invalid" });
      expect(answer.body.errors.map((error) => error.path).toSorted()).toEqual([
        "metadata.name",
        "spec.colour",
        "spec.displayName",
      ]);
    });

    test("names the place in a list, and a reference that leads nowhere", async () => {
      const answer = await plane.send("POST", "/api/v1/llm-apis", chat);
      expect(answer.body).toMatchObject({ status: 422, code: "resource.invalid" });
      expect(answer.body.errors[0]?.path).toBe("spec.upstream.production.targets[0].provider");
    });

    test("a document of another name does not replace", async () => {
      await plane.send("POST", path, bot);
      const other = { ...bot, metadata: { name: "other" } };
      const answer = await plane.send("PUT", `${path}/bot`, other, { "if-match": '"1"' });
      expect(answer.body).toMatchObject({ status: 422, errors: [{ path: "metadata.name" }] });
    });
  });

  describe("428", () => {
    test("replacing and deleting ask for If-Match before anything else", async () => {
      await plane.send("POST", path, bot);
      for (const method of ["PUT", "DELETE"]) {
        const answer = await plane.send(method, `${path}/bot`, method === "PUT" ? bot : undefined);
        expect(answer.body).toMatchObject({ status: 428, code: "resource.precondition_required" });
      }
      expect((await plane.send("GET", `${path}/bot`)).headers.get("etag")).toBe('"1"');
    });
  });
});
