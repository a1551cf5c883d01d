import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { RawAnswer } from "../../kit/raw-http.ts";
import { rawHttp } from "../../kit/raw-http.ts";
import { keyFor, publishServer } from "../mcp/published-server.ts";

interface Listed {
  readonly servers: readonly { readonly server: { readonly name: string; readonly version: string } }[];
  readonly metadata: { readonly count: number; readonly nextCursor?: string };
}

function get(gatehouse: TestGatehouse, path: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
  return rawHttp(`${gatehouse.running.gatewayUrl}${path}`, { method: "GET", headers });
}

function names(answer: RawAnswer): readonly string[] {
  return (answer.json() as Listed).servers.map(({ server }) => server.name); // the registry's own shape, checked elsewhere
}

describe("a registry of what callers may use", () => {
  let gatehouse: TestGatehouse;
  let notes = "";
  let llm = "";
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

  beforeAll(async () => {
    gatehouse = await startTestGatehouse();
    notes = (await publishServer(gatehouse, "notes", "http://127.0.0.1:9/mcp", { description: "Notes." })).key;
    await publishServer(gatehouse, "tickets", "http://127.0.0.1:9/mcp");
    llm = (await gatehouse.llm("chat", "http://127.0.0.1:9")).key;
  });

  afterAll(() => gatehouse[Symbol.asyncDispose]());

  test("a key lists the server that it opens and no other", async () => {
    const answer = await get(gatehouse, "/v0.1/servers", bearer(notes));
    expect(answer.status).toBe(200);
    expect(names(answer)).toEqual(["local.gatehouse/notes"]);
    expect(answer.headers["cache-control"]).toBe("private, no-cache");
  });

  test("nobody, and who shows a key that is none, is asked for one; a key of another kind lists nothing", async () => {
    expect((await get(gatehouse, "/v0.1/servers")).status).toBe(401);
    const wrong = await get(gatehouse, "/v0.1/servers", bearer("gh_wrong"));
    expect(wrong.status).toBe(401);
    expect(wrong.headers["www-authenticate"]).toBe("Bearer");
    expect(names(await get(gatehouse, "/v0.1/servers", bearer(llm)))).toEqual([]);
  });

  test("one server is found by its name, in its version and the latest; another's looks like one that is not there", async () => {
    const at = (path: string) => get(gatehouse, `/v0.1/servers/${path}`, bearer(notes));
    const own = encodeURIComponent("local.gatehouse/notes");
    expect((await at(`${own}/versions/latest`)).json()).toMatchObject({ server: { version: "1.0" }, _meta: {} });
    expect((await at(`${own}/versions/1.0`)).status).toBe(200);
    expect(names(await at(`${own}/versions`))).toEqual(["local.gatehouse/notes"]);
    expect((await at(`${own}/versions/2.0`)).json()).toEqual({ error: "Server not found" });
    const other = await at(`${encodeURIComponent("local.gatehouse/tickets")}/versions/latest`);
    const none = await at(`${encodeURIComponent("local.gatehouse/nothing")}/versions/latest`);
    expect([other.status, other.text]).toEqual([404, none.text]);
    expect(none.status).toBe(404);
  });

  test("what has not changed is not sent again", async () => {
    const first = await get(gatehouse, "/v0.1/servers", bearer(notes));
    const again = await get(gatehouse, "/v0.1/servers", {
      ...bearer(notes),
      "if-none-match": `W/${first.headers.etag}`,
    });
    expect([again.status, again.text]).toEqual([304, ""]);
  });

  test("pages of any origin may ask, with a key of theirs; hosts that are not answered to may not", async () => {
    const url = `${gatehouse.running.gatewayUrl}/v0.1/servers`;
    const origin = "https://vscode.dev";
    const asked = await rawHttp(url, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "GET" },
    });
    expect(asked.status).toBe(204);
    expect(asked.headers["access-control-allow-headers"]).toContain("authorization");
    const answer = await get(gatehouse, "/v0.1/servers", { ...bearer(notes), origin });
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
    const elsewhere = await get(gatehouse, "/v0.1/servers", { ...bearer(notes), host: "evil.example" });
    expect(elsewhere.status).toBeGreaterThanOrEqual(400);
  });

  test("other ways of asking are not the registry's", async () => {
    const posted = await rawHttp(`${gatehouse.running.gatewayUrl}/v0.1/servers`, {
      headers: bearer(notes),
      body: "{}",
    });
    expect(posted.status).toBe(404);
    expect((await get(gatehouse, "/v0.1/nothing", bearer(notes))).status).toBe(404);
    expect((await get(gatehouse, "/v0.1/servers/a/versions/b/c", bearer(notes))).status).toBe(404);
  });

  test("a key that was revoked a moment ago lists nothing", async () => {
    const key = await keyFor(gatehouse, "notes", { expiresAt: new Date(Date.now() + 60_000).toISOString() });
    expect((await get(gatehouse, "/v0.1/servers", bearer(key))).status).toBe(200);
    expect(
      (await get(gatehouse, "/v0.1/servers", bearer(`${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`))).status,
    ).toBe(401);
  });
});

describe("a public registry", () => {
  let gatehouse: TestGatehouse;

  beforeAll(async () => {
    gatehouse = await startTestGatehouse({ "mcp.registry": "public" });
    for (const name of ["c", "a", "b", "e", "d"]) await publishServer(gatehouse, name, "http://127.0.0.1:9/mcp");
  });

  afterAll(() => gatehouse[Symbol.asyncDispose]());

  test("lists all servers to everybody, page by page, in the order of their names", async () => {
    const first = await get(gatehouse, "/v0.1/servers?limit=2&version=latest");
    const { metadata } = first.json() as Listed;
    expect(names(first)).toEqual(["local.gatehouse/a", "local.gatehouse/b"]);
    expect(metadata.nextCursor).toMatch(/^[\w-]+$/);
    const second = await get(gatehouse, `/v0.1/servers?limit=2&cursor=${metadata.nextCursor}`);
    expect(names(second)).toEqual(["local.gatehouse/c", "local.gatehouse/d"]);
    const last = await get(gatehouse, `/v0.1/servers?limit=2&cursor=${(second.json() as Listed).metadata.nextCursor}`);
    expect(last.json()).toMatchObject({ metadata: { count: 1 } });
    expect(last.text).not.toContain("nextCursor");
    expect(first.headers["cache-control"]).toBe("public, max-age=60");
  });

  test("finds by a part of the name, and by the version", async () => {
    expect(names(await get(gatehouse, "/v0.1/servers?search=HOUSE/C"))).toEqual(["local.gatehouse/c"]);
    expect(names(await get(gatehouse, "/v0.1/servers?version=9.9"))).toEqual([]);
  });

  test("refuses a cursor or limit that is none", async () => {
    for (const query of ["cursor=%00%01", "limit=0", "limit=-1", "limit=x", "limit=1e9"]) {
      const answer = await get(gatehouse, `/v0.1/servers?${query}`);
      expect([query, answer.status]).toEqual([query, 400]);
      expect(Object.keys(answer.json() as object)).toEqual(["error"]);
    }
  });
});

test("a registry that is off is not there", async () => {
  await using gatehouse = await startTestGatehouse({ "mcp.registry": "off" });
  expect((await get(gatehouse, "/v0.1/servers")).status).toBe(404);
});
